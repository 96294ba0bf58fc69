/** Which web pages may speak to an MCP endpoint: Origin, Host (DNS rebinding) and CORS. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, send, sendMcp } from '../harness/http-client.ts';
import { gateway, route, staticBackend, type Resource } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';

async function start(scope: Scope, ...more: readonly Resource[]) {
  const upstream = await startFakeUpstream(scope);
  const gate = await startGate(scope, { upstreamPort: upstream.port, more });
  const ask = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await sendMcp(gate.port, ping, { headers })).status;
  return { upstream, gate, ask };
}

const cors = (filter: Resource) => route({ rule: { filters: [{ type: 'CORS', cors: filter }] } });

/** A gate that listens on 127.0.0.1, for any host. */
describe('a gate on loopback', () => {
  test('serves programs whatever host they name, and pages of this machine', async (t) => {
    const { ask, gate } = await start(t);
    const origins = [
      'http://localhost',
      'http://localhost:5173',
      'https://localhost:8443',
      'http://127.0.0.1:9',
      'http://127.8.8.8',
      'http://[::1]:80',
      'HTTP://LOCALHOST:1',
      `http://127.0.0.1:${gate.port}`,
    ];
    for (const origin of origins) assert.equal(await ask({ origin }), 200, origin);
    assert.equal(await ask({ host: 'www.example.com' }), 200);
    const origin = 'http://localhost:5173';
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:8080', 'LOCALHOST.']) {
      assert.equal(await ask({ host, origin }), 200, host);
    }
  });

  test('serves no page of another host', async (t) => {
    const { ask, upstream, gate } = await start(t);
    const origins = [
      'https://evil.test',
      'null',
      '',
      'http://localhost.evil.test',
      'http://evil.test#localhost',
      'http://localhost@evil.test',
      'http://127.0.0.1.evil.test',
      'http://127.1',
      'http://0x7f000001',
      'http://[::ffff:127.0.0.1]',
      'file://',
      'chrome-extension://abcdef',
      'http://localhost http://evil.test',
      'localhost',
    ];
    for (const origin of origins) assert.equal(await ask({ origin }), 403, origin);
    assert.equal(upstream.requests.length, 0);
    await gate.waitForAccessLine(/status=403.*origin not allowed/);
  });

  test('serves no page that calls this machine by a name of its own (DNS rebinding)', async (t) => {
    const { ask, upstream } = await start(t, cors({ allowOrigins: ['*'] }));
    const rebound = { host: 'evil.test:8080', origin: 'http://evil.test:8080' };
    assert.equal(await ask(rebound), 403);
    assert.equal(await ask({ ...rebound, host: 'localhost.evil.test' }), 403);
    assert.equal(
      await ask({ ...rebound, host: '127.0.0.1:8080' }),
      200,
      'CORS allows every origin',
    );
    assert.equal(upstream.requests.length, 1);
  });
});

describe('a route with hostnames', () => {
  test('serves pages of these names, on any port', async (t) => {
    const { ask } = await start(t, route({ hostnames: ['gw.test', '*.apps.test'] }));
    for (const [origin, status] of [
      ['http://gw.test', 200],
      ['https://gw.test:3000', 200],
      ['https://a.apps.test', 200],
      ['https://a.b.apps.test', 200],
      ['https://apps.test', 403],
      ['https://evilapps.test', 403],
      ['https://evil.test', 403],
      ['null', 403],
    ] as const) {
      assert.equal(await ask({ host: 'gw.test', origin }), status, origin);
    }
  });

  test('a listener\u2019s hostname counts as the route\u2019s', async (t) => {
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, { upstreamPort: upstream.port });
    const listener = { name: 'http', protocol: 'HTTP', port: gate.port, hostname: 'gw.test' };
    await gate.reload(gate.resources(gateway({ port: gate.port, listeners: [listener] })));
    const ask = async (origin: string): Promise<number> =>
      (await sendMcp(gate.port, ping, { headers: { host: 'gw.test', origin } })).status;
    assert.equal(await ask('https://gw.test:3000'), 200);
    assert.equal(await ask('https://evil.test'), 403);
  });
});

describe('CORS', () => {
  test('lets the filter\u2019s origins in, and `null` only where it says so', async (t) => {
    const { ask } = await start(t, cors({ allowOrigins: ['https://app.test'] }));
    assert.equal(await ask({ origin: 'https://app.test' }), 200);
    assert.equal(await ask({ origin: 'https://app.test:8443' }), 403);
    assert.equal(await ask({ origin: 'null' }), 403);
    const any = await start(t, cors({ allowOrigins: ['*'] }));
    assert.equal(await any.ask({ origin: 'null' }), 200);
    const credentials = await start(t, cors({ allowOrigins: ['*'], allowCredentials: true }));
    assert.equal(await credentials.ask({ origin: 'https://app.test' }), 200);
    assert.equal(await credentials.ask({ origin: 'null' }), 403);
  });

  test('refuses the preflight of a page that may not', async (t) => {
    const { gate } = await start(t, cors({ allowOrigins: ['https://app.test'] }));
    const preflight = (origin: string) =>
      send({
        port: gate.port,
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://app.test');
    assert.equal(allowed.status, 204);
    const refused = await preflight('https://evil.test');
    assert.equal(refused.status, 403);
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
  });

  test('exposes what MCP clients read, beside what the filter names', async (t) => {
    const { gate } = await start(
      t,
      cors({ allowOrigins: ['https://app.test'], exposeHeaders: ['X-Own', 'Mcp-Session-Id'] }),
    );
    const answer = await sendMcp(gate.port, ping, { headers: { origin: 'https://app.test' } });
    assert.equal(
      answer.headers['access-control-expose-headers'],
      'X-Own, Mcp-Session-Id, mcp-protocol-version, www-authenticate',
    );
  });
});

test('a route without an MCP backend is open to every page, as before', async (t) => {
  const upstream = await startFakeUpstream(t);
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    more: [staticBackend({ port: upstream.port })],
  });
  const headers = { origin: 'https://evil.test', host: 'evil.test' };
  assert.equal((await send({ port: gate.port, headers })).status, 200);
});
