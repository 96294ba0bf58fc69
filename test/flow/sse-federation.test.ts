/** HTTP+SSE in front of a federation: the session at every target, its stream, its end, and names that are learned. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  beginEvents,
  event,
  json,
  startFakeUpstream,
  type Script,
} from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { startPostern } from '../harness/postern.ts';
import {
  federation,
  gateway,
  glooJwt,
  glooPolicy,
  localJwks,
  rbac,
  route,
  yaml,
  type Resource,
} from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { messages, openSse } from '../harness/sse-client.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

const PATH = '/mcp/sse';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const jwt = glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }));
const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'all' };
const call = (id: number, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

/** A session server with one tool, which says a word of its own on its GET stream. */
function server(label: string, tool: string): Script {
  let isInitialized = false;
  return (request, response) => {
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    if (request.method === 'GET') {
      beginEvents(response);
      const method = `notifications/of-${label}`;
      return void response.write(event(JSON.stringify({ jsonrpc: '2.0', method })));
    }
    const { id, method } = JSON.parse(request.body) as { id?: unknown; method: string };
    // Some servers take their time, and nothing else before.
    if (id === undefined) {
      setTimeout(() => {
        isInitialized = true;
        response.writeHead(202).end();
      }, 200);
      return;
    }
    if (method === 'tools/list' && !isInitialized) {
      const error = { code: -32600, message: 'not initialized' };
      return json({ jsonrpc: '2.0', id, error })(request, response);
    }
    if (method === 'initialize') response.setHeader('mcp-session-id', `session-of-${label}`);
    const result =
      method === 'initialize'
        ? {
            protocolVersion: '2025-06-18',
            capabilities: { tools: {} },
            serverInfo: { name: label, version: '1' },
          }
        : method === 'tools/list'
          ? { tools: [{ name: tool, inputSchema: { type: 'object' } }] }
          : { content: [{ type: 'text', text: `done at ${label}` }] };
    return json({ jsonrpc: '2.0', id, result })(request, response);
  };
}

async function start(scope: Scope, prefixMode: string, workers: number, ...more: Resource[]) {
  const one = await startFakeUpstream(scope, server('one', 'secret'));
  const two = await startFakeUpstream(scope, server('two', 'echo'));
  const port = await freePort();
  const target = (name: string, at: number) => ({ name, static: { host: '127.0.0.1', port: at } });
  const postern = await startPostern(scope, {
    resources: yaml(
      gateway({ port }),
      jwt,
      federation({
        name: 'all',
        prefixMode,
        targets: [target('one', one.port), target('two', two.port)],
      }),
      route({ name: 'all', rule: { backendRefs: [BACKEND] } }),
      ...more,
    ),
    options: [`--workers=${workers}`],
  });
  return { one, two, port, postern };
}

for (const workers of [1, 2]) {
  describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
    test('the streams of all targets reach the client, and its sessions there end with its stream', async (t) => {
      const { one, two, port } = await start(t, 'Conditional', workers);
      const client = await openSse(port, PATH, alice);
      await client.initialize();
      // What came last decides nothing: GET and DELETE are no part of a message.
      await client.ask(call(7, 'one_secret'));
      for (const label of ['one', 'two']) {
        await until(`the word of ${label}`, () =>
          messages(client.events).some(({ method }) => method === `notifications/of-${label}`),
        );
      }
      client.close();
      for (const [label, target] of Object.entries({ one, two })) {
        const end = await until(`the end of the session at ${label}`, () =>
          target.requests.find(({ method }) => method === 'DELETE'),
        );
        assert.equal(end.headers['mcp-session-id'], `session-of-${label}`);
      }
    });
  });
}

test('a tool is found before any list was asked for, with names that carry no target', async (t) => {
  const rules = glooPolicy(rbac('mcp.tool.name == "echo"'), { name: 'rules', target: BACKEND });
  const { one, two, port } = await start(t, 'Never', 1, rules);
  const client = await openSse(port, PATH, alice);
  await client.initialize();
  assert.deepEqual((await client.ask(call(7, 'echo'))).result, {
    content: [{ type: 'text', text: 'done at two' }],
  });
  const denied = await client.ask(call(8, 'secret'));
  assert.ok(denied.result === undefined, JSON.stringify(denied));
  client.close();
  const called = [...one.requests, ...two.requests].filter(({ body }) =>
    body.includes('"tools/call"'),
  );
  assert.deepEqual(
    called.map(({ body }) => body.includes('"name":"echo"')),
    [true],
  );
});
