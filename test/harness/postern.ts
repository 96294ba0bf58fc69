/** Starts the real binary, `node dist/cli.js`, and talks to it as a user would. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { endWithScope, type Scope } from './scope.ts';
import { until } from './until.ts';

/** The built command line. `npm test` builds it first. */
export const posternCli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface PosternOptions {
  /** YAML text, written to a file of its own that {@link Postern.write} can replace. */
  readonly resources?: string;
  /** Files or folders given with `-f` besides. */
  readonly paths?: readonly string[];
  /** Further options of `postern run`. */
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its arguments that ends by becoming the command line it is given, such as `setpriv`. */
  readonly through?: readonly string[];
  /**
   * What a shell does before it becomes the gate (`exec`), such as `ulimit -n 60`; and redirections of
   * the gate itself, such as `>/dev/full`.
   */
  readonly shell?: { readonly prologue?: string; readonly redirections?: string };
  /** Default true. False returns at once, for a gate that is not meant to become ready. */
  readonly waitUntilReady?: boolean;
}

export interface Postern {
  readonly pid: number;
  readonly adminPort: number;
  readonly metricsPort: number;
  /** The file that holds `resources`. */
  readonly resourceFile: string;
  /** Everything written to stdout: the access log. */
  accessLog(): string;
  /** Everything written to stderr: the process log. */
  processLog(): string;
  /** Waits for a line of the access log and returns it. */
  waitForAccessLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  waitForProcessLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** GET on the admin port. */
  admin(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** Replaces the resource file in one step, as an editor or a deployment tool does. */
  write(resources: string): void;
  /** Replaces the resource file and waits until the change is in force. */
  reload(resources: string): Promise<void>;
  /** SIGTERM; waits for the end and asserts that the exit code is 0. */
  stop(timeoutMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Nobody reads it any more: the gate's next write to it fails with EPIPE. */
  closeReader(stream: 'stdout' | 'stderr'): void;
  hasEnded(): boolean;
  /** Waits for the end and returns the exit code, or the signal that ended the process. */
  waitForExit(timeoutMs?: number): Promise<number | NodeJS.Signals>;
}

export async function startPostern(scope: Scope, options: PosternOptions): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const resourceFolder = join(folder, 'resources');
  mkdirSync(resourceFolder);
  const resourceFile = join(resourceFolder, 'resources.yaml');
  const write = (resources: string) => {
    const draft = join(folder, 'draft');
    writeFileSync(draft, resources);
    renameSync(draft, resourceFile);
  };
  if (options.resources !== undefined) write(options.resources);

  const adminPort = await freePort();
  const metricsPort = await freePort();
  const paths = [
    ...(options.resources === undefined ? [] : [resourceFolder]),
    ...(options.paths ?? []),
  ];
  const command = [...(options.through ?? []), ...shellCommand(options.shell)];
  const [program = process.execPath, ...first] = command;
  const child = spawn(
    program,
    [
      ...first,
      posternCli,
      'run',
      ...paths.flatMap((path) => ['-f', path]),
      '--listen-address=127.0.0.1',
      `--admin-address=127.0.0.1:${adminPort}`,
      `--metrics-address=127.0.0.1:${metricsPort}`,
      ...(options.options ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment(options.env) },
  );
  endWithScope(scope, child);
  const postern = observe(child, adminPort, metricsPort, resourceFile, write);
  if (options.waitUntilReady ?? true) await untilReady(postern);
  return postern;
}

/** The command that runs Node.js: itself, or a shell that makes way for it. */
function shellCommand(shell: PosternOptions['shell']): readonly [string, ...string[]] {
  if (shell === undefined) return [process.execPath];
  const { prologue = ':', redirections = '' } = shell;
  const script = `${prologue}; exec "$0" "$@" ${redirections}`;
  return ['/bin/sh', '-c', script, process.execPath];
}

/** Our own environment without what would configure the gate or be inherited from the test runner. */
function cleanEnvironment(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(POSTERN_|NODE_OPTIONS$|NODE_TEST_|NODE_V8_COVERAGE$)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...env };
}

function observe(
  child: ChildProcessByStdio<null, Readable, Readable>,
  adminPort: number,
  metricsPort: number,
  resourceFile: string,
  write: (resources: string) => void,
): Postern {
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => stdout.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  let exit: number | NodeJS.Signals | undefined;
  // `close`, not `exit`: both logs are complete then.
  child.once('close', (code, signal) => (exit = code ?? signal ?? -1));
  const { pid } = child;
  assert(pid !== undefined);

  /** Asks until there is an answer; a failure shows the ends of both logs. */
  const wait = <T>(
    what: string,
    ask: () => T | undefined | Promise<T | undefined>,
    timeoutMs: number,
  ) =>
    until(what, ask, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\nstdout:\n${tail(stdout)}\nstderr:\n${tail(stderr)}`);
    });
  const waitForLine = (log: string[], pattern: RegExp, timeoutMs: number) =>
    wait(
      `a line like ${String(pattern)}`,
      () =>
        log
          .join('')
          .split('\n')
          .find((line) => pattern.test(line)),
      timeoutMs,
    );
  const waitForExit = (timeoutMs = 20_000) => wait('the gate to end', () => exit, timeoutMs);
  const get = async (port: number, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close' },
    });
    return { status: answer.status, text: await answer.text() };
  };
  const generation = async () => {
    const { text } = await get(adminPort, '/config');
    return (JSON.parse(text) as { generation: number }).generation;
  };

  return {
    pid,
    adminPort,
    metricsPort,
    resourceFile,
    hasEnded: () => exit !== undefined,
    waitForExit,
    accessLog: () => stdout.join(''),
    processLog: () => stderr.join(''),
    waitForAccessLine: (pattern, timeoutMs = 5000) => waitForLine(stdout, pattern, timeoutMs),
    waitForProcessLine: (pattern, timeoutMs = 5000) => waitForLine(stderr, pattern, timeoutMs),
    admin: (path) => get(adminPort, path),
    metrics: async () => (await get(metricsPort, '/metrics')).text,
    write,
    async reload(resources) {
      const before = await generation();
      write(resources);
      await wait('the reload', async () => (await generation()) > before || undefined, 10_000);
    },
    async stop(timeoutMs = 15_000) {
      child.kill('SIGTERM');
      assert.equal(await waitForExit(timeoutMs), 0, `stderr:\n${tail(stderr)}`);
    },
    kill: (signal) => void child.kill(signal),
    closeReader: (stream) => void child[stream].destroy(),
  };
}

/** The end of a log, for error messages. */
function tail(log: readonly string[]): string {
  return log.join('').slice(-2000);
}

async function untilReady(postern: Postern): Promise<void> {
  let why = '';
  await until(
    'the gate to be ready',
    async () => {
      if (postern.hasEnded()) throw new Error('the gate ended');
      try {
        const answer = await postern.admin('/healthz/ready');
        why = answer.text;
        return answer.status === 200;
      } catch {
        return false;
      }
    },
    20_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)} ${why}\nstderr:\n${postern.processLog()}`);
  });
}
