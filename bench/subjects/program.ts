import { spawnSync } from 'node:child_process';
import { start, untilListening, type StartOptions } from '../process.ts';
import type { RunningSubject } from './subject.ts';

/**
 * The first version-like word that a program prints, or `null` where it is not installed.
 *
 * @param args what makes it print its version
 */
export function versionOf(command: string, args: readonly string[]): string | null {
  const { stdout, stderr, error } = spawnSync(command, [...args], { encoding: 'utf8' });
  if (error !== undefined) return null;
  return /\d+\.\d+[\w.+~-]*/.exec(`${stdout} ${stderr}`)?.[0] ?? null;
}

/** Starts a program and waits until it listens. */
export async function startProgram(port: number, options: StartOptions): Promise<RunningSubject> {
  const started = start(options);
  try {
    await untilListening(port, started);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { port, pid: started.pid, stop: () => started.stop() };
}
