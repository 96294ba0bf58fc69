import { measureRound, prepare, type Round } from '../measure.ts';
import { median } from '../result.ts';
import { HEADLINE, scenarios, type Scenario } from '../scenarios.ts';
import { bestTool } from '../load/tool.ts';
import type { Stage } from '../stage.ts';
import { envoy } from '../subjects/envoy.ts';
import { haproxy } from '../subjects/haproxy.ts';
import { nginx } from '../subjects/nginx.ts';
import { postern } from '../subjects/postern.ts';
import type { Duty, Subject } from '../subjects/subject.ts';
import type { Study } from './study.ts';

const ROUNDS = 15;

/** Beside whom the headline is measured, and what they do of it. */
const others: readonly (readonly [string, Subject, Duty])[] = [
  ['our own passthrough', postern, 'plain'],
  ['haproxy, JWT and claim rule', haproxy, 'claim'],
  ['envoy, JWT and claim rule', envoy, 'claim'],
  ['nginx, no token', nginx, 'plain'],
];

/**
 * The headline beside others. All are asked for a second each, again and again, and compared within each turn: what
 * else the machine has to do changes more slowly than that.
 */
export const ratios: Study = {
  name: 'ratios',
  title: `the headline beside others, in ${ROUNDS} turns of a second each: medians of the ratios within a turn`,
  async run(stage) {
    const headline = scenarios.find(({ name }) => name === HEADLINE);
    const plain = scenarios.find(({ name }) => name === 'plain');
    if (headline === undefined || plain === undefined) throw new Error('no headline');
    const present = others.filter(([, subject]) => subject.version() !== null);
    const contestants: Contestant[] = [];
    try {
      contestants.push(await enter(stage, 'headline', postern, headline, 'tool'));
      for (const [name, subject, duty] of present) {
        const scenario = duty === 'plain' ? plain : headline;
        contestants.push(await enter(stage, name, subject, scenario, duty));
      }
      for (let turn = 0; turn < ROUNDS; turn += 1) {
        for (const { measure, rounds } of contestants) rounds.push(await measure());
      }
      return compare(contestants);
    } finally {
      for (const { stop } of contestants) await stop();
    }
  },
};

interface Contestant {
  readonly name: string;
  readonly rounds: Round[];
  readonly measure: () => Promise<Round>;
  readonly stop: () => Promise<void>;
}

async function enter(
  stage: Stage,
  name: string,
  subject: Subject,
  scenario: Scenario,
  duty: Duty,
): Promise<Contestant> {
  const options = { tool: bestTool(), seconds: 1, connections: 64 };
  const running = await stage.startSubject(subject, { duty, workers: 1, accessLog: true });
  try {
    const request = await prepare(stage, running, { ...scenario, duty }, options, false);
    return {
      name,
      rounds: [],
      measure: () => measureRound(stage, running, scenario, request, options),
      stop: () => running.stop(),
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

function compare([headline, ...rest]: readonly Contestant[]): Record<string, number> {
  const found: Record<string, number> = {};
  const ours = headline?.rounds ?? [];
  found['headline: CPU µs/request'] = median(ours.map((round) => round.cpuMicroseconds));
  for (const { name, rounds } of rest) {
    const ratio = (read: (round: Round) => number): number =>
      median(ours.map((round, turn) => read(round) / read(rounds[turn] ?? round)));
    found[`CPU/request, of ${name}`] = ratio((round) => round.cpuMicroseconds);
    found[`requests/s, of ${name}`] = ratio((round) => round.requestsPerSecond);
  }
  found['wrong answers'] = [ours, ...rest.map(({ rounds }) => rounds)]
    .flat()
    .reduce((sum, { unexpected, errors }) => sum + unexpected + errors, 0);
  return found;
}
