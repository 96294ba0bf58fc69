/** Rate limits that all replicas share, counted in Redis. */

import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { GlobalRateLimitPlan } from '../plan.ts';
import { createRedisClient } from './redis-client.ts';
import type { BucketVerdict } from './token-bucket.ts';

/** One policy's limit. */
export interface GlobalRateLimit {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  /** What becomes of a request that can't be counted. */
  readonly failureMode: GlobalRateLimitPlan['failureMode'];
  /** Counts a request under each key. Resolves to `failed` where that was not possible in time; never rejects. */
  consume(keys: readonly string[]): Promise<BucketVerdict | 'failed'>;
  /** Requests that could not be counted since the start. */
  readonly failures: number;
  close(): void;
}

/** All of one worker, over one connection. */
export interface GlobalRateLimits {
  /** @throws Error where no Redis is named */
  readonly open: (plan: GlobalRateLimitPlan) => GlobalRateLimit;
  close(): void;
}

/** Questions that may wait for Redis at once; more fail without waiting. */
const maxWaiting = 1024;

/**
 * Makes the limits. The connection is opened with the first policy that needs it.
 *
 * @param url of the Redis, or `null` where none is named
 */
export function createGlobalRateLimits(
  url: string | null,
  onWarning: (warning: string) => void,
): GlobalRateLimits {
  let client: Redis | null = null;
  let waiting = 0;

  function open(plan: GlobalRateLimitPlan): GlobalRateLimit {
    const { policy, domain, requests, windowSeconds, failureMode } = plan;
    if (url === null) {
      throw new Error(`policy ${policy} has a global rate limit, and POSTERN_REDIS_URL is not set`);
    }
    client ??= createRedisClient(url, onWarning);
    const limiter = new RateLimiterRedis({
      storeClient: client,
      keyPrefix: `postern:${domain}`,
      points: requests,
      duration: windowSeconds,
      rejectIfRedisNotReady: true,
    });
    let failures = 0;

    async function consumeOne(key: string): Promise<BucketVerdict | 'failed'> {
      try {
        const { remainingPoints, msBeforeNext } = await limiter.consume(hashOf(key));
        const retryAfterMs = remainingPoints > 0 ? 0 : msBeforeNext;
        return { allowed: true, limit: requests, remaining: remainingPoints, retryAfterMs };
      } catch (reason) {
        if (!(reason instanceof RateLimiterRes)) return 'failed';
        const { msBeforeNext } = reason;
        return { allowed: false, limit: requests, remaining: 0, retryAfterMs: msBeforeNext };
      }
    }

    return {
      policy,
      failureMode,
      async consume(keys) {
        if (waiting + keys.length > maxWaiting) {
          failures += 1;
          return 'failed';
        }
        waiting += keys.length;
        const verdicts = await Promise.all(keys.map(consumeOne));
        waiting -= keys.length;
        const refused = verdicts.find((verdict) => verdict !== 'failed' && !verdict.allowed);
        if (refused !== undefined) return refused;
        if (verdicts.includes('failed')) {
          failures += 1;
          return 'failed';
        }
        return verdicts[0] ?? { allowed: true, limit: requests, remaining: 0, retryAfterMs: 0 };
      },
      get failures() {
        return failures;
      },
      close: () => undefined,
    };
  }

  return {
    open,
    close() {
      client?.disconnect();
      client = null;
    },
  };
}

/** Redis does not get to see who called: of fixed length, and without a name. */
function hashOf(key: string): string {
  return createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('base64url');
}
