import type { Claims } from '../../src/authenticate/principal.ts';
import type { PolicySubject, RulePrincipal } from '../../src/authorize/authorizer.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';

interface Changes extends Partial<Omit<PolicySubject, 'principal'>> {
  /** The same object stands for the same principal. */
  readonly claims?: Claims | null;
}

/** A request of Alice's, with what a test changes. */
export function subject({ claims, ...changes }: Changes = {}): PolicySubject {
  const alice = { iss: 'solo.io', sub: 'alice', team: 'dev', roles: ['admin', 'x'], level: 3 };
  return {
    principal: claims === null ? null : principalOf(claims ?? alice),
    method: 'POST',
    scheme: 'http',
    host: 'localhost',
    path: '/mcp',
    query: null,
    headers: ['host', 'localhost:8080', 'content-type', 'application/json'],
    remoteAddress: '127.0.0.1',
    remotePort: 59068,
    startedAtMs: Date.UTC(2026, 10, 22, 21, 50),
    ...changes,
  };
}

const principals = new WeakMap<Claims, RulePrincipal>();

function principalOf(claims: Claims): RulePrincipal {
  const known = principals.get(claims) ?? { claims, findings: new PrincipalFindings() };
  principals.set(claims, known);
  return known;
}
