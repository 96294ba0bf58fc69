import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { endWithScope, type Scope } from './scope.ts';
import { until } from './until.ts';

/** Why tests that need Redis can't run here, or `false`; for the `skip` option of a test. */
export const withoutRedis: string | false =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed (apt-get install redis-server)';

export interface RedisServer {
  readonly port: number;
  /** With its password. */
  readonly url: string;
  kill(signal: NodeJS.Signals): void;
}

export const redisPassword = 'a-secret-of-redis';

/** Starts the system's redis-server, with a password and without files, on a free port of 127.0.0.1. */
export async function startRedis(scope: Scope): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-redis-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'no', '--requirepass', redisPassword],
    ],
    { stdio: 'ignore' },
  );
  endWithScope(scope, child);
  await until('Redis to listen', () => canConnect(port), 10_000);
  return {
    port,
    url: `redis://:${redisPassword}@127.0.0.1:${port}/0`,
    kill: (signal) => void child.kill(signal),
  };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
