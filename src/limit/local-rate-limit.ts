import type { LocalRateLimitPlan } from '../plan.ts';
import type { Milliseconds } from '../units.ts';
import { createBucketTable } from './bucket-table.ts';
import type { BucketVerdict } from './token-bucket.ts';

/** The token buckets of one policy in one worker. */
export interface LocalRateLimit {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  take(keys: readonly string[], nowMs: Milliseconds): BucketVerdict | null;
  /** Keys that are remembered. */
  readonly size: number;
  close(): void;
}

/** By policy; about 20 MiB at the longest keys. */
const maxKeys = 65_536;

/**
 * Opens the buckets of a policy, all full.
 *
 * `take` gives the verdict of the first key that has no token left, else that of the last; `null` where there
 * is no key.
 */
export function createLocalRateLimit({ policy, buckets }: LocalRateLimitPlan): LocalRateLimit {
  const table = createBucketTable(buckets, maxKeys);
  return {
    policy,
    take(keys, nowMs) {
      let verdict: BucketVerdict | null = null;
      for (const key of keys) {
        verdict = table.take(key, nowMs);
        if (!verdict.allowed) return verdict;
      }
      return verdict;
    },
    get size() {
      return table.size;
    },
    close: () => undefined,
  };
}
