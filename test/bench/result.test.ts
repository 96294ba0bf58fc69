import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitOf, median, summarise } from '../../bench/result.ts';
import type { Round } from '../../bench/measure.ts';

const round: Round = {
  tool: 'wrk',
  requestsPerSecond: 1000,
  cpuMicroseconds: 20,
  unexpected: 0,
  errors: 1,
  residentMib: 100,
  busy: { proxy: 0.99, load: 0.3, upstream: 0.3 },
};

describe('the median', () => {
  for (const [values, expected] of [
    [[], 0],
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 2, 100], 3],
  ] as const) {
    test(`of ${JSON.stringify(values)} is ${expected}`, () => {
      assert.equal(median(values), expected);
    });
  }
});

test('numbers are medians, mistakes are summed up', () => {
  const slow = { ...round, requestsPerSecond: 1, cpuMicroseconds: 900 };
  const summary = summarise([round, slow, round]);
  assert.equal(summary.requestsPerSecond, 1000);
  assert.equal(summary.cpuMicroseconds, 20);
  assert.equal(summary.errors, 3);
});

describe('the limit is', () => {
  for (const [busy, expected] of [
    [{ proxy: 0.97, load: 0.5, upstream: 0.4 }, 'proxy'],
    [{ proxy: 0.6, load: 0.6, upstream: 0.38 }, 'load'],
    [{ proxy: 0.6, load: 0.4, upstream: 0.55 }, 'upstream'],
    [{ proxy: 0.6, load: 0.2, upstream: 0.1 }, 'none'],
  ] as const) {
    test(expected, () => {
      assert.equal(limitOf({ ...round, busy }), expected);
    });
  }
});
