/** The reference MCP server, `@modelcontextprotocol/server-everything`, on 127.0.0.1. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { endWithScope, type Scope } from './scope.ts';
import { until } from './until.ts';

const server = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);
const bindLoopback = fileURLToPath(
  new URL('../../config/quickstart/bind-loopback.mjs', import.meta.url),
);

export async function startEverythingServer(scope: Scope): Promise<{ readonly port: number }> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--import', bindLoopback, server, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port), NODE_OPTIONS: '' },
    stdio: 'ignore',
  });
  endWithScope(scope, child);
  await until(
    'server-everything to listen',
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', () => resolve(false));
      }),
    20_000,
  );
  return { port };
}
