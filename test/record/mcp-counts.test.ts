import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../src/errors.ts';
import { Exchange } from '../../src/exchange.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { countMcp, countMcpStreams, outcomeOf } from '../../src/record/mcp-outcome.ts';
import { streamEnding } from '../../src/streams/stream-ending.ts';

const accessLog = { dropped: 0, failures: 0 };
const where = 'backend="default/b",target="t"';

async function linesOf(metrics: ReturnType<typeof createMetrics>, name: string) {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(`postern_${name}`));
}

test('a request is counted by backend, target, method, tool and outcome', async () => {
  const metrics = createMetrics({ accessLog });
  metrics.mcp.learnTools('default/b', 't', ['echo']);
  const counts = metrics.mcp.target('default/b', 't');
  counts.observe('tools/call', 'echo', 'ok', 3);
  counts.observe('tools/call', 'echo', 'tool_error', 3);
  counts.observe('tools/list', null, 'ok', 3000);
  assert.deepEqual(await linesOf(metrics, 'mcp_requests_total'), [
    `postern_mcp_requests_total{${where},method="tools/call",tool="echo",outcome="ok"} 1`,
    `postern_mcp_requests_total{${where},method="tools/call",tool="echo",outcome="tool_error"} 1`,
    `postern_mcp_requests_total{${where},method="tools/list",tool="",outcome="ok"} 1`,
  ]);
  const durations = await linesOf(metrics, 'mcp_request_duration_seconds_count');
  assert.deepEqual(durations, [
    'postern_mcp_request_duration_seconds_count{backend="default/b",method="tools/call"} 2',
    'postern_mcp_request_duration_seconds_count{backend="default/b",method="tools/list"} 1',
  ]);
});

