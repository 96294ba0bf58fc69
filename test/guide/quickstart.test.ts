/** `npm start`, and the very commands that it prints. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { initialize, sendMcp } from '../harness/http-client.ts';
import { endWithScope, type Scope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const token = (name: string) => readFileSync(`${root}config/quickstart/${name}.jwt`, 'utf8').trim();

/** The ports that the demo has to have: what users type in does not change. */
const PORTS = [3001, 8080, 15000, 15020];

async function takenPorts(): Promise<readonly number[]> {
  const taken: number[] = [];
  for (const port of PORTS) {
    const server = createServer();
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (!free) taken.push(port);
  }
  return taken;
}

const taken = await takenPorts();
const options = { skip: taken.length > 0 && `ports in use: ${taken.join(', ')}` };

function startDemo(scope: Scope, ...more: readonly string[]) {
  const child = spawn(process.execPath, ['config/quickstart/start.mjs', ...more], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  // Before it is killed outright, let it end what it started.
  scope.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  endWithScope(scope, child);
  const output = { text: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.text += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.text += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, exited, output: () => output.text };
}

/** Runs a command line as a user pastes it. */
const paste = async (command: string): Promise<string> =>
  (await promisify(execFile)('sh', ['-c', command], { cwd: root, timeout: 20_000 })).stdout;

test('the demo starts, does what it says, and Ctrl-C stops all of it', options, async (t) => {
  const demo = startDemo(t);
  await until('the welcome', () => demo.output().includes('Ctrl-C stops everything'), 40_000);

  for (const [name, status, body] of [
    ['alice', 200, /serverInfo/],
    ['bob', 403, /^authorization failed$/],
    [null, 403, /^authentication failure: no bearer token found$/],
  ] as const) {
    const answer = await sendMcp(8080, initialize, name === null ? {} : { token: token(name) });
    assert.equal(answer.status, status);
    assert.match(answer.text, body);
  }
  await until('the access log', () =>
    /http\.status=403 .*authorization failed/.test(demo.output()),
  );

  const curls = demo
    .output()
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl '));
  assert.equal(curls.length, 3);
  const statuses = [];
  for (const command of curls) {
    const answer = await paste(`${command} -s`).catch((error: unknown) => {
      if ((error as { code?: number }).code === 127) return 'HTTP/1.1 no curl';
      throw error;
    });
    statuses.push(/^HTTP\/1\.1 (.*?)\s/.exec(answer)?.[1]);
  }
  if (statuses[0] === 'no') t.diagnostic('this system has no curl: its commands were not tried');
  else assert.deepEqual(statuses, ['403', '200', '403']);

  demo.child.kill('SIGINT');
  assert.equal(await demo.exited, 0);
  assert.deepEqual(await takenPorts(), []);
});

test('the demo says which port is in its way', options, async (t) => {
  const other = createServer().listen(3001, '127.0.0.1');
  t.after(() => void other.close());
  await once(other, 'listening');
  const demo = startDemo(t);
  assert.equal(await demo.exited, 1);
  assert.match(demo.output(), /Port 3001 is taken/);
});

test('the demo stops as a whole when its gate can not start', options, async (t) => {
  const demo = startDemo(t, '-f', '/does/not/exist.yaml');
  assert.equal(await demo.exited, 1);
  assert.match(demo.output(), /\/does\/not\/exist\.yaml/);
  assert.deepEqual(await takenPorts(), []);
});
