import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../src/errors.ts';
import { Exchange } from '../../src/exchange.ts';
import type { AccessRecord } from '../../src/record/access-line.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { createRecorder } from '../../src/record/record.ts';
import type { ListenerRuntime, RuleRuntime } from '../../src/runtime.ts';

function exchange(changes: Partial<Exchange> = {}): Exchange {
  const head = {
    method: 'POST',
    path: '/mcp',
    query: 'token=secret',
    headers: ['authorization', 'Bearer secret'],
    host: 'localhost',
    authority: 'localhost:8080',
    scheme: 'http',
    remoteAddress: '127.0.0.1',
    remotePort: 59068,
  };
  // The recorder reads no more of these than the tests set.
  const unused = {} as never;
  const created = new Exchange(head as Exchange['head'], unused, null, unused, null, 1000, 50);
  return Object.assign(created, changes);
}

const listener = { gateway: 'default/gw', name: 'http' } as ListenerRuntime;
const rule = { route: 'default/mcp' } as RuleRuntime;
const upstream = { backendName: 'default/b', targetName: 't' } as Exchange['upstream'];

function recorderOf(): {
  readonly record: (exchange: Exchange) => void;
  readonly records: AccessRecord[];
  readonly bugs: unknown[];
  readonly text: () => Promise<string>;
} {
  const records: AccessRecord[] = [];
  const bugs: unknown[] = [];
  const metrics = createMetrics({ accessLog: { dropped: 0, failures: 0 } });
  const record = createRecorder({
    accessLog: { write: (one) => records.push(one) },
    metrics,
    monotonicNow: () => 62.5,
    onBug: (error) => bugs.push(error),
  });
  return { record, records, bugs, text: () => metrics.text() };
}

test('a finished request becomes one record and one count', async () => {
  const { record, records, text } = recorderOf();
  record(
    exchange({
      listener,
      rule,
      upstream,
      status: 200,
      principal: { subject: 'alice' } as Exchange['principal'],
      upstreamStartedAtMonotonicMs: 51,
      upstreamAnsweredAtMonotonicMs: 55,
    }),
  );
  assert.deepEqual(records, [
    {
      endedAtMs: 1012.5,
      gateway: 'default/gw',
      listener: 'http',
      route: 'default/mcp',
      remoteAddress: '127.0.0.1',
      remotePort: 59068,
      method: 'POST',
      host: 'localhost',
      path: '/mcp',
      status: 200,
      subject: 'alice',
      error: null,
      durationMs: 12.5,
      reason: null,
      policy: null,
      rule: null,
      detail: null,
      backend: 'default/b',
      target: 't',
      mcpTarget: null,
      mcpMethod: null,
      toolName: null,
      sessionHash: null,
    },
  ]);
  const page = await text();
  assert.match(page, /requests_total\{gateway="default\/gw",.*backend="default\/b",.*"200".*\} 1/);
  assert.match(page, /upstream_duration_seconds_sum\{.*\} 0\.004/);
});

test('requests of several ways are counted each where it belongs', async () => {
  const { record, text } = recorderOf();
  const ways: [number, Partial<Exchange>][] = [
    [1, { listener, rule, upstream, status: 200 }],
    [6, { listener, rule, upstream, status: 200, refusal: new Refusal('TOKEN_MISSING') }],
    [2, { listener, rule, status: 200 }],
    [3, { listener, rule: { route: 'default/other' } as RuleRuntime, upstream, status: 200 }],
    [4, { listener, upstream: { backendName: 'default/c' } as Exchange['upstream'], status: 200 }],
    [5, { listener, rule, upstream, status: 500 }],
    [7, {}],
  ];
  for (let round = 0; round < 7; round += 1) {
    for (const [times, changes] of ways) if (round < times) record(exchange(changes));
  }
  const get = exchange({ listener, rule, upstream, status: 200 });
  record(Object.assign(get, { head: { ...get.head, method: 'GET' } }));
  record(Object.assign(get, { head: { ...get.head, method: 'MADE-UP' } }));
  record(Object.assign(get, { head: { ...get.head, method: 'other' } }));
  const of = (gateway: string, route: string, backend: string, method: string) =>
    `gateway="${gateway}",listener="${gateway === '' ? '' : 'http'}",route="${route}",backend="${backend}",method="${method}"`;
  const gw = 'default/gw';
  const counted = (await text())
    .split('\n')
    .filter((line) => line.startsWith('postern_requests_total'))
    .map((line) => line.slice('postern_requests_total{'.length));
  assert.deepEqual(
    counted.sort(),
    [
      `${of(gw, 'default/mcp', 'default/b', 'POST')},status="200",reason=""} 1`,
      `${of(gw, 'default/mcp', '', 'POST')},status="200",reason=""} 2`,
      `${of(gw, 'default/other', 'default/b', 'POST')},status="200",reason=""} 3`,
      `${of(gw, '', 'default/c', 'POST')},status="200",reason=""} 4`,
      `${of(gw, 'default/mcp', 'default/b', 'POST')},status="500",reason=""} 5`,
      `${of(gw, 'default/mcp', 'default/b', 'POST')},status="200",reason="JwtAuth"} 6`,
      `${of('', '', '', 'POST')},status="499",reason=""} 7`,
      `${of(gw, 'default/mcp', 'default/b', 'GET')},status="200",reason=""} 1`,
      `${of(gw, 'default/mcp', 'default/b', 'other')},status="200",reason=""} 2`,
    ].sort(),
  );
});

test('a refusal is recorded with all it knows', async () => {
  const { record, records, text } = recorderOf();
  const refusal = new Refusal('AUTHORIZATION_DENIED', {
    policy: 'gloo-system/jwt',
    rule: 'jwt.sub == "alice"',
    detail: 'a Deny rule matched',
  });
  record(exchange({ listener, rule, refusal, status: 403 }));
  record(exchange({ refusal: new Refusal('LISTENER_NOT_FOUND') }));
  const [denied, lost] = records;
  assert.ok(denied !== undefined && lost !== undefined);
  assert.equal(denied.error, 'authorization failed');
  assert.equal(denied.reason, 'Authorization');
  assert.equal(denied.policy, 'gloo-system/jwt');
  assert.equal(denied.rule, 'jwt.sub == "alice"');
  assert.equal(denied.detail, 'a Deny rule matched');
  assert.equal(lost.status, 404);
  assert.equal(lost.gateway, null);
  const page = await text();
  assert.match(page, /requests_total\{.*status="403",reason="Authorization"\} 1/);
  assert.match(page, /requests_total\{gateway="",.*status="404",reason="NotFound"\} 1/);
});

test('a client that left before an answer is a 499, later the status that was sent', () => {
  const { record, records } = recorderOf();
  const refusal = new Refusal('CLIENT_CLOSED');
  record(exchange({ refusal }));
  record(exchange({ refusal, status: 200 }));
  record(exchange());
  assert.deepEqual(
    records.map(({ status }) => status),
    [499, 200, 499],
  );
});

test('the query and the headers are in no record', () => {
  const { record, records } = recorderOf();
  record(exchange({ listener, rule }));
  assert.ok(!JSON.stringify(records).includes('secret'));
});

test('a failing log does not reach the request', () => {
  const bugs: unknown[] = [];
  const record = createRecorder({
    accessLog: {
      write: () => {
        throw new Error('broken');
      },
    },
    metrics: createMetrics({ accessLog: { dropped: 0, failures: 0 } }),
    onBug: (error) => bugs.push(error),
  });
  record(exchange());
  assert.equal(bugs.length, 1);
});
