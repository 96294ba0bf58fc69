/** The name of a target gets another address while the gate runs: it is followed, without a restart or a reload. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  beginEvents,
  event,
  json,
  ok,
  startFakeUpstream,
  type FakeUpstream,
} from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, ping, sendMcp } from '../harness/http-client.ts';
import { backendTls, caConfigMap, mcpBackend, type Resource } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { sleep, until } from '../harness/until.ts';
import { createAuthority, type CertificatePair } from '../peers/certificates.ts';

const NAME = 'moving.test';
const [OLD, NEW, NOBODY] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

/** What {@link NAME} means, as the gate's resolver is told. */
interface Names {
  readonly env: Readonly<Record<string, string>>;
  resolveTo(...addresses: readonly string[]): void;
}

function startNames(scope: Scope): Names {
  const folder = mkdtempSync(join(tmpdir(), 'postern-names-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'names.json');
  const preload = new URL('../harness/resolve-names.mjs', import.meta.url).href;
  return {
    env: { TEST_NAMES: file, NODE_OPTIONS: `--import=${preload}` },
    resolveTo(...addresses) {
      writeFileSync(`${file}.draft`, JSON.stringify({ [NAME]: addresses }));
      renameSync(`${file}.draft`, file);
    },
  };
}

/** Makes a server of 127.0.0.1 reachable at {@link NEW}, under the port of another. */
async function standInFor(scope: Scope, old: { port: number }, at: { port: number }) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const inner = connect(at.port, '127.0.0.1');
    for (const [from, to] of [
      [client, inner],
      [inner, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).once('close', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(old.port, NEW, resolve);
  });
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
}

async function startTwo(scope: Scope, pair?: CertificatePair) {
  const [before, after] = [
    await startFakeUpstream(scope, json(ok), pair),
    await startFakeUpstream(scope, json(ok), pair),
  ];
  await standInFor(scope, before, after);
  return { before, after };
}

/** Asks without a pause, so that no connection is ever left to grow idle; all answers must be good. */
async function keepAsking(gate: Gate, until: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!until()) {
    assert.ok(performance.now() < endMs, what);
    assert.equal((await sendMcp(gate.port, ping)).status, 200);
  }
}

const ways: readonly (readonly [string, boolean])[] = [
  ['over HTTP', false],
  ['over HTTPS', true],
];

for (const [name, isTls] of ways) {
  describe(`a target ${name} whose name moves`, () => {
    async function start(scope: Scope, options: readonly string[]) {
      const authority = isTls ? await createAuthority() : null;
      const { before, after } = await startTwo(scope, await authority?.issue({ dns: [NAME] }));
      const tls: readonly Resource[] =
        authority === null
          ? []
          : [
              caConfigMap('ca', authority.certPem),
              backendTls({
                hostname: NAME,
                caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }],
              }),
            ];
      const names = startNames(scope);
      names.resolveTo(OLD);
      const gate = await startGate(scope, {
        upstreamPort: before.port,
        more: [mcpBackend({ port: before.port, host: NAME }), ...tls],
        env: names.env,
        options,
      });
      return { before, after, names, gate };
    }

    test('is followed within the age of a connection, under traffic that never pauses', async (t) => {
      const options = ['--upstream-connection-age=700ms', '--upstream-idle-timeout=1h'];
      const { before, after, names, gate } = await start(t, options);
      await keepAsking(gate, () => before.requests.length >= 20, 'the old address is asked');
      assert.ok(before.connections < 20, 'connections are used again');
      names.resolveTo(NEW);
      await keepAsking(gate, () => after.requests.length > 0, 'the new address is asked');
      const asked = before.requests.length;
      await keepAsking(gate, () => after.requests.length >= 20, 'the new address is asked on');
      assert.equal(before.requests.length, asked, 'nothing goes to the old address any more');
    });

    test('is followed at once when the old address is gone', async (t) => {
      const { before, after, names, gate } = await start(t, ['--upstream-connection-age=0']);
      assert.equal((await sendMcp(gate.port, ping)).status, 200);
      names.resolveTo(NEW);
      await before.close();
      await until('an answer', async () => (await sendMcp(gate.port, ping)).status === 200);
      assert.ok(after.requests.length > 0);
    });

    test('is reached at any of its addresses, in vain at none of them', async (t) => {
      const { before, after, names, gate } = await start(t, ['--upstream-idle-timeout=1ms']);
      const ask = async () => (await sendMcp(gate.port, ping)).status;
      names.resolveTo(NOBODY, '::1', NEW, OLD);
      await until('the second server', async () => {
        assert.equal(await ask(), 200);
        return after.requests.length > 0;
      });
      assert.equal(before.requests.length, 0);
      names.resolveTo(NOBODY, OLD);
      await until('the first server', async () => {
        assert.equal(await ask(), 200);
        await sleep(10);
        return before.requests.length > 0;
      });
      names.resolveTo();
      await until('a refusal', async () => (await ask()) === 503);
      await gate.waitForAccessLine(/backends required DNS resolution which failed/);
      names.resolveTo(OLD);
      await until('an answer', async () => (await ask()) === 200);
    });
  });
}

describe('a target over HTTP+SSE whose name moves', () => {
  /** Answers on the stream, and says where. It knows its own sessions alone, as real servers do. */
  function speakSse(upstream: FakeUpstream, where: string): void {
    let stream: ServerResponse | null = null;
    const endpoint = `/message?session=${encodeURIComponent(where)}`;
    upstream.script = ({ method, url, body }, response) => {
      if (method === 'GET') {
        beginEvents(response);
        response.write(`event: endpoint\ndata: ${endpoint}\n\n`);
        stream = response;
        return;
      }
      response.writeHead(url === endpoint ? 202 : 404).end();
      if (url !== endpoint) return;
      const { id } = JSON.parse(body) as { id?: number };
      if (id === undefined) return;
      const result = {
        protocolVersion: '2024-11-05',
        capabilities: {},
        serverInfo: { name: where, version: '1' },
      };
      stream?.write(event(JSON.stringify({ jsonrpc: '2.0', id, result })));
    };
  }

  test('is followed by each new session', async (t) => {
    const { before, after } = await startTwo(t);
    speakSse(before, 'the old server');
    speakSse(after, 'the new server');
    const names = startNames(t);
    names.resolveTo(OLD);
    const gate = await startGate(t, {
      upstreamPort: before.port,
      more: [mcpBackend({ port: before.port, host: NAME, protocol: 'SSE' })],
      env: names.env,
      options: ['--upstream-connection-age=500ms'],
    });
    const open = () => sendMcp(gate.port, initialize);
    assert.match((await open()).text, /the old server/);
    names.resolveTo(NEW);
    await until('a session with the new server', async () =>
      (await open()).text.includes('the new server'),
    );
    // A connection to the old address, of a message or a stream that ended, is of use until it is of age.
    await sleep(600);
    for (let round = 0; round < 5; round += 1) assert.match((await open()).text, /the new server/);
  });
});
