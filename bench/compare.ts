/**
 * `npm run bench:compare -- REF`: the working tree beside another commit, alternating, in the headline
 * scenario and without any duty. Fails where the tree is slower by more than the percentages given.
 *
 *   --max-cpu-percent N          CPU per request may grow by this much (5)
 *   --max-rate-percent N         requests a second may fall by this much (10)
 *   --scenario, --rounds, --seconds as of `npm run bench`
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bestTool } from './load/tool.ts';
import { measureRound, prepare, type Round } from './measure.ts';
import { summarise } from './result.ts';
import { HEADLINE, scenarios } from './scenarios.ts';
import { openStage } from './stage.ts';
import { postern, startPostern } from './subjects/postern.ts';
import type { Subject } from './subjects/subject.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'max-cpu-percent': { type: 'string', default: '5' },
    'max-rate-percent': { type: 'string', default: '10' },
    scenario: { type: 'string', multiple: true, default: [HEADLINE, 'plain'] },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
const [ref] = positionals;
if (ref === undefined) throw new Error('name a commit: npm run bench:compare -- main');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'postern-compare-'));
const root = fileURLToPath(new URL('..', import.meta.url));
const other = join(folder, 'tree');
const git = (...args: string[]): void =>
  void execFileSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
git('worktree', 'add', '--detach', other, ref);
let slower = 0;
try {
  buildOther();
  const stage = await openStage(null);
  const then: Subject = {
    ...postern,
    name: ref,
    start: (setting) => startPostern({ ...setting, root: other }),
  };
  const options = {
    tool: bestTool(),
    seconds: Number(values.seconds),
    connections: 64,
  } as const;
  try {
    for (const scenario of scenarios.filter(({ name }) => values.scenario.includes(name))) {
      const rounds = new Map<Subject, Round[]>([
        [then, []],
        [postern, []],
      ]);
      for (let round = 0; round < Number(values.rounds); round += 1) {
        for (const [subject, list] of rounds) {
          const running = await stage.startSubject(subject, {
            ...{ duty: scenario.duty, workers: 1, accessLog: true },
          });
          try {
            const request = await prepare(stage, running, scenario, options, false);
            list.push(await measureRound(stage, running, scenario, request, options));
          } finally {
            await running.stop();
          }
        }
      }
      compare(
        scenario.name,
        summarise(rounds.get(then) ?? []),
        summarise(rounds.get(postern) ?? []),
      );
    }
  } finally {
    await stage.close();
  }
} finally {
  git('worktree', 'remove', '--force', other);
  rmSync(folder, { recursive: true, force: true });
}
if (slower > 0) process.exitCode = 1;

/** Where both trees want the same packages, one installation serves both. */
function buildOther(): void {
  const isSame = !tryToDiffer();
  if (isSame) symlinkSync(join(root, 'node_modules'), join(other, 'node_modules'));
  else execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: other, stdio: 'ignore' });
  if (!existsSync(join(other, 'dist'))) {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: other, stdio: 'inherit' });
  }
}

function tryToDiffer(): boolean {
  try {
    execFileSync('git', ['diff', '--quiet', ref ?? '', '--', 'package-lock.json'], { cwd: root });
    return false;
  } catch {
    return true;
  }
}

function compare(name: string, before: Round, after: Round): void {
  const change = (from: number, to: number): number => (to / from - 1) * 100;
  const cpu = change(before.cpuMicroseconds, after.cpuMicroseconds);
  const rate = change(before.requestsPerSecond, after.requestsPerSecond);
  const wrong = after.unexpected + after.errors;
  const fails =
    cpu > Number(values['max-cpu-percent']) ||
    rate < -Number(values['max-rate-percent']) ||
    wrong > 0;
  if (fails) slower += 1;
  say(
    `${fails ? 'SLOWER' : 'ok'} ${name}: CPU ${before.cpuMicroseconds.toFixed(1)} -> ${after.cpuMicroseconds.toFixed(1)} µs (${cpu.toFixed(1)} %), ` +
      `${Math.round(before.requestsPerSecond)} -> ${Math.round(after.requestsPerSecond)} requests/s (${rate.toFixed(1)} %), ${wrong} wrong`,
  );
}
