import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createBucketTable } from '../../src/limit/bucket-table.ts';
import { fullBucket, take } from '../../src/limit/token-bucket.ts';

const rate = { maxTokens: 3, tokensPerFill: 1, fillIntervalMs: 1000 };

describe('a token bucket', () => {
  test('lets its burst pass, then one request for each fill', () => {
    const bucket = fullBucket(rate, 0);
    const at = (nowMs: number) => take(bucket, rate, nowMs);
    assert.deepEqual(at(0), { allowed: true, limit: 3, remaining: 2, retryAfterMs: 0 });
    assert.equal(at(1).remaining, 1);
    assert.deepEqual(at(2), { allowed: true, limit: 3, remaining: 0, retryAfterMs: 998 });
    assert.deepEqual(at(400), { allowed: false, limit: 3, remaining: 0, retryAfterMs: 600 });
    assert.equal(at(999).allowed, false);
    assert.equal(at(1000).allowed, true);
    assert.equal(at(1001).allowed, false);
    assert.equal(at(100_000).remaining, 2, 'never more than it holds');
  });

  test('never lets more pass than the burst and the fills, whatever the times', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (pauses, maxTokens) => {
        const some = { maxTokens, tokensPerFill: 1, fillIntervalMs: 700 };
        const bucket = fullBucket(some, 0);
        let nowMs = 0;
        let passed = 0;
        for (const pause of pauses) {
          nowMs += pause;
          const verdict = take(bucket, some, nowMs);
          if (verdict.allowed) passed += 1;
          else assert.equal(take(bucket, some, nowMs + verdict.retryAfterMs - 1).allowed, false);
        }
        assert.ok(passed <= maxTokens + Math.floor(nowMs / 700), `${passed} in ${nowMs} ms`);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a table of buckets', () => {
  test('keeps each key apart', () => {
    const table = createBucketTable([{ ...rate, maxTokens: 1 }], 10);
    assert.equal(table.take('a', 0).allowed, true);
    assert.equal(table.take('a', 0).allowed, false);
    assert.equal(table.take('b', 0).allowed, true);
  });

  test('keeps long keys apart that differ in a lone surrogate alone', () => {
    const table = createBucketTable([{ ...rate, maxTokens: 1 }], 10);
    const long = 'x'.repeat(500);
    assert.equal(table.take(`${long}\ud800`, 0).allowed, true);
    assert.equal(table.take(`${long}\ud801`, 0).allowed, true);
    assert.equal(table.take(`${long}\ud800`, 0).allowed, false);
  });

  test('wants a token of each bucket, and a refusal uses up none', () => {
    const hourly = { maxTokens: 2, tokensPerFill: 1, fillIntervalMs: 3_600_000 };
    const each = { maxTokens: 1, tokensPerFill: 1, fillIntervalMs: 1000 };
    const table = createBucketTable([hourly, each], 10);
    assert.equal(table.take('a', 0).allowed, true);
    for (let count = 0; count < 5; count += 1) assert.equal(table.take('a', 1).allowed, false);
    assert.equal(table.take('a', 1000).allowed, true);
    const last = table.take('a', 2000);
    assert.equal(last.allowed, false);
    assert.equal(last.limit, 2);
  });

  test('never remembers more keys than it may, and forgets those that are full again', () => {
    const table = createBucketTable([rate], 1000);
    for (let count = 0; count < 5000; count += 1) table.take(`k${count}`, 0);
    assert.equal(table.size, 1000);
    for (let count = 0; count < 1000; count += 1) table.take('one', 10_000);
    assert.equal(table.size, 1);
  });
});
