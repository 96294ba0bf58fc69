/** What the metrics and the access log say of MCP requests, and how a policy answers for itself. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { readEvents } from '../harness/event-reader.ts';
import { beginEvents, event, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, ping, sendMcp } from '../harness/http-client.ts';
import { glooPolicy, KGATEWAY_GROUP, mcpBackend, rbac, route } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

const answers: Readonly<Record<string, unknown>> = {
  'tools/list': { tools: [{ name: 'echo' }, { name: 'fail' }, { name: 'drop' }, { name: 'loud' }] },
  echo: { content: [] },
  fail: { content: [], isError: true },
};
const call = (name: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: {} },
});
const onBackend = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'guarded' };
/** A policy on the backend `guarded` that says itself how it denies. */
function policy(name: string, onDeny: string, rule: string) {
  const made = glooPolicy(
    { rbac: { action: 'Deny', ...(rbac(rule).rbac as object) } },
    { name, target: onBackend },
  );
  return { ...made, metadata: { name, annotations: { 'postern.dev/on-deny': onDeny } } };
}

let gate: Gate;
before(async () => {
  const upstream = await startFakeUpstream(fileScope, (request, response) => {
    if (request.method === 'GET') {
      beginEvents(response);
      response.write(event('{"jsonrpc":"2.0","method":"notifications/message"}'));
      return;
    }
    const { method, params } = JSON.parse(request.body) as {
      method: string;
      params?: { name?: string };
    };
    const result = answers[params?.name ?? method] ?? {};
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(method === 'initialize' ? { 'mcp-session-id': 'one' } : {}),
    });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result }));
  });
  gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    more: [
      mcpBackend({ port: upstream.port, name: 'guarded' }),
      route({ name: 'guarded', prefix: '/guarded', backend: 'guarded' }),
      policy('loud', 'forbidden', 'mcp.tool.name == "loud"'),
      policy('told', 'tool_error', 'mcp.tool.name == "drop"'),
    ],
  });
});

async function assertCounted(line: string): Promise<void> {
  await until(line, async () => (await gate.metrics()).split('\n').includes(line));
}
const counted = (backend: string, labels: string, value = 1) =>
  assertCounted(
    `postern_mcp_requests_total{backend="default/${backend}",target="target",${labels}} ${value}`,
  );

describe('MCP requests', () => {
  test('are counted by tool once a list has named it', async () => {
    await sendMcp(gate.port, call('echo'));
    await sendMcp(gate.port, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
    await sendMcp(gate.port, call('echo'));
    await sendMcp(gate.port, call('made-up'));
    await sendMcp(gate.port, { ...ping, method: 'made/up' });
    await counted('mcp', 'method="tools/call",tool="other",outcome="ok"', 2);
    await counted('mcp', 'method="tools/call",tool="echo",outcome="ok"');
    await counted('mcp', 'method="tools/list",tool="",outcome="ok"');
    await counted('mcp', 'method="other",tool="",outcome="ok"');
  });

  test('tell the failure of a tool where policies have the answer read', async () => {
    const path = '/guarded';
    await sendMcp(gate.port, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { path });
    await sendMcp(gate.port, call('fail'), { path });
    await sendMcp(gate.port, call('fail'));
    await counted('guarded', 'method="tools/call",tool="fail",outcome="tool_error"');
    await counted('mcp', 'method="tools/call",tool="fail",outcome="ok"');
  });

  test('that open a session are counted, and streams while they run', async () => {
    await sendMcp(gate.port, initialize);
    await assertCounted('postern_mcp_sessions_opened_total{backend="default/mcp"} 1');
    const reader = await readEvents(gate.port);
    await assertCounted('postern_mcp_streams{kind="get"} 1');
    reader.close();
    await assertCounted('postern_mcp_streams{kind="get"} 0');
    await assertCounted('postern_streams_ended_total{reason="client"} 1');
  });
});

describe('a policy', () => {
  test('that says forbidden is answered with 403, and counted', async () => {
    const answer = await sendMcp(gate.port, call('loud'), { path: '/guarded' });
    assert.equal(answer.status, 403);
    await assertCounted('postern_authorization_denials_total{policy="default/loud"} 1');
    await counted('guarded', 'method="tools/call",tool="loud",outcome="denied"');
    await gate.waitForAccessLine(
      /policy=default\/loud rule="mcp.tool.name == \\"loud\\"".*backend=default\/guarded mcp.target=target mcp.method.name=tools\/call gen_ai.tool.name=loud/,
    );
  });

  test('that says tool_error is answered with the failure of a tool', async () => {
    const answer = await sendMcp(gate.port, call('drop'), { path: '/guarded' });
    assert.equal(answer.status, 200);
    const { result } = JSON.parse(answer.text) as { result: { isError: boolean } };
    assert.equal(result.isError, true);
  });
});
