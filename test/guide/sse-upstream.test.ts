/**
 * A server that speaks HTTP+SSE alone (MCP 2024-11-05), used over Streamable HTTP through the gate: with the
 * official clients, over restarts of the server, with several workers, and under policies.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { before, describe, test } from 'node:test';
import { startEverythingServer, type EverythingServer } from '../harness/everything-server.ts';
import {
  beginEvents,
  event,
  startFakeUpstream,
  type FakeUpstream,
  type ReceivedRequest,
} from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, open, send, sendMcp, type Answer } from '../harness/http-client.ts';
import {
  glooJwt,
  glooPolicy,
  KGATEWAY_GROUP,
  localJwks,
  mcpBackend,
  rbac,
} from '../harness/resources.ts';
import { fileScope, type Scope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';
import { connectAnsweringClient } from '../peers/answering-client.ts';
import { connectMcpRemote } from '../peers/mcp-remote.ts';
import { connectSdk1 } from '../peers/sdk1-client.ts';
import { connectSdk2 } from '../peers/sdk2-client.ts';

const SESSION = 'mcp-session-id';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const bob = await issuer.sign({ sub: 'bob' });
const sessionKey = randomBytes(32).toString('hex');

const backend = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
const alicesTools = rbac('jwt.sub == "alice" || mcp.tool.name == "echo"');

function startSseGate(
  scope: Scope,
  server: { readonly port: number },
  options: readonly string[] = [],
): Promise<Gate> {
  return startGate(scope, {
    upstreamPort: server.port,
    options,
    env: { POSTERN_SESSION_KEY: sessionKey },
    more: [
      mcpBackend({ port: server.port, protocol: 'SSE' }),
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      glooPolicy(alicesTools, { name: 'tools', target: backend }),
    ],
  });
}

let server: EverythingServer;
let gate: Gate;
let url: string;

before(async () => {
  server = await startEverythingServer(fileScope, { transport: 'sse' });
  gate = await startSseGate(fileScope, server);
  url = `http://127.0.0.1:${gate.port}/mcp`;
});

const clients = [
  { name: 'SDK 1.x', connect: connectSdk1 },
  { name: 'SDK 2.x in auto mode', connect: connectSdk2 },
  {
    name: 'SDK 2.x in legacy mode',
    connect: (scope: Scope, to: string, token?: string) => connectSdk2(scope, to, token, 'legacy'),
  },
  { name: 'mcp-remote', connect: connectMcpRemote },
];

describe('an SSE-only server, with the official clients', () => {
  for (const { name, connect } of clients) {
    test(`${name}: lists tools and calls them, many at once`, async (t) => {
      const client = await connect(t, url, alice);
      const { tools } = await client.listTools();
      assert.ok(tools.some((tool) => tool.name === 'get-sum'));
      const numbers = Array.from({ length: 20 }, (_, index) => index);
      await Promise.all(
        numbers.map(async (a) => {
          const called = await client.callTool({ name: 'get-sum', arguments: { a, b: 1000 } });
          assert.match(JSON.stringify(called), new RegExp(`is ${a + 1000}\\b`));
        }),
      );
    });

    test(`${name}: a tool that a policy hides is neither listed nor called`, async (t) => {
      const client = await connect(t, url, bob);
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map((tool) => tool.name),
        ['echo'],
      );
      const called = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      assert.match(JSON.stringify(called), /Echo: hello/);
      const outcomeOf = (tool: string): Promise<string> =>
        client.callTool({ name: tool, arguments: { a: 1, b: 2 } }).then(
          (result) => JSON.stringify(result).replaceAll(tool, 'NAME'),
          (error: unknown) => String(error).replaceAll(tool, 'NAME'),
        );
      const hidden = await outcomeOf('get-sum');
      assert.equal(hidden, await outcomeOf('no-such-tool'));
      assert.match(hidden, /NAME not found/);
    });
  }

  test('progress of a long operation arrives in order, before its end', async (t) => {
    const client = await connectSdk1(t, url, alice);
    const progress: number[] = [];
    const called = await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } },
      undefined,
      { onprogress: (step) => progress.push(step.progress) },
    );
    assert.match(JSON.stringify(called), /Long running operation completed/);
    assert.deepEqual(progress, [1, 2, 3, 4]);
  });

  test('sampling, elicitation and roots go to the client and back', async (t) => {
    const { client, asked } = await connectAnsweringClient(t, url, alice);
    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'x', maxTokens: 10 },
    });
    assert.match(JSON.stringify(sampled), /sampled by the test/);
    const elicited = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
    assert.match(JSON.stringify(elicited), /Ada of the test/);
    // Asked for when no request ran: it came on the GET stream.
    await until('the server to ask for roots', () => asked.includes('roots/list'), 10_000);
    const roots = await client.callTool({ name: 'get-roots-list', arguments: {} });
    assert.match(JSON.stringify(roots), /root of the test/);
  });

  test('messages that answer nothing come on the GET stream', async (t) => {
    const client = await connectSdk1(t, url, alice);
    const logged = new Promise((resolve) => {
      client.fallbackNotificationHandler = (notification) => {
        if (notification.method === 'notifications/message') resolve(notification);
        return Promise.resolve();
      };
    });
    await client.callTool({ name: 'toggle-simulated-logging', arguments: {} });
    await logged;
  });
});

describe('sessions of an SSE-only server', () => {
  const post = (message: unknown, session: string | null, token = alice, port = gate.port) =>
    sendMcp(port, message, {
      token,
      ...(session === null ? {} : { headers: { [SESSION]: session } }),
    });
  const echo = (message: string, id = 7) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'echo', arguments: { message } },
  });

  async function openSession(port = gate.port): Promise<string> {
    const { status, headers, text } = await post(initialize, null, alice, port);
    assert.equal(status, 200, text);
    assert.equal(headers['content-type'], 'application/json');
    assert.match(text, /"serverInfo"/);
    return String(headers[SESSION]);
  }

  test('the session id says nothing to the client, and names no address of the server', async () => {
    const session = await openSession();
    assert.match(session, /^[\w-]+$/);
    assert.ok(!Buffer.from(session, 'base64url').includes('clientInfo'));
  });

  const rows: readonly [string, (session: string) => Promise<Answer>, number][] = [
    ['of another principal', (session) => post(echo('x'), session, bob), 404],
    ['that was changed', (session) => post(echo('x'), `${session.slice(0, -3)}AAA`), 404],
    ['that is missing', () => post(echo('x'), null), 400],
  ];
  for (const [name, attempt, status] of rows) {
    test(`a session ${name} is answered with ${status}`, async () => {
      assert.equal((await attempt(await openSession())).status, status);
    });
  }

  test('what the modern revision sends is refused so that clients fall back', async () => {
    const version = '2026-07-28';
    const discover = {
      jsonrpc: '2.0',
      id: 1,
      method: 'server/discover',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': version,
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    };
    const headers = { 'mcp-protocol-version': version, 'mcp-method': 'server/discover' };
    const answer = await sendMcp(gate.port, discover, { token: alice, headers });
    assert.equal(answer.status, 400);
    assert.match(answer.text, /"id":1,"error":\{"code":-32601/);
  });

  test('DELETE ends a session and closes its connection', async () => {
    const before = await settledConnections();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => openSession()));
    assert.ok((await server.connections()) >= before + sessions.length);
    for (const session of sessions) {
      assert.match((await post(echo('a'), session)).text, /Echo: a/);
      const deleted = await send({
        port: gate.port,
        method: 'DELETE',
        headers: { authorization: `Bearer ${alice}`, [SESSION]: session },
      });
      assert.equal(deleted.status, 200);
      assert.equal((await post(echo('a'), session)).status, 404);
    }
    await until(
      'the connections to close',
      async () => (await server.connections()) <= before,
      15_000,
    );
  });

  test('a session has one GET stream', async () => {
    const session = await openSession();
    const listen = () =>
      open({
        port: gate.port,
        headers: {
          authorization: `Bearer ${alice}`,
          accept: 'text/event-stream',
          [SESSION]: session,
        },
      });
    const first = await listen();
    assert.equal(first.response.statusCode, 200);
    assert.equal(first.response.headers['content-type'], 'text/event-stream');
    const second = await listen();
    assert.equal(second.response.statusCode, 409);
    second.request.destroy();
    first.request.destroy();
    await until(
      'the stream to be free again',
      async () => {
        const again = await listen();
        again.request.destroy();
        return again.response.statusCode === 200;
      },
      10_000,
    );
  });

  test('a session is good at a replica and after a restart of the gate', async (t) => {
    const session = await openSession();
    const replica = await startSseGate(t, server);
    assert.match((await post(echo('again'), session, alice, replica.port)).text, /Echo: again/);
    await replica.stop();
  });

  /** Connections that are about to close must not be counted as open. */
  async function settledConnections(): Promise<number> {
    let last = -1;
    await until(
      'the connections to settle',
      async () => {
        const now = await server.connections();
        const isSettled = now === last;
        last = now;
        return isSettled;
      },
      15_000,
    );
    return last;
  }
});

