import type { Machine } from './machine.ts';
import type { Latency, Round } from './measure.ts';
import type { Duty } from './subjects/subject.ts';

export interface SubjectResult {
  readonly subject: string;
  readonly version: string;
  /** What it really did; less than the scenario asks where it can't do more. */
  readonly duty: Duty;
  readonly cachesTokens: string;
  readonly median: Round;
  readonly rounds: readonly Round[];
  readonly latency: Latency | null;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly results: readonly SubjectResult[];
}

export interface StudyResult {
  readonly name: string;
  readonly title: string;
  readonly found: Readonly<Record<string, number>>;
}

/** A whole run, as it is kept in `bench/results`. */
export interface Report {
  readonly machine: Machine;
  readonly absent: readonly string[];
  readonly scenarios: ScenarioResult[];
  readonly studies: StudyResult[];
}

/** The median of each number over the rounds; mistakes are summed up. */
export function summarise(rounds: readonly Round[]): Round {
  const of = (read: (round: Round) => number): number => median(rounds.map(read));
  const sum = (read: (round: Round) => number): number =>
    rounds.reduce((total, round) => total + read(round), 0);
  return {
    tool: rounds[0]?.tool ?? 'autocannon',
    requestsPerSecond: of((round) => round.requestsPerSecond),
    cpuMicroseconds: of((round) => round.cpuMicroseconds),
    unexpected: sum((round) => round.unexpected),
    errors: sum((round) => round.errors),
    residentMib: of((round) => round.residentMib),
    busy: {
      proxy: of((round) => round.busy.proxy),
      load: of((round) => round.busy.load),
      upstream: of((round) => round.busy.upstream),
    },
  };
}

/** The middle value, or the mean of the two in the middle; 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** Which side could do no more: the proxy, or the core that load and upstream share. */
export function limitOf({ busy }: Round): 'proxy' | 'load' | 'upstream' | 'none' {
  if (busy.proxy >= 0.93) return 'proxy';
  if (busy.load + busy.upstream < 0.93) return 'none';
  return busy.load >= busy.upstream ? 'load' : 'upstream';
}
