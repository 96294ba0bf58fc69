/** Measures one small piece of code: nanoseconds of CPU for each call, the best of several rounds. */

const ROUNDS = 7;
const ROUND_MS = 100;

export interface Case {
  readonly name: string;
  /** Returns something, so that the compiler can't leave the work out. */
  readonly run: () => unknown;
}

/** Runs the cases in turn, so that a busy machine is busy for all of them, and prints a line for each. */
export function measure(cases: readonly Case[]): void {
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, run } of cases) {
      const nanoseconds = oneRound(run);
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, nanoseconds));
    }
  }
  const width = Math.max(...cases.map(({ name }) => name.length));
  for (const [name, nanoseconds] of best) {
    process.stdout.write(`${name.padEnd(width)}  ${nanoseconds.toFixed(0).padStart(8)} ns\n`);
  }
}

let sink: unknown = null;

function oneRound(run: () => unknown): number {
  const before = process.cpuUsage();
  let calls = 0;
  let microseconds = 0;
  while (microseconds < ROUND_MS * 1000) {
    for (let count = 0; count < 500; count += 1) sink = run();
    calls += 500;
    const { user, system } = process.cpuUsage(before);
    microseconds = user + system;
  }
  if (sink === measure) throw new Error('never');
  return (microseconds * 1000) / calls;
}