test('what was counted before changes nothing of where a request is counted', async () => {
  const metrics = createMetrics({ accessLog });
  const methods = ['tools/call', 'tools/list', 'other', 'made-up'];
  const tools = ['echo', 'other', 'later', '', null];
  const outcomes = ['ok', 'error'] as const;
  const expected = new Map<string, number>();
  const count = (target: string, known: readonly string[]): void => {
    // Each after each, and twice.
    const all = methods.flatMap((method) =>
      tools.flatMap((tool) => outcomes.map((outcome) => ({ method, tool, outcome }))),
    );
    for (const one of all) {
      for (const two of all) {
        for (const { method, tool, outcome } of [one, two, two]) {
          metrics.mcp.target('default/b', target).observe(method, tool, outcome, 1);
          const methodName = method === 'made-up' ? 'other' : method;
          const toolName = tool === null ? '' : known.includes(tool) ? tool : 'other';
          const key = `backend="default/b",target="${target}",method="${methodName}",tool="${toolName}",outcome="${outcome}"`;
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
      }
    }
  };
  metrics.mcp.learnTools('default/b', 't', ['echo']);
  count('t', ['echo']);
  count('u', []);
  // The last one before it is learned.
  metrics.mcp.target('default/b', 't').observe('tools/call', 'later', 'ok', 1);
  const unlisted = 'backend="default/b",target="t",method="tools/call",tool="other",outcome="ok"';
  expected.set(unlisted, (expected.get(unlisted) ?? 0) + 1);
  metrics.mcp.learnTools('default/b', 't', ['later']);
  metrics.mcp.target('default/b', 't').observe('tools/call', 'later', 'ok', 1);
  const listed = unlisted.replace('other', 'later');
  expected.set(listed, (expected.get(listed) ?? 0) + 1);
  count('t', ['echo', 'later']);
  assert.deepEqual(
    (await linesOf(metrics, 'mcp_requests_total')).sort(),
    [...expected].map(([key, value]) => `postern_mcp_requests_total{${key}} ${value}`).sort(),
  );
});

test('nothing that a client makes up becomes a label', async () => {
  const metrics = createMetrics({ accessLog });
  const counts = metrics.mcp.target('default/b', 't');
  for (let index = 0; index < 500; index += 1) {
    counts.observe(`method-${index}`, `tool-${index}`, 'error', 1);
  }
  assert.deepEqual(await linesOf(metrics, 'mcp_requests_total'), [
    `postern_mcp_requests_total{${where},method="other",tool="other",outcome="error"} 500`,
  ]);
});

test('a server with too many tools, or strange ones, does not grow the page', async () => {
  const metrics = createMetrics({ accessLog });
  const names = Array.from({ length: 5_000 }, (_, index) => `tool-${index}`);
  const strange = ['a"b', 'new\nline', 'x'.repeat(200), '', '\ud800'];
  metrics.mcp.learnTools('default/b', 't', [...strange, ...names]);
  const counts = metrics.mcp.target('default/b', 't');
  for (const name of [...strange, ...names]) counts.observe('tools/call', name, 'ok', 1);
  const lines = await linesOf(metrics, 'mcp_requests_total');
  assert.equal(lines.length, 257);
  assert.ok(lines.every((line) => /tool="(tool-\d+|other)"/.test(line)));
});

test('targets are bounded in number', async () => {
  const metrics = createMetrics({ accessLog });
  for (let index = 0; index < 3_000; index += 1) {
    metrics.mcp.target('default/b', `t${index}`).observe('ping', null, 'ok', 1);
    metrics.mcp.countDenial(`default/p${index % 20}`);
    metrics.mcp.onTargetFailed(`b${index}`, `t${index}`, 'UpstreamFailure');
  }
  for (let index = 0; index < 12_000; index += 1) metrics.mcp.onReinitialised('b', `t${index}`);
  assert.equal((await linesOf(metrics, 'mcp_requests_total')).length, 2_001);
  assert.equal((await linesOf(metrics, 'authorization_denials_total')).length, 20);
  assert.equal((await linesOf(metrics, 'upstream_target_failures_total')).length, 3_000);
  assert.equal((await linesOf(metrics, 'upstream_reinitialisations_total')).length, 10_001);
});

function exchange(changes: Partial<Exchange>): Exchange {
  // Nothing is read of these.
  const unused = {} as never;
  const created = new Exchange(unused, unused, null, unused, null, 0, 0);
  const message = { kind: 'request', method: 'tools/call', object: { type: 'tool', name: 'echo' } };
  const parts = {
    backend: { mcp: { name: 'default/b' } },
    upstream: { targetName: 't' },
    message,
    status: 200,
  };
  return Object.assign(created, parts, changes);
}

describe('an outcome', () => {
  const read = (outcome: 'ok' | 'error' | 'tool_error') =>
    ({ outcome }) as unknown as Exchange['answerFilter'];
  const ending = streamEnding('token_expired');
  const rows: readonly [Partial<Exchange>, ReturnType<typeof outcomeOf>][] = [
    [{}, 'ok'],
    [{ status: 202 }, 'ok'],
    [{ status: 404 }, 'error'],
    [{ answerFilter: read('tool_error') }, 'tool_error'],
    [{ answerFilter: read('error') }, 'error'],
    [{ refusal: new Refusal('AUTHORIZATION_DENIED') }, 'denied'],
    [{ refusal: new Refusal('MESSAGE_INVALID') }, 'refused'],
    [{ refusal: new Refusal('SESSION_UNKNOWN') }, 'refused'],
    [{ refusal: new Refusal('UPSTREAM_RESET') }, 'failed'],
    [{ refusal: new Refusal('UPSTREAM_TIMEOUT') }, 'failed'],
    [{ refusal: new Refusal('CLIENT_CLOSED') }, 'cancelled'],
    [{ refusal: new Refusal('CLIENT_CLOSED'), answerFilter: read('ok') }, 'ok'],
    [{ refusal: ending.refusal, streamEnd: ending.reason }, 'ended'],
  ];
  for (const [changes, expected] of rows) {
    const name = changes.refusal?.kind.code ?? JSON.stringify(changes);
    test(`of ${name} is ${expected}`, () => assert.equal(outcomeOf(exchange(changes)), expected));
  }
});

test('sessions, denials and ends of streams are counted by name', async () => {
  const metrics = createMetrics({ accessLog });
  const count = (changes: Partial<Exchange>) => countMcp(exchange(changes), metrics.mcp, 1);
  const ending = streamEnding('denied', { policy: 'default/p' });
  count({ hasOpenedSession: true });
  count({ refusal: new Refusal('AUTHORIZATION_DENIED', { policy: 'default/p' }) });
  count({ isEventStream: true });
  count({ isEventStream: true, refusal: new Refusal('CLIENT_CLOSED') });
  count({ isEventStream: true, refusal: new Refusal('UPSTREAM_RESET') });
  count({ isEventStream: true, refusal: ending.refusal, streamEnd: ending.reason });
  assert.deepEqual(await linesOf(metrics, 'mcp_sessions_opened_total'), [
    'postern_mcp_sessions_opened_total{backend="default/b"} 1',
  ]);
  assert.deepEqual(await linesOf(metrics, 'authorization_denials_total'), [
    'postern_authorization_denials_total{policy="default/p"} 1',
  ]);
  assert.deepEqual(await linesOf(metrics, 'streams_ended_total'), [
    'postern_streams_ended_total{reason="complete"} 1',
    'postern_streams_ended_total{reason="client"} 1',
    'postern_streams_ended_total{reason="failed"} 1',
    'postern_streams_ended_total{reason="denied"} 1',
  ]);
});

test('open streams are told apart by kind', () => {
  const open = { isEventStream: true };
  const listen = { kind: 'request', method: 'subscriptions/listen' } as Exchange['message'];
  const counts = countMcpStreams(
    [
      {},
      open,
      { ...open, message: null },
      { ...open, message: null, isSseTransport: true },
      { ...open, message: listen },
      { ...open, backend: null },
    ].map(exchange),
  );
  assert.deepEqual(Object.fromEntries(counts), { call: 1, get: 1, sse: 1, listen: 1 });
});
