import { Refusal } from '../errors.ts';
import type { AuthenticationPlan } from '../plan.ts';
import { insufficientScope, refuseFor } from './challenge.ts';
import type { ClaimValue, Principal } from './principal.ts';

/** What a policy demands of a token beyond its being valid. */
export interface TokenDemands {
  /**
   * Judges the claims of a verified token.
   *
   * @param url of the endpoint as the client reaches it, or `null` where the rule is no protected resource
   * @returns `null`; TOKEN_AUDIENCE_MISMATCH where the provider names no audiences and `aud` does not hold the
   *   URL (RFC 8707, 2); SCOPE_INSUFFICIENT where a required scope is missing
   */
  check(principal: Principal, url: string | null): Refusal | null;
}

/**
 * Prepares a policy's demands. Scopes are taken from `scope` (RFC 8693, 4.2: one string; some issuers write a
 * list) and `scp`, and compared as they are: which scope includes which is the issuer's matter.
 *
 * @returns `null` where a valid token will do
 */
export function tokenDemands(plan: AuthenticationPlan): TokenDemands | null {
  const { requiredScopes = [], protectedResource, providers } = plan;
  const boundToUrl = new Set(
    protectedResource === undefined
      ? []
      : providers.filter(({ audiences }) => audiences === null).map(({ name }) => name),
  );
  if (requiredScopes.length === 0 && boundToUrl.size === 0) return null;
  const wrongAudience = refuseFor(plan, new Refusal('TOKEN_AUDIENCE_MISMATCH'));
  const lacksScope = insufficientScope(plan, requiredScopes);
  return {
    check({ provider, claims }, url) {
      if (boundToUrl.has(provider) && (url === null || !valuesOf(claims.aud).includes(url))) {
        return wrongAudience;
      }
      if (requiredScopes.length === 0) return null;
      const granted = [...wordsOf(claims.scope), ...wordsOf(claims.scp)];
      return requiredScopes.every((scope) => granted.includes(scope)) ? null : lacksScope;
    },
  };
}

function valuesOf(claim: ClaimValue | undefined): readonly unknown[] {
  return Array.isArray(claim) ? claim : [claim];
}

function wordsOf(claim: ClaimValue | undefined): readonly string[] {
  return valuesOf(claim).flatMap((value) => (typeof value === 'string' ? value.split(' ') : []));
}
