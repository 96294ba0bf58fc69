/** Processes under measurement: started on a core of their own, looked at through /proc, stopped by handle. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** CPUs to run on, as taskset takes them; `null`: wherever the system likes. */
  readonly cores: string | null;
  readonly env?: Readonly<Record<string, string>>;
  /** Where standard output goes; default nowhere. */
  readonly stdoutFile?: string;
}

export interface Started {
  readonly pid: number;
  /** What the process wrote to standard error so far, at most 64 KiB. */
  errorText(): string;
  hasEnded(): boolean;
  stop(): Promise<void>;
}

/** Starts a process; it ends with `stop`, or with this one. */
export function start(options: StartOptions): Started {
  const { command, args, cores, env, stdoutFile } = options;
  const [file, list] =
    cores === null ? [command, args] : ['taskset', ['-c', cores, command, ...args]];
  const stdout = stdoutFile === undefined ? 'ignore' : openSync(stdoutFile, 'a');
  const child = spawn(file, [...list], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, ...env },
  });
  if (typeof stdout === 'number') closeSync(stdout);
  let text = '';
  child.stderr?.on('data', (piece: Buffer) => {
    if (text.length < 65_536) text += piece.toString('utf8');
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      text += error.message;
      resolve();
    });
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    pid: child.pid ?? 0,
    errorText: () => text,
    hasEnded: () => hasEnded(child),
    async stop() {
      process.off('exit', kill);
      if (!hasEnded(child)) child.kill('SIGTERM');
      const timer = setTimeout(kill, 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/**
 * Waits until something listens.
 *
 * @throws Error with what the process said, when it ends first or nothing listens in time
 */
export async function untilListening(port: number, owner: Started, timeoutMs = 15_000) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await canConnect(port)) return;
    if (owner.hasEnded() || performance.now() > end) {
      throw new Error(`nothing listens on ${port}: ${owner.errorText().slice(0, 2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A process and all that it started, as /proc knows them now. */
export function processTree(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(Number(entry));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [pid];
  for (const one of tree) tree.push(...(children.get(one) ?? []));
  return tree;
}

function parentOf(pid: number): number | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** CPU time that all threads of these processes have had, in nanoseconds (proc(5), schedstat). */
export function cpuNanoseconds(pids: readonly number[]): number {
  return schedstatOf(pids, 0);
}

/** How long all threads of these processes could have run but had to wait for a core, in nanoseconds. */
export function waitNanoseconds(pids: readonly number[]): number {
  return schedstatOf(pids, 1);
}

function schedstatOf(pids: readonly number[], field: 0 | 1): number {
  let total = 0;
  for (const pid of pids) {
    for (const task of tasksOf(pid)) {
      const text = readOrNull(`/proc/${pid}/task/${task}/schedstat`);
      if (text !== null) total += Number(text.split(' ')[field]);
    }
  }
  return total;
}

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Sockets that a process has open, but for its standard streams; `null` where nobody can look. */
export function openSockets(pid: number): number | null {
  try {
    const files = readdirSync(`/proc/${pid}/fd`).filter((file) => Number(file) > 2);
    return files.filter((file) => linkOf(`/proc/${pid}/fd/${file}`).startsWith('socket:')).length;
  } catch {
    return null;
  }
}

/** What a link of /proc says; empty where it has just gone. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

/** Resident memory of these processes together, in octets. */
export function residentBytes(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readOrNull(`/proc/${pid}/status`) ?? '') ?? [];
    total += Number(kib ?? 0) * 1024;
  }
  return total;
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
