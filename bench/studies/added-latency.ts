import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { WINDOW_MS, type OpenLoopResult } from '../load/open-loop.ts';
import { median } from '../result.ts';

/** The same rate, at about the same time, to the upstream itself and through a gate. */
export interface LatencyTurn {
  readonly direct: OpenLoopResult;
  readonly gated: OpenLoopResult;
}

/** What the gate is to stay under, at the 99th percentile. */
const GOAL_MS = 1;

/**
 * What a gate adds to the latency.
 *
 * @param name of the gate
 * @param turns at least one
 * @returns percentiles of each side over all requests of all turns; what was added three times: as the median of the
 * differences within a turn of what is typical of each side in it, the median of its windows, which says what the gate
 * itself does on a machine that does something else now and then; as the median of the turns' own differences; and as
 * the difference of the percentiles over all, which every disturbance moves. A difference of percentiles is no
 * percentile of differences: nobody knows what a call through the gate would have taken without it.
 */
export function addedLatency(name: string, turns: readonly LatencyTurn[]): Record<string, number> {
  const direct = pooled(turns.map((turn) => turn.direct));
  const gated = pooled(turns.map((turn) => turn.gated));
  const added = (read: (result: OpenLoopResult) => number): number =>
    median(turns.map((turn) => read(turn.gated) - read(turn.direct)));
  const windowsAdded = turns.flatMap((turn) => {
    const directMs = typicalMs(turn.direct, 99);
    return turn.gated.windows.map((window) => msAt(window, 99) - directMs);
  });
  const wrong = turns.flatMap((turn) => [turn.direct, turn.gated]);
  return {
    [`${name}: direct p50 ms`]: msAt(direct, 50),
    [`${name}: direct p99 ms`]: msAt(direct, 99),
    [`${name}: direct p99.9 ms`]: msAt(direct, 99.9),
    [`${name}: p50 ms`]: msAt(gated, 50),
    [`${name}: p99 ms`]: msAt(gated, 99),
    [`${name}: p99.9 ms`]: msAt(gated, 99.9),
    [`${name}: added p50 ms, windows of ${WINDOW_MS} ms`]: added((side) => typicalMs(side, 50)),
    [`${name}: added p99 ms, windows of ${WINDOW_MS} ms`]: added((side) => typicalMs(side, 99)),
    [`${name}: added p50 ms, median of the turns`]: added(({ p50Ms }) => p50Ms),
    [`${name}: added p99 ms, median of the turns`]: added(({ p99Ms }) => p99Ms),
    [`${name}: added p50 ms, all turns together`]: msAt(gated, 50) - msAt(direct, 50),
    [`${name}: added p99 ms, all turns together`]: msAt(gated, 99) - msAt(direct, 99),
    [`${name}: windows of ${windowsAdded.length} with less than ${GOAL_MS} ms added p99`]:
      windowsAdded.filter((ms) => ms < GOAL_MS).length,
    [`${name}: wrong answers`]: wrong.reduce(
      (sum, { errors, unexpected }) => sum + errors + unexpected,
      0,
    ),
  };
}

function typicalMs({ windows }: OpenLoopResult, percent: number): number {
  return median(windows.map((window) => msAt(window, percent)));
}

function pooled(results: readonly OpenLoopResult[]): RecordableHistogram {
  const all = createHistogram();
  for (const { times } of results) all.add(times);
  return all;
}

function msAt(histogram: RecordableHistogram, percent: number): number {
  return histogram.percentile(percent) / 1e6;
}
