import type { ProviderPlan } from '../plan.ts';
import { PrincipalFindings } from '../principal-findings.ts';
import { validUntilMs } from './check-claims.ts';
import { claimsToHeaders } from './claims-to-headers.ts';
import type { Principal } from './principal.ts';
import type { ReadToken } from './read-token.ts';
import { safeClaims } from './safe-claims.ts';

/**
 * Makes the principal of a token that the provider has accepted. It is frozen: all requests with this
 * token share it, and what they find out about it.
 */
export function makePrincipal(token: ReadToken, plan: ProviderPlan): Principal {
  const claims = safeClaims(token.payload);
  const headers = claimsToHeaders(claims, plan.claimsToHeaders);
  return Object.freeze({
    provider: plan.name,
    issuer: token.claims.issuer,
    subject: token.claims.subject,
    claims,
    expiresAtMs: validUntilMs(token.claims, plan),
    keepToken: plan.keepToken,
    headersToSet: headers.set,
    headersToAppend: headers.append,
    findings: new PrincipalFindings(),
  });
}
