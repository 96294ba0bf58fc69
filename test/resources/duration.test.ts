import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { parseDuration } from '../../src/resources/duration.ts';

const rows: [text: string, expectedMs: number | null][] = [
  ['0s', 0],
  ['0h0m0s', 0],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['100ms', 100],
  ['1h1m1s1ms', 3_661_001],
  ['99999h', 359_996_400_000],
  ['', null],
  ['5', null],
  ['1.5s', null],
  ['-1s', null],
  ['1d', null],
  ['100000s', null],
  ['1s1s1s1s1s', null],
  ['1s ', null],
  ['1s\n', null],
];

for (const [text, expectedMs] of rows) {
  test(`the duration ${JSON.stringify(text)} is ${String(expectedMs)} ms`, () => {
    assert.equal(parseDuration(text), expectedMs);
  });
}

test('a duration is the sum of its parts', () => {
  const count = fc.integer({ min: 0, max: 99_999 });
  fc.assert(
    fc.property(count, count, count, count, (h, m, s, ms) => {
      assert.equal(
        parseDuration(`${h}h${m}m${s}s${ms}ms`),
        h * 3_600_000 + m * 60_000 + s * 1000 + ms,
      );
    }),
  );
});
