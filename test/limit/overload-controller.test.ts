import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOverloadController } from '../../src/limit/overload-controller.ts';

/** Feeds the same delay for some time, as a timer of 50 ms would; returns the levels seen. */
function feed(
  controller: ReturnType<typeof createOverloadController>,
  delayMs: number,
  forMs: number,
): readonly number[] {
  const levels: number[] = [];
  for (let passedMs = 0; passedMs < forMs; passedMs += 50 + delayMs) {
    levels.push(controller.sample(delayMs, 50 + delayMs));
  }
  return levels;
}

describe('the overload controller, with a threshold of 200 ms', () => {
  const rows: readonly [what: string, delayMs: number, level: number][] = [
    ['no delay', 0, 0],
    ['a delay under the threshold', 150, 0],
    ['a delay over it', 250, 1],
    ['twice the threshold', 450, 2],
    ['four times the threshold', 900, 3],
    ['a minute', 60_000, 3],
  ];
  for (const [what, delayMs, level] of rows) {
    test(`${what}, for ten seconds: level ${level}`, () => {
      assert.equal(feed(createOverloadController(200), delayMs, 10_000).at(-1), level);
    });
  }

  test('one short pause refuses nobody', () => {
    const controller = createOverloadController(200);
    assert.equal(controller.sample(250, 300), 0);
  });

  test('one long stop refuses all, and within three seconds nobody again', () => {
    const controller = createOverloadController(200);
    assert.equal(controller.sample(60_000, 60_050), 3);
    const levels = feed(controller, 0, 2900);
    assert.deepEqual([...new Set(levels)], [3, 2, 1, 0], 'one level after another');
    assert.equal(levels.at(-1), 0);
  });

  test('does not go to and fro at the threshold', () => {
    const controller = createOverloadController(200);
    feed(controller, 250, 5000);
    const changes = new Set<number>();
    for (let count = 0; count < 100; count += 1) {
      for (const delayMs of [190, 150]) changes.add(controller.sample(delayMs, 50 + delayMs));
    }
    assert.deepEqual([...changes], [1]);
  });

  test('a clock that goes back counts as no delay', () => {
    const controller = createOverloadController(200);
    assert.equal(controller.sample(-5000, -4950), 0);
  });
});
