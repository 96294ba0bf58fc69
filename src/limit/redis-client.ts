/** The connection to the Redis that the replicas share. */

import { Redis } from 'ioredis';
import type { Milliseconds } from '../units.ts';

/** How long an answer is waited for. */
export const redisTimeoutMs: Milliseconds = 100;

const longestRetryMs = 1000;
const warnEveryMs = 10_000;

/**
 * Connects, and connects again whenever the connection is lost. A command that is sent meanwhile fails at
 * once; one without an answer fails after {@link redisTimeoutMs}.
 *
 * @param onWarning told that the connection is lost, now and then, without a word of the URL
 */
export function createRedisClient(url: string, onWarning: (warning: string) => void): Redis {
  const client = new Redis(url, {
    commandTimeout: redisTimeoutMs,
    connectTimeout: 5000,
    enableOfflineQueue: false,
    enableReadyCheck: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempts) => Math.min(longestRetryMs, attempts * 100),
  });
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  client.on('error', (error: Error & { readonly code?: string }) => {
    const nowMs = performance.now();
    if (nowMs - warnedAtMs < warnEveryMs) return;
    warnedAtMs = nowMs;
    onWarning(`the Redis of the global rate limits can't be used: ${error.code ?? error.name}`);
  });
  return client;
}
