import { Refusal } from '../errors.ts';
import type { AuthenticationPlan } from '../plan.ts';

/**
 * Gives a refusal of a token the policy's name and, where the client is at fault, the policy's status. With
 * 401 comes the challenge of RFC 6750, section 3 (RFC 9110, 15.5.2 demands one). A fault of ours keeps its
 * own status.
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
    ...(isFaultOfClient && plan.failureStatus === 401
      ? { headers: ['www-authenticate', challenge(refusal)] }
      : {}),
  });
}

/**
 * The value of WWW-Authenticate. A request without a token gets no error code (RFC 6750, 3.1). The
 * description is the catalogue's text, never anything a client sent.
 */
function challenge(refusal: Refusal): string {
  const { code, text } = refusal.kind;
  if (code === 'TOKEN_MISSING') return 'Bearer';
  const error = code === 'TOKEN_AMBIGUOUS' ? 'invalid_request' : 'invalid_token';
  const description = text.replace(/^authentication failure: /, '').replace(/["\\]/g, "'");
  return `Bearer error="${error}", error_description="${description}"`;
}
