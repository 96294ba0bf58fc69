import { runOpenLoop, type OpenLoopResult } from '../load/open-loop.ts';
import { bestTool } from '../load/tool.ts';
import { halfLoad, measureRound, prepare, type MeasureOptions } from '../measure.ts';
import { processTree, waitNanoseconds } from '../process.ts';
import { summarise } from '../result.ts';
import { HEADLINE, scenarios } from '../scenarios.ts';
import { direct } from '../subjects/direct.ts';
import { postern } from '../subjects/postern.ts';
import { addedLatency, type LatencyTurn } from './added-latency.ts';
import type { Study } from './study.ts';

/** Even: each side goes first as often as the other. */
const TURNS = 12;
const SECONDS = 2;
const CAPACITY_ROUNDS = 3;
/** For the compiler, which has one core with the gate: for some ten seconds calls are slower by tens of milliseconds. */
const WARM_UP_TURNS = 6;

/**
 * What the gate adds to the time of a call at half of what it can do. The same rate goes to the upstream itself and
 * through the gate, in turn, so that what else the machine has to do strikes both.
 */
export const latency: Study = {
  name: 'latency',
  title: `latency that the headline adds at half load, in ${TURNS} turns of ${SECONDS} seconds each`,
  async run(stage) {
    const headline = scenarios.find(({ name }) => name === HEADLINE);
    if (headline === undefined) throw new Error('no headline');
    const options: MeasureOptions = { tool: bestTool(), seconds: 1, connections: 64 };
    const setting = { workers: 1, accessLog: true };
    const upstream = await stage.startSubject(direct, { ...setting, duty: 'plain' });
    const gate = await stage.startSubject(postern, { ...setting, duty: headline.duty });
    try {
      await prepare(stage, upstream, headline, options, true);
      const request = await prepare(stage, gate, headline, options, false);
      const rounds = [];
      for (let round = 0; round < CAPACITY_ROUNDS; round += 1) {
        rounds.push(await measureRound(stage, gate, headline, request, options));
      }
      const full = summarise(rounds);
      const requestsPerSecond = halfLoad(full);
      const { expectedStatus } = headline;
      const send = (port: number): Promise<OpenLoopResult> =>
        runOpenLoop({
          ...{ port, request, connections: options.connections, requestsPerSecond },
          ...{ seconds: SECONDS, expectedStatus },
        });
      const turns: LatencyTurn[] = [];
      const pids = processTree(gate.pid);
      let waitedNanoseconds = 0;
      for (let turn = -WARM_UP_TURNS; turn < TURNS; turn += 1) {
        const early = turn % 2 === 0 ? await send(upstream.port) : null;
        const waitedBefore = waitNanoseconds(pids);
        const gated = await send(gate.port);
        if (turn >= 0) waitedNanoseconds += waitNanoseconds(pids) - waitedBefore;
        const taken = { direct: early ?? (await send(upstream.port)), gated };
        if (turn >= 0) turns.push(taken);
      }
      const found = addedLatency(turns);
      return {
        'requests/s at full load': full.requestsPerSecond,
        'requests/s sent': requestsPerSecond,
        ...found,
        // Nobody else should be on it: where this is much, the rest says little of the gate.
        'postern: ms a second that it waited for its core':
          waitedNanoseconds / 1e6 / (TURNS * SECONDS),
        'wrong answers': found['wrong answers'] + full.unexpected + full.errors,
      };
    } finally {
      await gate.stop();
    }
  },
};
