import { createHash } from 'node:crypto';
import type { Milliseconds } from '../units.ts';
import { fill, fullBucket, take } from './token-bucket.ts';
import type { Bucket, BucketRate, BucketVerdict } from './token-bucket.ts';

/** Token buckets by key. */
export interface BucketTable {
  /** Takes one token of each of the key's buckets, or none where one of them is empty. */
  take(key: string, nowMs: Milliseconds): BucketVerdict;
  /** Keys that are remembered. */
  readonly size: number;
}

/** Longer keys are remembered by their hash. */
const maxKeyLength = 128;

/** How many entries one look for full buckets may touch, so that a request never pays for all. */
const sweepLength = 4;

/**
 * Makes an empty table. A key that is not in it has full buckets; so keys whose buckets have filled up are
 * forgotten, a few at each request. A table that is full all the same forgets the key used the longest ago.
 *
 * @param rates at least one; a request needs a token of each
 * @param maxKeys bounds the memory
 */
export function createBucketTable(rates: readonly BucketRate[], maxKeys: number): BucketTable {
  // A Map iterates in the order of insertion: the first entry is the one used the longest ago.
  const entries = new Map<string, readonly Bucket[]>();

  function forget(nowMs: Milliseconds): void {
    let looked = 0;
    for (const [key, buckets] of entries) {
      if (looked >= sweepLength) break;
      looked += 1;
      const isFull = buckets.every((bucket, index) => {
        const rate = rates[index];
        if (rate === undefined) return true;
        fill(bucket, rate, nowMs);
        return bucket.tokens >= rate.maxTokens;
      });
      if (isFull || entries.size > maxKeys) entries.delete(key);
    }
  }

  return {
    take(text, nowMs) {
      const key = text.length > maxKeyLength ? hashOf(text) : text;
      let buckets = entries.get(key);
      if (buckets === undefined) buckets = rates.map((rate) => fullBucket(rate, nowMs));
      else entries.delete(key);
      entries.set(key, buckets);
      const verdict = takeOfAll(buckets, rates, nowMs);
      forget(nowMs);
      return verdict;
    },
    get size() {
      return entries.size;
    },
  };
}

/** @returns the verdict of the bucket that has least left */
function takeOfAll(
  buckets: readonly Bucket[],
  rates: readonly BucketRate[],
  nowMs: Milliseconds,
): BucketVerdict {
  let worst: BucketVerdict | null = null;
  const taken: Bucket[] = [];
  for (const [index, bucket] of buckets.entries()) {
    const rate = rates[index];
    if (rate === undefined) continue;
    const verdict = take(bucket, rate, nowMs);
    if (!verdict.allowed) {
      // A request that is refused uses up nothing.
      for (const other of taken) other.tokens += 1;
      return verdict;
    }
    taken.push(bucket);
    if (worst === null || verdict.remaining < worst.remaining) worst = verdict;
  }
  return worst ?? { allowed: true, limit: 0, remaining: 0, retryAfterMs: 0 };
}

/** Texts that differ must not meet; UTF-16, because UTF-8 can't tell lone surrogates apart. */
function hashOf(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64');
}
