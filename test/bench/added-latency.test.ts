import assert from 'node:assert/strict';
import { createHistogram } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import type { OpenLoopResult } from '../../bench/load/open-loop.ts';
import { addedLatency } from '../../bench/studies/added-latency.ts';

/** A turn of three windows of a hundred calls, most of which took `ms`, and two of each window `slowMs` of its own. */
function turn(ms: number, slowMs: number, wrong = 0, slowMsOfWindows = [slowMs, slowMs, slowMs]) {
  const times = createHistogram();
  const windows = slowMsOfWindows.map((slowest) => {
    const window = createHistogram();
    for (let call = 0; call < 100; call += 1) window.record((call < 98 ? ms : slowest) * 1e6);
    times.add(window);
    return window;
  });
  const result: OpenLoopResult = {
    ...{ sent: 300, answered: 300, unexpected: wrong, errors: wrong, times, windows },
    ...{ p50Ms: ms, p99Ms: slowMs, p999Ms: slowMs, maxMs: slowMs },
  };
  return result;
}

const near = (value: number | undefined, expected: number) =>
  assert.ok(value !== undefined && Math.abs(value - expected) < 0.02, `${value}, not ${expected}`);

describe('the latency that is added', () => {
  // The machine is slow in the second turn, for both, and something strikes the gate in the third.
  const found: Record<string, number> = addedLatency('postern', [
    { direct: turn(1, 2), gated: turn(1.25, 2.5) },
    { direct: turn(5, 9), gated: turn(5.5, 9.5) },
    { direct: turn(1, 2, 1), gated: turn(1.25, 42, 2, [42, 42, 2.5]) },
  ]);

  test('is taken within turns, so that what strikes both sides or one turn hardly moves it', () => {
    near(found['postern: added p50 ms, median of the turns'], 0.25);
    near(found['postern: added p99 ms, median of the turns'], 0.5);
    assert.equal(found['postern: windows of 9 with less than 1 ms added p99'], 7);
  });
  test('is taken of windows, most of which see nothing of what strikes a turn for a moment', () => {
    const struck = [{ direct: turn(1, 2), gated: turn(1.25, 42, 0, [2.5, 42, 2.5]) }];
    const added: Record<string, number> = addedLatency('postern', struck);
    near(added['postern: added p99 ms, windows of 250 ms'], 0.5);
    near(added['postern: added p50 ms, windows of 250 ms'], 0.25);
    near(added['postern: added p99 ms, median of the turns'], 40);
  });
  test('is also the difference over all requests, which every disturbance moves', () => {
    near(found['postern: direct p50 ms'], 1);
    near(found['postern: direct p99 ms'], 5);
    near(found['postern: p50 ms'], 1.25);
    near(found['postern: p99.9 ms'], 42);
    near(found['postern: added p50 ms, all turns together'], 0.25);
    // Of 900 calls nine may take longer: that is 5 ms directly, and 9.5 ms through the gate.
    near(found['postern: added p99 ms, all turns together'], 4.5);
  });
  test('is told with the number of wrong answers', () => {
    assert.equal(found['postern: wrong answers'], 6);
  });
});