test('a session outlives a restart of the server; what ran is failed, not left hanging', async (t) => {
  const own = await startEverythingServer(t, { transport: 'sse' });
  const ownGate = await startSseGate(t, own);
  const { client } = await connectAnsweringClient(t, `http://127.0.0.1:${ownGate.port}/mcp`, alice);
  const running = sendRunning(ownGate.port);
  const { response } = await running;
  await own.kill();
  await assert.rejects(async () => {
    for await (const chunk of response) assert.ok(chunk);
  });
  await ownGate.waitForAccessLine(/UPSTREAM_RESET|connection closed/);
  await own.start();
  // Capabilities are remembered: the server offers what depends on them.
  const sampled = await client.callTool({
    name: 'trigger-sampling-request',
    arguments: { prompt: 'x', maxTokens: 10 },
  });
  assert.match(JSON.stringify(sampled), /sampled by the test/);
});

async function sendRunning(port: number) {
  const { headers } = await sendMcp(port, initialize, { token: alice });
  return open({
    port,
    method: 'POST',
    headers: {
      authorization: `Bearer ${alice}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      [SESSION]: String(headers[SESSION]),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 2 } },
    }),
  });
}

test('several workers serve one session', async (t) => {
  const workers = await startSseGate(t, server, ['--workers=2']);
  const { client, asked } = await connectAnsweringClient(
    t,
    `http://127.0.0.1:${workers.port}/mcp`,
    alice,
  );
  const { headers } = await sendMcp(workers.port, initialize, { token: alice });
  const session = String(headers[SESSION]);
  // A connection each: the kernel spreads them over the workers.
  for (let id = 1; id <= 20; id += 1) {
    const call = { name: 'echo', arguments: { message: `number ${id}` } };
    const message = { jsonrpc: '2.0', id, method: 'tools/call', params: call };
    const answer = await sendMcp(workers.port, message, {
      token: alice,
      headers: { [SESSION]: session },
    });
    assert.match(answer.text, new RegExp(`Echo: number ${id}`));
  }
  for (let round = 0; round < 5; round += 1) {
    const elicited = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
    assert.match(JSON.stringify(elicited), /Ada of the test/);
  }
  assert.ok(asked.includes('elicitation/create'));
});

describe('with a server that a test scripts', () => {
  const answerTo = (id: unknown) => event(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));

  /** An SSE server whose tools never answer. */
  async function startScripted(t: Scope, endpoint: string): Promise<FakeUpstream> {
    let stream: ServerResponse | null = null;
    return startFakeUpstream(t, ({ method, body }, response) => {
      if (method === 'GET') {
        stream = response;
        beginEvents(response);
        response.write(`event: endpoint\ndata: ${endpoint}\n\n`);
        return;
      }
      response.writeHead(202).end();
      const message = JSON.parse(body) as { id?: number; method?: string };
      if (message.method === 'initialize') stream?.write(answerTo(message.id));
    });
  }

  test('a client that goes away cancels its request, and keeps its session', async (t) => {
    const scripted = await startScripted(t, '/message?sessionId=1');
    const ownGate = await startSseGate(t, scripted);
    const { request, response } = await sendRunning(ownGate.port);
    assert.equal(response.statusCode, 200);
    request.destroy();
    const isCancellation = ({ body }: ReceivedRequest) => body.includes('notifications/cancelled');
    await until('the cancellation', () => scripted.requests.some(isCancellation), 10_000);
    const { url: path, body } = scripted.requests.find(isCancellation) ?? assert.fail();
    assert.equal(path, '/message?sessionId=1');
    assert.match(body, /"requestId":9\b/);
    assert.equal(scripted.requests.filter(({ method }) => method === 'GET').length, 1);
  });

  test('an endpoint elsewhere is never asked, and the log says why', async (t) => {
    const evil = await startFakeUpstream(t);
    const scripted = await startScripted(t, `http://127.0.0.1:${evil.port}/message`);
    const ownGate = await startSseGate(t, scripted);
    const answer = await sendMcp(ownGate.port, initialize, { token: alice });
    assert.equal(answer.status, 502);
    assert.equal(answer.headers[SESSION], undefined);
    await ownGate.waitForAccessLine(/the endpoint is not of the same origin/);
    assert.equal(evil.connections, 0);
    assert.ok(scripted.requests.every(({ method }) => method === 'GET'));
  });
});
