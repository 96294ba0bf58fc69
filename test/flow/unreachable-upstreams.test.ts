/** Upstreams to which there is no connection, or only a useless one: each has its own status and reason. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, open, ping, sendMcp } from '../harness/http-client.ts';
import { residentBytes } from '../harness/memory.ts';
import { openConnections } from '../harness/open-connections.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import {
  backendTls,
  caConfigMap,
  gateway,
  mcpBackend,
  route,
  staticBackend,
  yaml,
} from '../harness/resources.ts';
import { endWithScope, fileScope, type Scope } from '../harness/scope.ts';
import { sleep, until } from '../harness/until.ts';
import { createAuthority } from '../peers/certificates.ts';

const MIB = 2 ** 20;
const BOUND_MS = 20_000;

const SERVER = `
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', () => socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}'));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/** A server in a process of its own, which can be stopped. */
async function startProcess(scope: Scope): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithScope(scope, child);
  const [text] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, port: Number(text) };
}

test(
  'a process that is stopped is 504, and is used again when it goes on',
  { timeout: BOUND_MS },
  async (t) => {
    const { child, port } = await startProcess(t);
    const gate = await startGate(t, {
      upstreamPort: port,
      more: [route({ rule: { timeouts: { request: '500ms' } } })],
    });
    assert.equal((await sendMcp(gate.port, ping)).status, 200);
    child.kill('SIGSTOP');
    for (let round = 0; round < 3; round += 1) {
      const answer = await sendMcp(gate.port, ping);
      assert.deepEqual([answer.status, answer.text], [504, 'request timeout']);
    }
    await gate.waitForAccessLine(/http\.status=504 .*reason=Timeout/);
    child.kill('SIGCONT');
    await until('an answer', async () => (await sendMcp(gate.port, ping)).status === 200);
  },
);

test(
  'a connection that is never made is 503 after the connect timeout',
  { timeout: BOUND_MS },
  async (t) => {
    const { child, port } = await startProcess(t);
    child.kill('SIGSTOP');
    // Whoever comes when the backlog is full waits for ever.
    const sockets: Socket[] = [];
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    let isFull = false;
    for (let count = 0; count < 200 && !isFull; count += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
      isFull = !(await Promise.race([
        once(socket, 'connect').then(() => true),
        sleep(500).then(() => false),
      ]));
    }
    if (!isFull) {
      t.skip('this system takes connections without end');
      return;
    }
    const gate = await startGate(t, { upstreamPort: port, options: ['--connect-timeout=400ms'] });
    const startedAtMs = performance.now();
    const answer = await sendMcp(gate.port, ping);
    assert.deepEqual(
      [answer.status, answer.text],
      [503, 'upstream call failed: connection failed'],
    );
    assert.ok(performance.now() - startedAtMs >= 390);
    await gate.waitForAccessLine(
      /http\.status=503 .*reason=UpstreamFailure.*no connection within 400 ms/,
    );
  },
);

interface Row {
  readonly name: string;
  readonly status: number;
  readonly text: string;
  readonly log: RegExp;
}

const TLS_TEXT = 'upstream call failed: TLS handshake failed';
const UNREACHABLE_TEXT = 'upstream call failed: connection failed';
const DNS_TEXT = 'backends required DNS resolution which failed';
// prettier-ignore
const rows: readonly Row[] = [
  { name: 'refused', status: 503, text: UNREACHABLE_TEXT, log: /reason=UpstreamFailure.*ECONNREFUSED/ },
  { name: 'unresolved', status: 503, text: DNS_TEXT, log: /reason=UpstreamFailure.*(ENOTFOUND|EAI_AGAIN)/ },
  { name: 'tls-refused', status: 503, text: UNREACHABLE_TEXT, log: /reason=UpstreamFailure.*ECONNREFUSED/ },
  { name: 'tls-unresolved', status: 503, text: DNS_TEXT, log: /reason=UpstreamFailure.*(ENOTFOUND|EAI_AGAIN)/ },
  { name: 'tls-expired', status: 503, text: TLS_TEXT, log: /reason=UpstreamFailure.*CERT_HAS_EXPIRED/ },
  { name: 'tls-wrong-name', status: 503, text: TLS_TEXT, log: /reason=UpstreamFailure.*ALTNAME/ },
  { name: 'tls-self-signed', status: 503, text: TLS_TEXT, log: /reason=UpstreamFailure.*(SELF_SIGNED|UNABLE_TO)/ },
  { name: 'tls-not', status: 503, text: TLS_TEXT, log: /reason=UpstreamFailure.*(EPROTO|ERR_SSL)/ },
  { name: 'tls-silent', status: 503, text: UNREACHABLE_TEXT, log: /reason=UpstreamFailure.*CONNECT_TIMEOUT/ },
  { name: 'tls-cut', status: 502, text: 'upstream call failed: connection closed before an answer', log: /reason=UpstreamFailure/ },
];

