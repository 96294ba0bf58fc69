import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { beginEvents, json, ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import type { FakeUpstream, ReceivedRequest } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { begin, mcpHeaders, open, ping, send, sendMcp } from '../harness/http-client.ts';
import { residentBytes } from '../harness/memory.ts';
import { metricValue } from '../harness/metric-value.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

/** Requests with this body are answered when the test says so. */
const slow = { ...ping, params: { slow: true } };

interface Held {
  readonly upstream: FakeUpstream;
  readonly waiting: (() => void)[];
}

async function startHoldingUpstream(): Promise<Held> {
  const waiting: (() => void)[] = [];
  const upstream = await startFakeUpstream(fileScope, (request: ReceivedRequest, response) => {
    if (request.method === 'GET') beginEvents(response);
    else if (request.body.includes('slow')) {
      waiting.push(() => void json(ok)(request, response));
    } else return json(ok)(request, response);
  });
  return { upstream, waiting };
}

let issuer: TokenIssuer;
before(async () => {
  issuer = await createIssuer();
});

const jwt = () => glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }));

const rows = [
  { what: 'in total', option: '--max-requests=2', status: 503, reason: 'Overload' },
  {
    what: 'of an address',
    option: '--max-requests-per-address=2',
    status: 429,
    reason: 'RateLimit',
  },
  {
    what: 'of a principal',
    option: '--max-requests-per-principal=2',
    status: 429,
    reason: 'RateLimit',
  },
] as const;
for (const { what, option, status, reason } of rows) {
  test(`requests in flight ${what}: the third is refused, and passes when one is over`, async () => {
    const { upstream, waiting } = await startHoldingUpstream();
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: [option],
      more: [jwt()],
    });
    const token = await issuer.sign({ sub: 'alice' });
    const held = [slow, slow].map((message) => sendMcp(gate.port, message, { token }));
    await until('two requests at the upstream', () => waiting.length === 2);

    const refused = await sendMcp(gate.port, ping, { token: await issuer.sign({ sub: 'alice' }) });
    assert.equal(refused.status, status);
    assert.equal(refused.headers['retry-after'], '1');
    assert.match(refused.text, /^too many requests in flight/);
    assert.match(await gate.waitForAccessLine(/too many requests/), new RegExp(`reason=${reason}`));
    if (option.includes('principal')) {
      const bob = await issuer.sign({ sub: 'bob' });
      assert.equal((await sendMcp(gate.port, ping, { token: bob })).status, 200);
    }

    for (const release of waiting) release();
    for (const answer of await Promise.all(held)) assert.equal(answer.status, 200);
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
    await nothingCounted(gate);
  });
}

async function nothingCounted(gate: Gate): Promise<void> {
  await until('all counts to be back at zero', async () => {
    const page = await gate.metrics();
    return (
      metricValue(page, 'postern_admitted_requests') === 0 &&
      ['requests_by_address', 'requests_by_principal', 'streams_by_principal'].every(
        (count) => metricValue(page, 'postern_limit_entries', { count }) === 0,
      )
    );
  });
}

describe('event streams of a principal', () => {
  test('are refused over the limit, and only open ones count', async () => {
    const { upstream } = await startHoldingUpstream();
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--max-streams-per-principal=2'],
      more: [jwt()],
    });
    const token = await issuer.sign({ sub: 'alice' });
    const get = { port: gate.port, method: 'GET', headers: mcpHeaders(token) };
    const [first, second] = [await open(get), await open(get)];
    assert.equal(second.response.statusCode, 200);

    const asked = upstream.requests.length;
    const refused = await send(get);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(upstream.requests.length, asked, 'the upstream is not asked');
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200, 'a call is no stream');

    first.request.destroy();
    const third = await until('a place', async () => {
      const answer = await open(get);
      if (answer.response.statusCode === 200) return answer;
      answer.response.resume();
      return false;
    });
    for (const { request } of [second, third]) request.destroy();
    await nothingCounted(gate);
  });

  test('by subscriptions/listen count too, and are refused in JSON-RPC with the id', async () => {
    const upstream = await startFakeUpstream(fileScope, (_request, response) =>
      beginEvents(response),
    );
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--max-streams-per-principal=1'],
      more: [jwt()],
    });
    const listen = {
      jsonrpc: '2.0',
      id: 'l-1',
      method: 'subscriptions/listen',
      params: {
        notifications: { toolsListChanged: true },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    };
    const headers = {
      ...mcpHeaders(await issuer.sign({ sub: 'alice' })),
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    };
    const ask = { port: gate.port, headers, body: JSON.stringify(listen) };
    const stream = await open(ask);
    assert.equal(stream.response.statusCode, 200);
    const refused = await send(ask);
    assert.equal(refused.status, 429);
    const { id, error } = JSON.parse(refused.text) as { id: string; error: { code: number } };
    assert.deepEqual([id, error.code], ['l-1', 429]);
    stream.request.destroy();
    await nothingCounted(gate);
  });
});

