/** The reference MCP server, `@modelcontextprotocol/server-everything`, on 127.0.0.1. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { openConnections } from './open-connections.ts';
import { endWithScope, type Scope } from './scope.ts';
import { until } from './until.ts';

const server = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-everything/dist/index.js',
);
const bindLoopback = fileURLToPath(
  new URL('../../config/quickstart/bind-loopback.mjs', import.meta.url),
);

export interface EverythingOptions {
  /** `sse`: HTTP+SSE of 2024-11-05 alone, at `/sse`. Default: Streamable HTTP, at `/mcp`. */
  readonly transport?: 'streamableHttp' | 'sse';
}

export interface EverythingServer {
  readonly port: number;
  /** Kills it; connections end without a word. */
  kill(): Promise<void>;
  /** Starts it anew on the same port, without a memory of what was. */
  start(): Promise<void>;
  /** TCP connections that clients have with it. */
  connections(): Promise<number>;
}

export async function startEverythingServer(
  scope: Scope,
  { transport = 'streamableHttp' }: EverythingOptions = {},
): Promise<EverythingServer> {
  const port = await freePort();
  let child: ChildProcess;

  async function start(): Promise<void> {
    child = spawn(process.execPath, ['--import', bindLoopback, server, transport], {
      env: { ...process.env, PORT: String(port), NODE_OPTIONS: '' },
      stdio: 'ignore',
    });
    endWithScope(scope, child);
    await until('server-everything to listen', () => isListening(port), 20_000);
  }

  await start();
  return {
    port,
    start,
    async kill() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
    connections: () => openConnections(port),
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
