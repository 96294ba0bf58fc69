/** A Service with several hosts, and names with several addresses: one that is down costs nobody a request. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { describe, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { startPostern, type PosternOptions } from '../harness/postern.ts';
import { gateway, mcpBackend, route, yaml, type Resource } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

/** Another address of this machine's loopback, where nothing listens unless a test does. */
const OTHER_HOST = '127.0.0.2';

function service(port: number, hosts: string): Resource {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'several', annotations: { 'postern.dev/hosts': hosts } },
    spec: { ports: [{ port }] },
  };
}

async function startGateTo(scope: Scope, upstreamPort: number, options: Partial<PosternOptions>) {
  const port = await freePort();
  const gate = await startPostern(scope, {
    ...options,
    resources: yaml(
      gateway({ port }),
      service(upstreamPort, `${OTHER_HOST}, 127.0.0.1`),
      route({ rule: { backendRefs: [{ name: 'several', port: upstreamPort }] } }),
    ),
  });
  return { ...gate, port };
}

/** @returns how often it was asked */
async function listenOn(scope: Scope, host: string, port: number): Promise<() => number> {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    asked += 1;
    request.resume();
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  scope.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return () => asked;
}

const ejections = (text: string): number =>
  Number(/^postern_upstream_endpoint_ejections_total\{[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
const healthy = (text: string): string | undefined =>
  /^postern_upstream_endpoints_healthy\{[^}]*\} (\d+)$/m.exec(text)?.[1];

describe('a Service with two hosts', () => {
  test('of which one is down: each POST is answered, sent once, and the one is ejected', async (t) => {
    const upstream = await startFakeUpstream(t);
    const gate = await startGateTo(t, upstream.port, { options: ['--ejection-time=60s'] });
    for (let count = 1; count <= 30; count += 1) {
      assert.equal((await sendMcp(gate.port, ping)).status, 200);
      assert.equal(upstream.requests.length, count);
    }
    const text = await gate.metrics();
    assert.equal(ejections(text), 1);
    assert.equal(healthy(text), '1');
    await gate.waitForProcessLine(/default\/several:\d+: 127\.0\.0\.2:\d+ has failed too often/);
  });

  test('of which one comes back: it is used again, by itself', async (t) => {
    const upstream = await startFakeUpstream(t);
    const gate = await startGateTo(t, upstream.port, {
      options: ['--ejection-failures=1', '--ejection-time=300ms', '--max-ejection-time=300ms'],
    });
    for (let count = 0; count < 4; count += 1) {
      assert.equal((await sendMcp(gate.port, ping)).status, 200);
    }
    const asked = await listenOn(t, OTHER_HOST, upstream.port);
    await until('the other to be asked', async () => {
      assert.equal((await sendMcp(gate.port, ping)).status, 200);
      return asked() > 3;
    });
    assert.equal(healthy(await gate.metrics()), '2');
  });

  test('that are both down: 503, and both are asked again as soon as one is there', async (t) => {
    const upstreamPort = await freePort();
    const gate = await startGateTo(t, upstreamPort, {
      options: ['--ejection-failures=1', '--ejection-time=60s'],
    });
    for (let count = 0; count < 4; count += 1) {
      assert.equal((await sendMcp(gate.port, ping)).status, 503);
    }
    assert.equal(healthy(await gate.metrics()), '0');
    const asked = await listenOn(t, '127.0.0.1', upstreamPort);
    assert.equal((await sendMcp(gate.port, ping)).status, 200);
    assert.equal(asked(), 1);
  });

  test('of which one cuts every connection: its failures are 502, never a second try of a POST', async (t) => {
    const upstream = await startFakeUpstream(t);
    let cut = 0;
    const server = createServer((request) => {
      cut += 1;
      request.socket.resetAndDestroy();
    });
    await new Promise<void>((resolve) => server.listen(upstream.port, OTHER_HOST, resolve));
    t.after(() => void server.close());
    const gate = await startGateTo(t, upstream.port, { options: ['--ejection-time=60s'] });
    const statuses: number[] = [];
    for (let count = 0; count < 20; count += 1) {
      statuses.push((await sendMcp(gate.port, ping)).status);
    }
    assert.equal(cut, 5);
    assert.equal(statuses.filter((status) => status === 502).length, 5);
    assert.equal(upstream.requests.length, 15);
  });
});

test('a name with two addresses of which one is down is reached, again for each new connection', async (t) => {
  // localhost is ::1 and 127.0.0.1 in most hosts files, and only the second listens.
  const upstream = await startFakeUpstream(t, (_request, response) => {
    response.setHeader('connection', 'close');
    response.end('{}');
  });
  const port = await freePort();
  await startPostern(t, {
    resources: yaml(
      gateway({ port }),
      mcpBackend({ port: upstream.port, host: 'localhost' }),
      route(),
    ),
  });
  for (let count = 1; count <= 5; count += 1) {
    assert.equal((await sendMcp(port, ping)).status, 200);
    assert.equal(upstream.connections, count);
  }
});
