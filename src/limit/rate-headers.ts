import type { BucketVerdict } from './token-bucket.ts';

/** The header fields of a refusal: what the limit is, and after how many whole seconds to come back (RFC 9110, 10.2.3). */
export function rateHeaders({
  limit,
  remaining,
  retryAfterMs,
}: Omit<BucketVerdict, 'allowed'>): readonly string[] {
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return [
    ...['x-ratelimit-limit', String(limit)],
    ...['x-ratelimit-remaining', String(remaining)],
    ...['x-ratelimit-reset', seconds],
    ...['retry-after', seconds],
  ];
}
