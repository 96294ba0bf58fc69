import { runOpenLoop, SETTLING_SECONDS, type OpenLoopResult } from '../load/open-loop.ts';
import { bestTool } from '../load/tool.ts';
import { halfLoad, measureRound, prepare, type MeasureOptions } from '../measure.ts';
import { processTree, waitNanoseconds } from '../process.ts';
import { summarise } from '../result.ts';
import { HEADLINE, scenarios, type Scenario } from '../scenarios.ts';
import type { Stage } from '../stage.ts';
import { direct } from '../subjects/direct.ts';
import { haproxy } from '../subjects/haproxy.ts';
import { postern } from '../subjects/postern.ts';
import type { Duty, Subject } from '../subjects/subject.ts';
import { addedLatency, type LatencyTurn } from './added-latency.ts';
import type { Study } from './study.ts';

/** Even: each side goes first as often as the other. */
const TURNS = 10;
const SECONDS = 3;
const CAPACITY_ROUNDS = 3;
/** For the compiler, which has one core with the gate: for some ten seconds calls are slower by tens of milliseconds. */
const WARM_UP_TURNS = 4;

/**
 * What a gate adds to the time of a call at half of what it can do, once connections are made. The same rate goes to
 * the upstream itself and through the gate, in turn, so that what else the machine has to do strikes both. HAProxy is
 * measured too, after Postern: what it adds says what a gate can reach on this machine, with this generator.
 */
export const latency: Study = {
  name: 'latency',
  title: `latency that a gate adds at half of its load, in ${TURNS} turns of ${SECONDS} seconds each`,
  async run(stage) {
    const ours = await measureGate(stage, postern, 'tool');
    return haproxy.version() === null
      ? ours
      : { ...ours, ...(await measureGate(stage, haproxy, 'claim')) };
  },
};

async function measureGate(
  stage: Stage,
  subject: Subject,
  duty: Duty,
): Promise<Record<string, number>> {
  const { name } = subject;
  const options: MeasureOptions = { tool: bestTool(), seconds: 1, connections: 64 };
  const setting = { workers: 1, accessLog: true };
  const upstream = await stage.startSubject(direct, { ...setting, duty: 'plain' });
  const gate = await stage.startSubject(subject, { ...setting, duty });
  try {
    const scenario = { ...headline(), duty };
    await prepare(stage, upstream, scenario, options, true);
    const request = await prepare(stage, gate, scenario, options, false);
    const rounds = [];
    for (let round = 0; round < CAPACITY_ROUNDS; round += 1) {
      rounds.push(await measureRound(stage, gate, scenario, request, options));
    }
    const full = summarise(rounds);
    const requestsPerSecond = halfLoad(full);
    const { expectedStatus } = scenario;
    const send = (port: number): Promise<OpenLoopResult> =>
      runOpenLoop({
        ...{ port, request, connections: options.connections, requestsPerSecond },
        ...{
          seconds: SECONDS + SETTLING_SECONDS,
          settlingSeconds: SETTLING_SECONDS,
          expectedStatus,
        },
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
    return {
      [`${name}: requests/s at full load`]: full.requestsPerSecond,
      [`${name}: requests/s sent`]: requestsPerSecond,
      ...addedLatency(name, turns),
      // Nobody else should be on it: where this is much, the rest says little of the gate.
      [`${name}: ms a second that it waited for its core`]:
        waitedNanoseconds / 1e6 / (TURNS * (SECONDS + SETTLING_SECONDS)),
      [`${name}: wrong answers at full load`]: full.unexpected + full.errors,
    };
  } finally {
    await gate.stop();
  }
}

function headline(): Scenario {
  const found = scenarios.find(({ name }) => name === HEADLINE);
  if (found === undefined) throw new Error('no headline');
  return found;
}
