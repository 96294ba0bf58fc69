/** Load tools as programs of their own, on the cores that are theirs. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuNanoseconds as cpuOf } from '../process.ts';
import type { LoadOptions } from './request.ts';

/** Whether a program can be started. It is asked for its version. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Lends a folder, which is gone afterwards. */
export async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-load-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a program to its end.
 *
 * @param watch called ten times a second with what was printed so far; what it returns, unless null, is why the
 *   program must not go on
 * @returns what it printed, and the CPU it used
 * @throws Error when it can't be started, ends otherwise than with 0, or `watch` gave a reason
 */
export async function runProgram(
  { cores, niceness = 0 }: Pick<LoadOptions, 'cores' | 'niceness'>,
  command: string,
  args: readonly string[],
  watch: (pid: number, text: string) => string | null = () => null,
): Promise<{ readonly text: string; readonly cpuNanoseconds: number }> {
  const [file = '', ...list] = [
    ...(niceness === 0 ? [] : ['nice', '-n', String(niceness)]),
    ...(cores === null ? [] : ['taskset', '-c', cores]),
    ...[command, ...args],
  ];
  const child = spawn(file, list, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  let cpuNanoseconds = 0;
  let reason: string | null = null;
  const stopped = (): string | null => reason;
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString('utf8')));
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString('utf8')));
  const poll = setInterval(() => {
    const { pid } = child;
    if (pid === undefined || stopped() !== null) return;
    cpuNanoseconds = Math.max(cpuNanoseconds, cpuOf([pid]));
    reason = watch(pid, text);
    if (reason !== null) child.kill('SIGKILL');
  }, 100);
  let ending: string;
  try {
    ending = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(String(code ?? signal)));
    });
  } finally {
    clearInterval(poll);
  }
  const why = stopped();
  if (why !== null) throw new Error(`${command} was stopped: ${why}`);
  if (ending !== '0') throw new Error(`${command} ended with ${ending}: ${errors.slice(0, 2000)}`);
  return { text, cpuNanoseconds };
}
