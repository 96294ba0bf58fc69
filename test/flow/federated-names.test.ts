/**
 * Where names carry no target (prefixMode Never) what the gate knows of them changes under its hands: a request goes
 * where it was decided that it may go, also if its name was learned in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json, startFakeUpstream, type Script } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, sendMcp } from '../harness/http-client.ts';
import { startPostern } from '../harness/postern.ts';
import { federation, gateway, glooPolicy, rbac, route, yaml } from '../harness/resources.ts';
import { messages, openSse } from '../harness/sse-client.ts';
import { until } from '../harness/until.ts';

const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'all' };
const call = (id: number, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});
const list = { jsonrpc: '2.0', id: 3, method: 'tools/list' };

test('a denied tool that appears between decision and sending is not executed', async (t) => {
  const tools = ['echo'];
  const executed: string[] = [];
  /** What notifications wait for. */
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let notified = 0;
  const server: Script = async (request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const { id, method, params } = JSON.parse(request.body) as {
      id?: unknown;
      method: string;
      params?: { name?: string };
    };
    if (id === undefined) {
      notified += 1;
      await released;
      response.writeHead(202).end();
      return;
    }
    if (method === 'tools/call') executed.push(params?.name ?? '');
    if (method === 'initialize') response.setHeader('mcp-session-id', 'one');
    const results: Readonly<Record<string, unknown>> = {
      initialize: {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 's', version: '1' },
      },
      'tools/list': { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) },
    };
    const result = results[method] ?? { content: [{ type: 'text', text: 'executed' }] };
    json({ jsonrpc: '2.0', id, result })(request, response);
  };
  const upstream = await startFakeUpstream(t, server);
  const port = await freePort();
  await startPostern(t, {
    resources: yaml(
      gateway({ port }),
      federation({
        name: 'all',
        prefixMode: 'Never',
        targets: ['a', 'b'].map((name) => ({
          name,
          static: { host: '127.0.0.1', port: upstream.port },
        })),
      }),
      route({ rule: { backendRefs: [BACKEND] } }),
      glooPolicy(rbac('mcp.tool.name == "echo"'), { name: 'rules', target: BACKEND }),
    ),
    options: ['--workers=1'],
  });

  const sse = await openSse(port, '/mcp/sse');
  t.after(() => sse.close());
  await sse.ask(initialize);
  const opened = await sendMcp(port, initialize);
  const headers = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  const ask = async (message: object) => (await sendMcp(port, message, { headers })).text;
  assert.match(await ask(list), /"tools":\[\{"name":"echo"/);

  // Messages of HTTP+SSE that follow this notification are decided on, and wait for it.
  const posted = [sse.post({ jsonrpc: '2.0', method: 'notifications/initialized' })];
  await until('the notification', () => notified > 0);
  tools.push('secret');
  posted.push(sse.post(call(7, 'secret')), sse.post(call(8, 'echo')));
  for (const id of [4, 5]) await ask({ jsonrpc: '2.0', id, method: 'ping' });
  assert.match(await ask(list), /"tools":\[\{"name":"echo"[^\]]*\]/);
  release();
  await Promise.all(posted);

  const answerTo = (id: number) =>
    until(`the answer to ${id}`, () => messages(sse.events).find((message) => message.id === id));
  assert.match(JSON.stringify(await answerTo(7)), /Unknown tool: secret/);
  assert.match(JSON.stringify(await answerTo(8)), /"executed"/);
  assert.deepEqual(executed, ['echo']);
});