describe('connections', () => {
  test('over the limit are closed at once; those that are open go on', async () => {
    const { upstream } = await startHoldingUpstream();
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--max-connections=3'],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await sendMcp(gate.port, ping, { agent })).status, 200);
    const idle: Socket[] = [];
    for (let count = 0; count < 2; count += 1) idle.push(await connected(gate.port));
    for (let count = 0; count < 200; count += 1) assert.equal(await isClosed(gate.port), true);
    assert.equal((await sendMcp(gate.port, ping, { agent })).status, 200);
    const page = await gate.metrics();
    assert.equal(metricValue(page, 'postern_downstream_connections'), 3);
    assert(metricValue(page, 'postern_connections_refused_total') >= 200);
    for (const socket of idle) socket.destroy();
    await until('room', async () => !(await isClosed(gate.port)));
    agent.destroy();
  });

  function connected(port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.once('error', reject);
    });
  }

  async function isClosed(port: number): Promise<boolean> {
    try {
      return (await sendMcp(port, ping)).status !== 200;
    } catch {
      return true;
    }
  }
});

describe('the rate of an address', () => {
  test('is limited before a token is looked at, with Retry-After, and comes back', async () => {
    const { upstream } = await startHoldingUpstream();
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--address-rate=2', '--address-burst=5'],
      more: [jwt()],
    });
    const statuses: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      const answer = await sendMcp(gate.port, ping, { token: 'garbage' });
      statuses.push(answer.status);
      if (answer.status !== 429) continue;
      assert.equal(answer.text, 'rate limit exceeded');
      assert.equal(answer.headers['x-ratelimit-limit'], '5');
      assert.equal(answer.headers['x-ratelimit-remaining'], '0');
      assert.equal(answer.headers['retry-after'], '1');
    }
    assert.deepEqual(statuses.slice(0, 5), [403, 403, 403, 403, 403]);
    assert.equal(statuses.includes(429), true);
    const token = await issuer.sign({ sub: 'alice' });
    await until('the limit to pass', async () => {
      return (await sendMcp(gate.port, ping, { token })).status === 200;
    });
  });

  test('10,000 refused requests leave nothing behind', async () => {
    const { upstream } = await startHoldingUpstream();
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--address-rate=1', '--max-requests-per-address=64', '--access-log=off'],
      more: [jwt()],
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const flood = async (count: number) => {
      let refused = 0;
      const one = async () => {
        while (count > 0) {
          count -= 1;
          if ((await sendMcp(gate.port, ping, { agent })).status === 429) refused += 1;
        }
      };
      await Promise.all(Array.from({ length: 16 }, one));
      return refused;
    };
    await flood(2000);
    const beforeBytes = residentBytes(gate.pid);
    assert((await flood(10_000)) > 9000);
    const afterBytes = residentBytes(gate.pid);
    if (beforeBytes !== null && afterBytes !== null) {
      assert(afterBytes - beforeBytes < 64 * 1024 * 1024, `${afterBytes - beforeBytes} octets`);
    }
    agent.destroy();
    await nothingCounted(gate);
    assert.equal(upstream.requests.length < 100, true);
    const page = await gate.metrics();
    assert.equal(
      metricValue(page, 'postern_limit_entries', { count: 'rate_by_address' }) <= 1,
      true,
    );
    assert.equal(metricValue(page, 'postern_open_requests'), 0);
  });
});

test('a client that leaves in the middle gives its place back', async () => {
  const { upstream, waiting } = await startHoldingUpstream();
  const gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    options: ['--max-requests-per-principal=1', '--max-requests-per-address=1'],
    more: [jwt()],
  });
  const token = await issuer.sign({ sub: 'alice' });
  const request = begin({ port: gate.port, method: 'POST', headers: mcpHeaders(token) });
  request.on('error', () => undefined);
  request.end(JSON.stringify(slow));
  await until('the request at the upstream', () => waiting.length === 1);
  assert.equal((await sendMcp(gate.port, ping, { token })).status, 429);
  request.destroy();
  await until('room', async () => (await sendMcp(gate.port, ping, { token })).status === 200);
  await nothingCounted(gate);
});
