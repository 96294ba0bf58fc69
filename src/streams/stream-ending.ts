/** Why an open answer is ended by the gate: also the `reason` label of the metric. */

import { Refusal, type RefusalCode, type RefusalDetails } from '../errors.ts';

export const streamEndReasons = [
  'token_expired',
  'key_removed',
  'provider_removed',
  'token_required',
  'denied',
  'route_removed',
  'rules_changed',
] as const;
export type StreamEndReason = (typeof streamEndReasons)[number];

export interface StreamEnding {
  readonly reason: StreamEndReason;
  /** For the log; the client sees the end alone. */
  readonly refusal: Refusal;
}

const words: Readonly<Record<StreamEndReason, readonly [RefusalCode, string]>> = {
  token_expired: ['TOKEN_EXPIRED', 'its token has expired'],
  key_removed: ['TOKEN_KEY_UNKNOWN', 'the key of its token was removed'],
  provider_removed: ['TOKEN_ISSUER_MISMATCH', 'no provider accepts its token any more'],
  token_required: ['TOKEN_MISSING', 'it has no token, and now needs one'],
  denied: ['AUTHORIZATION_DENIED', 'the rules do not allow it any more'],
  route_removed: ['ROUTE_NOT_FOUND', 'its route or backend was removed'],
  rules_changed: ['AUTHORIZATION_DENIED', 'its backend has rules now that it was not begun under'],
};

/**
 * Makes the ending of a stream, with the refusal that a new request of the same kind would get.
 *
 * @param details policy and rule where some decided
 */
export function streamEnding(
  reason: StreamEndReason,
  details: Pick<RefusalDetails, 'policy' | 'rule' | 'detail'> = {},
): StreamEnding {
  const [code, why] = words[reason];
  return { reason, refusal: new Refusal(code, { ...details, text: `stream ended: ${why}` }) };
}
