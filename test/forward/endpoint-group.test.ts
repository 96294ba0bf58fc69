import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createEndpointGroup } from '../../src/forward/endpoint-group.ts';
import { createHttp1Upstream } from '../../src/forward/http1/http1-upstream.ts';
import { createUndiciUpstream } from '../../src/forward/undici-upstream.ts';
import type { Upstream } from '../../src/forward/upstream.ts';
import { freePort } from '../harness/free-port.ts';
import type { Scope } from '../harness/scope.ts';
import {
  get,
  post,
  send,
  startRawUpstream,
  targetAt,
  tlsPlan,
  upstreamTo,
} from './raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';

function groupOf(scope: Scope, endpoints: readonly Upstream[], nowMs: () => number = () => 0) {
  const ejected: string[] = [];
  const [first, ...others] = endpoints;
  assert.ok(first !== undefined);
  const group = createEndpointGroup([first, ...others], {
    limits: { failures: 3, firstMs: 1000, longestMs: 5000 },
    monotonicNow: nowMs,
    random: () => 0,
    onEjected: (_backend, authority) => ejected.push(authority),
  });
  scope.after(() => group.close());
  return { group, ejected };
}

const plain = (scope: Scope, port: number) =>
  upstreamTo(scope, createHttp1Upstream, targetAt(port));

for (const [name, create] of [
  ['plain', (scope: Scope, port: number) => plain(scope, port)],
  [
    'TLS',
    (scope: Scope, port: number) =>
      upstreamTo(scope, createUndiciUpstream, targetAt(port, { tls: tlsPlan({}) })),
  ],
] as const) {
  test(`a POST to an endpoint that can not be reached (${name}) is sent to another, and only to one`, async (t) => {
    const well = await startRawUpstream(t, (socket) => socket.write(OK));
    const { group, ejected } = groupOf(t, [create(t, await freePort()), plain(t, well.port)]);
    for (let round = 1; round <= 10; round += 1) {
      const report = send(group, post);
      await report.over;
      assert.deepEqual(report.events, ['head 200', 'end']);
      assert.equal(well.heads.length, round);
    }
    assert.equal(ejected.length, 1);
    assert.equal(group.healthyCount(), 1);
  });
}

test('a POST that may have been processed is never sent again', async (t) => {
  const broken = await startRawUpstream(t, (socket) => socket.resetAndDestroy());
  const well = await startRawUpstream(t, (socket) => socket.write(OK));
  const { group } = groupOf(t, [plain(t, broken.port), plain(t, well.port)]);
  const reports = [];
  for (let round = 0; round < 12; round += 1) {
    const report = send(group, post);
    await report.over;
    reports.push(report.events.join());
  }
  assert.equal(broken.heads.length, 3);
  assert.equal(reports.filter((events) => events === 'failure UPSTREAM_RESET').length, 3);
  assert.equal(well.heads.length, 9);
});

test('answers of 503 count as failures, and are handed on', async (t) => {
  const broken = await startRawUpstream(t, (socket) => socket.write(UNAVAILABLE));
  const well = await startRawUpstream(t, (socket) => socket.write(OK));
  const { group } = groupOf(t, [plain(t, broken.port), plain(t, well.port)]);
  let unavailable = 0;
  for (let round = 0; round < 12; round += 1) {
    const report = send(group, get);
    await report.over;
    if (report.events[0] === 'head 503') unavailable += 1;
  }
  assert.equal(unavailable, 3);
  assert.equal(group.healthyCount(), 1);
});

test('requests that nobody waits for any longer count as failures, those of a client that left do not', async (t) => {
  const silent = await startRawUpstream(t, () => undefined);
  const { group } = groupOf(t, [plain(t, silent.port), plain(t, silent.port)]);
  const never = (): never => assert.fail('nobody listens');
  const nobody = {
    onHead: never,
    onData: () => true,
    onEnd: never,
    onFailure: never,
  };
  for (let round = 0; round < 20; round += 1) group.request(get, nobody).abort('gone');
  assert.equal(group.healthyCount(), 2);
  for (let round = 0; round < 6; round += 1) group.request(get, nobody).abort('timeout');
  assert.equal(group.healthyCount(), 0);
});

test('an endpoint that is there again is used again, by itself', async (t) => {
  let nowMs = 0;
  const port = await freePort();
  const well = await startRawUpstream(t, (socket) => socket.write(OK));
  const { group } = groupOf(t, [plain(t, port), plain(t, well.port)], () => nowMs);
  for (let round = 0; round < 10; round += 1) await send(group, post).over;
  assert.equal(group.healthyCount(), 1);

  let answered = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      answered += 1;
      socket.write(OK);
    });
    t.after(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => void server.close());
  assert.equal((server.address() as AddressInfo).port, port);
  for (let round = 0; round < 4; round += 1) await send(group, post).over;
  assert.equal(answered, 0);
  nowMs = 1000;
  for (let round = 0; round < 8; round += 1) await send(group, post).over;
  assert.equal(answered, 4);
  assert.equal(group.healthyCount(), 2);
});

test('where none can be reached the request fails after each was tried once', async (t) => {
  const ports = await Promise.all([freePort(), freePort()]);
  const { group } = groupOf(
    t,
    ports.map((port) => plain(t, port)),
  );
  const report = send(group, post);
  await report.over;
  assert.deepEqual(report.events, ['failure UPSTREAM_UNREACHABLE']);
});