describe('a target that is', () => {
  let gate: Postern;
  let port: number;
  const ports: number[] = [];

  /** A server of plain TCP. */
  async function listen(onData: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', () => onData(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fileScope.after(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return (server.address() as AddressInfo).port;
  }

  before(async () => {
    const authority = await createAuthority();
    const stranger = await createAuthority('Stranger');
    const dns = ['tls.test'];
    const secure = async (pair: { certPem: string; keyPem: string }) =>
      (await startFakeUpstream(fileScope, undefined, pair)).port;
    const nobody = await freePort();
    const targets: Readonly<Record<string, number>> = {
      refused: nobody,
      unresolved: nobody,
      'tls-refused': nobody,
      'tls-unresolved': nobody,
      'tls-expired': await secure(await authority.issue({ dns, expired: true })),
      'tls-wrong-name': await secure(await authority.issue({ dns: ['other.test'] })),
      'tls-self-signed': await secure(await stranger.issue({ dns })),
      'tls-not': await listen((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'tls-silent': await listen(() => undefined),
      'tls-cut': await listen((socket) => socket.resetAndDestroy()),
    };
    ports.push(...Object.values(targets));
    port = await freePort();
    gate = await startPostern(fileScope, {
      resources: yaml(
        gateway({ port }),
        caConfigMap('ca', authority.certPem),
        ...rows.flatMap(({ name }) => [
          mcpBackend({
            name,
            port: targets[name] ?? 0,
            ...(name.includes('unresolved') ? { host: 'nobody.invalid' } : {}),
          }),
          route({ name, prefix: `/${name}`, backend: name }),
          ...(name.startsWith('tls-')
            ? [
                backendTls(
                  {
                    hostname: 'tls.test',
                    caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }],
                  },
                  name,
                ),
              ]
            : []),
        ]),
      ),
      options: ['--connect-timeout=1500ms', '--upstream-idle-timeout=200ms'],
    });
  });

  for (const { name, status, text, log } of rows) {
    test(`${name} is ${status}: ${text}`, { timeout: BOUND_MS }, async () => {
      for (let round = 0; round < 3; round += 1) {
        const answer = await sendMcp(port, ping, { path: `/${name}` });
        assert.deepEqual([answer.status, answer.text], [status, text]);
      }
      assert.match(await gate.waitForAccessLine(new RegExp(`/${name} `)), log);
    });
  }

  test('any of these leaves no connection behind, and no request', async () => {
    await until('no connection to be left', async () => {
      const counts = await Promise.all(ports.map(openConnections));
      return counts.every((count) => count === 0);
    });
    assert.match(await gate.metrics(), /^postern_open_requests 0$/m);
    assert.doesNotMatch(gate.processLog(), /MaxListeners|exception|uncaught|unhandled|died/);
  });
});

test(
  'an answer of 100 MiB reaches a slow reader whole, and the gate holds next to nothing of it',
  { skip: residentBytes(process.pid) === null && 'this system has no /proc', timeout: 60_000 },
  async (t) => {
    const piece = Buffer.alloc(MIB, 'x');
    const upstream = await startFakeUpstream(t, async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100 * MIB });
      for (let count = 0; count < 100 && !response.destroyed; count += 1) {
        if (!response.write(piece)) await once(response, 'drain');
      }
      response.end();
    });
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: [staticBackend({ port: upstream.port })],
    });
    const before = residentBytes(gate.pid) ?? 0;
    const { response } = await open({
      port: gate.port,
      body: JSON.stringify(ping),
      headers: mcpHeaders(),
    });
    let readBytes = 0;
    let pauses = 0;
    let peakBytes = 0;
    for await (const chunk of response) {
      readBytes += (chunk as Buffer).length;
      if (readBytes < pauses * 10 * MIB) continue;
      pauses += 1;
      await sleep(100);
      peakBytes = Math.max(peakBytes, residentBytes(gate.pid) ?? 0);
    }
    assert.equal(readBytes, 100 * MIB);
    const growthMib = (peakBytes - before) / MIB;
    assert.ok(growthMib < 40, `the gate grew by ${growthMib.toFixed(1)} MiB`);
  },
);
