import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { restartDelayMs } from '../../src/workers/backoff.ts';

test('a worker that dies again and again is started ever more slowly, up to ten seconds', () => {
  const delays: number[] = [];
  let delay = 0;
  for (let death = 0; death < 10; death += 1) delays.push((delay = restartDelayMs(delay, 5)));
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
});

test('one that lived for half a minute is started as at first', () => {
  assert.equal(restartDelayMs(10_000, 30_000), 100);
  assert.equal(restartDelayMs(10_000, 29_999), 10_000);
});

test('the delay is never nothing and never long', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60_000), { maxLength: 50 }), (lives) => {
      let delay = 0;
      for (const lived of lives) {
        delay = restartDelayMs(delay, lived);
        assert.ok(delay >= 100 && delay <= 10_000);
      }
    }),
  );
});
