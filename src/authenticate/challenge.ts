import { Refusal } from '../errors.ts';
import type { AuthenticationPlan } from '../plan.ts';

const FIELD = 'www-authenticate';
const SCHEME = 'Bearer';

/**
 * Gives a refusal of a token the policy's name and, where the client is at fault, the policy's status. With
 * 401 comes the challenge of RFC 6750, section 3 (RFC 9110, 15.5.2 demands one). A fault of ours keeps its
 * own status, and says when to try again: the token may be a good one (RFC 9110, 10.2.3).
 */
export function refuseFor(
  plan: Pick<AuthenticationPlan, 'policy' | 'failureStatus'>,
  refusal: Refusal,
): Refusal {
  const { text, detail, kind } = refusal;
  const isFaultOfClient = kind.status < 500;
  return new Refusal(kind.code, {
    text,
    policy: plan.policy,
    ...(detail === undefined ? {} : { detail }),
    ...(isFaultOfClient ? { status: plan.failureStatus } : {}),
    ...(isFaultOfClient ? {} : { headers: ['retry-after', '1'] }),
    ...(isFaultOfClient && plan.failureStatus === 401
      ? { headers: [FIELD, challenge(refusal)] }
      : {}),
  });
}

/**
 * The value of WWW-Authenticate. A request without a token gets no error code (RFC 6750, 3.1). The
 * description is the catalogue's text, never anything a client sent.
 */
function challenge(refusal: Refusal): string {
  const { code, text } = refusal.kind;
  if (code === 'TOKEN_MISSING') return SCHEME;
  const error = code === 'TOKEN_AMBIGUOUS' ? 'invalid_request' : 'invalid_token';
  const description = text.replace(/^authentication failure: /, '').replace(/["\\]/g, "'");
  return `${SCHEME} error="${error}", error_description="${description}"`;
}

/**
 * The refusal of a token that is valid but lacks a scope that the policy requires (RFC 6750, 3.1). It names all
 * of the policy's scopes, so that one more authorization cures it. Policies that answer without a challenge
 * get none here either.
 */
export function insufficientScope(
  { policy, failureStatus }: Pick<AuthenticationPlan, 'policy' | 'failureStatus'>,
  scopes: readonly string[],
): Refusal {
  const value = `${SCHEME} error="insufficient_scope", scope="${scopes.join(' ')}", error_description="the token lacks a scope"`;
  return new Refusal('SCOPE_INSUFFICIENT', {
    policy,
    ...(failureStatus === 401 ? { headers: [FIELD, value] } : {}),
  });
}

/**
 * Tells the client of a challenge where the metadata of the protected resource is (RFC 9728, 5.1) and, unless
 * the challenge says so itself, which scopes to ask for.
 *
 * @returns the same refusal where it carries no challenge
 */
export function withResourceMetadata(
  refusal: Refusal,
  metadataUrl: string,
  scope: string,
): Refusal {
  const [name, value] = refusal.headers;
  if (name !== FIELD || value === undefined) return refusal;
  const parameters = [
    ...(value === SCHEME ? [] : [value.slice(SCHEME.length + 1)]),
    `resource_metadata="${metadataUrl}"`,
    ...(scope === '' || value.includes('scope="') ? [] : [`scope="${scope}"`]),
  ];
  const { kind, status, text, detail, policy } = refusal;
  return new Refusal(kind.code, {
    status,
    text,
    ...(detail === undefined ? {} : { detail }),
    ...(policy === undefined ? {} : { policy }),
    headers: [FIELD, `${SCHEME} ${parameters.join(', ')}`],
  });
}
