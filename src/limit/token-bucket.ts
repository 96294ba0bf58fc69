/** The token bucket: pure arithmetic over a state that its owner keeps. */

import type { Milliseconds } from '../units.ts';

/** How a bucket fills: `tokensPerFill` at a time, every `fillIntervalMs`, up to `maxTokens`. */
export interface BucketRate {
  readonly maxTokens: number;
  readonly tokensPerFill: number;
  readonly fillIntervalMs: Milliseconds;
}

/** What a bucket holds, counted up to its last fill. */
export interface Bucket {
  tokens: number;
  filledAtMs: Milliseconds;
}

/** Whether a request may pass, and what to tell its client. */
export interface BucketVerdict {
  readonly allowed: boolean;
  /** Most that the bucket holds. */
  readonly limit: number;
  readonly remaining: number;
  /** Until the next token; 0 where one is left. */
  readonly retryAfterMs: Milliseconds;
}

/** A full bucket. */
export function fullBucket({ maxTokens }: BucketRate, nowMs: Milliseconds): Bucket {
  return { tokens: maxTokens, filledAtMs: nowMs };
}

/** Adds what has come in since the last fill. */
export function fill(bucket: Bucket, rate: BucketRate, nowMs: Milliseconds): void {
  const fills = Math.floor((nowMs - bucket.filledAtMs) / rate.fillIntervalMs);
  if (fills <= 0) return;
  bucket.tokens = Math.min(rate.maxTokens, bucket.tokens + fills * rate.tokensPerFill);
  bucket.filledAtMs += fills * rate.fillIntervalMs;
}

/**
 * Takes one token out of a bucket, if there is one.
 *
 * @param nowMs of a clock that only grows; the one that filled the bucket
 */
export function take(bucket: Bucket, rate: BucketRate, nowMs: Milliseconds): BucketVerdict {
  fill(bucket, rate, nowMs);
  const allowed = bucket.tokens >= 1;
  if (allowed) bucket.tokens -= 1;
  const untilFillMs = bucket.filledAtMs + rate.fillIntervalMs - nowMs;
  return {
    allowed,
    limit: rate.maxTokens,
    remaining: bucket.tokens,
    retryAfterMs: bucket.tokens >= 1 ? 0 : Math.max(1, untilFillMs),
  };
}
