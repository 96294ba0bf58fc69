import type { PolicySubject } from '../../src/authorize/authorizer.ts';

/** A request of Alice's, with what a test changes. */
export function subject(changes: Partial<PolicySubject> = {}): PolicySubject {
  return {
    claims: { iss: 'solo.io', sub: 'alice', team: 'dev', roles: ['admin', 'x'], level: 3 },
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
