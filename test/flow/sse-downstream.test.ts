/**
 * HTTP+SSE in front of Streamable HTTP, message by message: what the client gets on its stream, what the server is
 * asked, who may post to a stream, and what ends when the client leaves.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';
import {
  beginEvents,
  event,
  json,
  startFakeUpstream,
  type FakeUpstream,
  type Script,
} from '../harness/fake-upstream.ts';
import { startGate, type Gate, type GateOptions } from '../harness/gate.ts';
import { open, send } from '../harness/http-client.ts';
import {
  glooJwt,
  glooPolicy,
  KGATEWAY_GROUP,
  localJwks,
  mcpBackend,
  rbac,
  route,
} from '../harness/resources.ts';
import { fileScope, type Scope } from '../harness/scope.ts';
import { messages, openSse } from '../harness/sse-client.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { sleep, until } from '../harness/until.ts';

const UPSTREAM_ID = 'the-upstreams-own-id';
const SESSION = 'mcp-session-id';
const PATH = '/mcp/sse';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const bob = await issuer.sign({ sub: 'bob' });
const jwt = glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }));
const toolRules = glooPolicy(rbac('jwt.sub == "alice" && mcp.tool.name == "echo"'), {
  name: 'tools',
  target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' },
});
const call = (id: number, name = 'echo') => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});
const result = (id: unknown, value: object = {}) => ({ jsonrpc: '2.0', id, result: value });

/** A session server: `initialize` opens, `get` answers GET, DELETE ends; `more` answers everything else. */
function sessionServer(
  more: Script = (_request, response) => void response.writeHead(202).end(),
  get: Script = (_request, response) => void response.writeHead(405).end(),
): Script {
  return async (request, response) => {
    const { method, id } =
      request.method === 'POST'
        ? (JSON.parse(request.body) as { method?: string; id?: unknown })
        : {};
    if (method === 'initialize') {
      response.setHeader(SESSION, UPSTREAM_ID);
      return json(result(id, { protocolVersion: '2025-06-18', capabilities: {} }))(
        request,
        response,
      );
    }
    if (method === 'notifications/initialized') return void response.writeHead(202).end();
    if (request.method === 'DELETE') return void response.writeHead(200).end();
    await (request.method === 'GET' ? get : more)(request, response);
  };
}

const start = (
  scope: Scope,
  upstreamPort: number,
  options: Partial<GateOptions> = {},
): Promise<Gate> => startGate(scope, { upstreamPort, more: [jwt], ...options });

describe('a stream', () => {
  let upstream: FakeUpstream;
  let gate: Gate;
  before(async () => {
    upstream = await startFakeUpstream(fileScope);
    gate = await start(fileScope, upstream.port);
  });

  test('names the path it was opened at, without its query, and asks the server nothing', async () => {
    upstream.script = sessionServer();
    const client = await openSse(gate.port, `${PATH}?x=1`, alice);
    assert.match(client.endpoint, /^\/mcp\/sse\?sessionId=[\w-]+$/);
    assert.equal(upstream.requests.length, 0);
    client.close();
  });

  test('hides the server\u2019s session id, and keeps it, with the revision, for all that follows', async () => {
    upstream.script = sessionServer((request, response) => json(result(7))(request, response));
    const first = upstream.requests.length;
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    assert.deepEqual(await client.ask(call(7)), result(7));
    client.close();
    const requests = await until('the session to be ended', () => {
      const all = upstream.requests.slice(first);
      return all.some(({ method }) => method === 'DELETE') ? all : undefined;
    });
    const seen = requests.map(({ method, headers }) => [
      method,
      headers[SESSION],
      headers['mcp-protocol-version'],
    ]);
    const known = [UPSTREAM_ID, '2025-06-18'];
    assert.deepEqual(seen[0], ['POST', undefined, undefined]);
    assert.deepEqual(seen[1], ['POST', ...known]);
    // The GET and the call overtake each other at will.
    assert.deepEqual(seen.slice(2, 4).sort(), [
      ['GET', ...known],
      ['POST', ...known],
    ]);
    assert.deepEqual(seen[4], ['DELETE', ...known]);
    for (const { headers, url } of requests) {
      assert.equal(headers.authorization, undefined);
      assert.equal(url, '/mcp');
    }
    assert.equal(requests[0]?.headers.accept, 'application/json, text/event-stream');
    assert.ok(!client.text().includes(UPSTREAM_ID));
    assert.ok(!gate.accessLog().includes(UPSTREAM_ID));
    assert.ok(!gate.accessLog().includes(client.endpoint.slice(-40)));
  });

  const answers: readonly [name: string, script: Script, expected: readonly unknown[]][] = [
    [
      'JSON, over several lines',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
        response.end(JSON.stringify(result(7, { text: 'a\nb' }), null, 2).replaceAll('\n', '\r\n'));
      },
      [result(7, { text: 'a\nb' })],
    ],
    [
      'events with ids, comments and an empty one',
      (_request, response) => {
        beginEvents(response);
        response.write(': hello\n\nid: 1\ndata:\n\n');
        response.write(`id: 2\n${event('{"jsonrpc":"2.0","method":"notifications/progress"}')}`);
        response.end(
          `id: 3\nevent: message\ndata: {"jsonrpc":"2.0",\ndata: "id":7,"result":{}}\n\n`,
        );
      },
      [{ jsonrpc: '2.0', method: 'notifications/progress' }, result(7)],
    ],
    [
      'an HTTP error with a JSON-RPC error',
      json(
        { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'no', data: { tools: [] } } },
        400,
      ),
      [{ jsonrpc: '2.0', id: 7, error: { code: -32001, message: 'no' } }],
    ],
    [
      'an HTTP error with a result',
      json(result(7), 500),
      [
        {
          jsonrpc: '2.0',
          id: 7,
          error: { code: -32603, message: 'upstream call failed: HTTP status 500' },
        },
      ],
    ],
    [
      'events that end without an answer',
      (_request, response) => {
        beginEvents(response);
        response.end(event('{"jsonrpc":"2.0","method":"notifications/progress"}'));
      },
      [
        { jsonrpc: '2.0', method: 'notifications/progress' },
        {
          jsonrpc: '2.0',
          id: 7,
          error: { code: -32603, message: 'upstream call failed: the answer is not valid HTTP' },
        },
      ],
    ],
    [
      'a connection that breaks',
      (_request, response) => void response.destroy(),
      [
        {
          jsonrpc: '2.0',
          id: 7,
          error: {
            code: -32603,
            message: 'upstream call failed: connection closed before an answer',
          },
        },
      ],
    ],
    [
      'what is not JSON',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('event: endpoint\n\ndata: x');
      },
      [
        {
          jsonrpc: '2.0',
          id: 7,
          error: { code: -32603, message: 'upstream call failed: the answer is not valid HTTP' },
        },
      ],
    ],
  ];
  for (const [name, script, expected] of answers) {
    test(`brings ${name} to the client`, async () => {
      upstream.script = sessionServer(script);
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      await client.ask(call(7));
      assert.deepEqual(messages(client.events).slice(1), expected);
      client.close();
    });
  }

  test('ends when the server does not know its session any more', async () => {
    upstream.script = sessionServer((_request, response) => void response.writeHead(404).end());
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    await client.ask(call(7));
    await until('the stream to end', () => client.hasEnded());
    assert.equal((await client.post(call(8))).status, 404);
  });

  test('carries what the server says of its own accord, and resumes it after a break', async () => {
    const gets: unknown[] = [];
    upstream.script = sessionServer(undefined, (request, response) => {
      const { 'last-event-id': lastEventId } = request.headers;
      gets.push(lastEventId);
      beginEvents(response);
      const message = { jsonrpc: '2.0', method: `notifications/x${gets.length}` };
      response.write(`id: e${gets.length}\n${event(JSON.stringify(message))}`);
      if (gets.length === 1) response.end();
    });
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    await until('both messages', () => client.text().includes('notifications/x2'));
    assert.deepEqual(gets, [undefined, 'e1']);
    client.close();
  });

  test('ends what is in flight, and the server\u2019s stream, when the client leaves', async () => {
    upstream.script = async (request, response) => {
      if (request.method === 'GET') beginEvents(response);
      else if (!request.body.includes('tools/call')) await sessionServer()(request, response);
    };
    const first = upstream.requests.length;
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    assert.equal((await client.post(call(7))).status, 202);
    const asked = await until('the call and the GET', () => {
      const all = upstream.requests.slice(first);
      const open = all.filter(
        ({ method, body }) => method === 'GET' || body.includes('tools/call'),
      );
      return open.length === 2 ? open : undefined;
    });
    client.close();
    for (const { aborted } of asked) {
      assert.notEqual(await Promise.race([aborted, sleep(5000)]), undefined, 'it was not ended');
    }
    await until('the session to be ended', () =>
      upstream.requests.slice(first).some(({ method }) => method === 'DELETE'),
    );
    assert.equal((await client.post(call(8))).status, 404);
  });

  const refused: readonly [name: string, body: string, status: number][] = [
    ['what is not JSON', '{', 400],
    ['a batch', '[]', 400],
    ['params that are wrong', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 400],
  ];
  for (const [name, body, status] of refused) {
    test(`has ${name} refused in the answer to the POST`, async () => {
      const client = await openSse(gate.port, PATH, alice);
      assert.equal((await client.post(body)).status, status);
      assert.equal(client.events.length, 1);
      client.close();
    });
  }

  test('is opened by nobody without a token', async () => {
    const answer = await send({
      port: gate.port,
      path: PATH,
      headers: { accept: 'text/event-stream' },
    });
    assert.equal(answer.status, 403);
  });

  const streamable: readonly [name: string, path: string, headers: Record<string, string>][] = [
    ['another last segment', '/mcp/ssex', {}],
    ['a segment after it', '/mcp/sse/x', {}],
    ['another media type', PATH, { accept: 'application/json' }],
  ];
  for (const [name, path, headers] of streamable) {
    test(`is not what a GET with ${name} opens`, async () => {
      upstream.script = (_request, response) => void response.writeHead(405).end('streamable');
      const answer = await send({
        port: gate.port,
        path,
        headers: { accept: 'text/event-stream', authorization: `Bearer ${alice}`, ...headers },
      });
      assert.equal(answer.text, 'streamable');
    });
  }
});

for (const workers of [1, 2]) {
  describe(`with ${workers} worker${workers === 1 ? '' : 's'}, a message`, () => {
    let upstream: FakeUpstream;
    let gate: Gate;
    before(async () => {
      upstream = await startFakeUpstream(
        fileScope,
        sessionServer((request, response) =>
          json(result((JSON.parse(request.body) as { id: unknown }).id))(request, response),
        ),
      );
      gate = await start(fileScope, upstream.port, {
        more: [
          jwt,
          toolRules,
          mcpBackend({ port: upstream.port, name: 'other' }),
          route({ name: 'other', prefix: '/other', backend: 'other' }),
        ],
        options: [`--workers=${workers}`, '--on-deny=unknown'],
      });
    });

    test('reaches the stream from whichever connection it comes', async () => {
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      for (let id = 100; id < 116; id += 1)
        assert.deepEqual(await client.ask(call(id)), result(id));
      client.close();
    });

    test('that a policy denies is answered on the stream, and never reaches the server', async () => {
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      const first = upstream.requests.length;
      for (let id = 200; id < 208; id += 1) {
        const { error } = await client.ask(call(id, 'secret'));
        assert.deepEqual(error, { code: -32602, message: 'Unknown tool: secret' });
      }
      assert.ok(upstream.requests.slice(first).every(({ body }) => !body.includes('secret')));
      client.close();
    });

    const attempts: readonly [
      name: string,
      post: (endpoint: string) => readonly [path: string, token: string],
    ][] = [
      ['of another principal', (endpoint) => [endpoint, bob]],
      ['at another backend', (endpoint) => [endpoint.replace('/mcp', '/other'), alice]],
      ['to a changed stream', (endpoint) => [`${endpoint.slice(0, -3)}AAA`, alice]],
      [
        'to a made-up stream',
        () => [`${PATH}?sessionId=${randomBytes(80).toString('base64url')}`, alice],
      ],
      ['to no stream', () => [`${PATH}?sessionId=`, alice]],
      ['to two streams', (endpoint) => [`${endpoint}&sessionId=x`, alice]],
    ];
    for (const [name, attempt] of attempts) {
      test(`${name} is answered with 404, and nothing happens`, async () => {
        const client = await openSse(gate.port, PATH, alice);
        await client.initialize();
        await until('the GET', () => upstream.requests.at(-1)?.method === 'GET');
        const first = upstream.requests.length;
        const [path, token] = attempt(client.endpoint);
        for (let round = 0; round < 6; round += 1) {
          const answer = await send({
            port: gate.port,
            path,
            body: JSON.stringify(call(round)),
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          });
          assert.equal(answer.status, 404);
          assert.equal(answer.text, 'Session not found');
        }
        assert.equal(upstream.requests.length, first);
        assert.equal(client.events.length, 2);
        client.close();
      });
    }

    test('to a stream that has ended is answered with 404', async () => {
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      client.close();
      await gate.waitForAccessLine(/http\.method=GET .*http\.path=\/mcp\/sse/);
      await until('404', async () => (await client.post(call(1))).status === 404);
    });
  });
}

test('lists that come on the server\u2019s own stream are filtered', async (t) => {
  const list = result(99, { tools: [{ name: 'echo' }, { name: 'secret' }] });
  const upstream = await startFakeUpstream(t, async (request, response) => {
    if (request.method !== 'GET') return sessionServer()(request, response);
    beginEvents(response);
    response.write(event(JSON.stringify(list)));
  });
  const gate = await start(t, upstream.port, { more: [jwt, toolRules] });
  const client = await openSse(gate.port, PATH, alice);
  await client.initialize();
  const answer = await until('the list', () => messages(client.events).find(({ id }) => id === 99));
  assert.deepEqual(answer, result(99, { tools: [{ name: 'echo' }] }));
});

describe('the bounds', () => {
  const openRaw = (port: number, token: string) =>
    open({
      port,
      path: PATH,
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}` },
    });

  test('of streams hold for one caller and for all, and a stream that ends makes room', async (t) => {
    const upstream = await startFakeUpstream(t, sessionServer());
    const gate = await start(t, upstream.port, {
      options: ['--sse-streams=3', '--sse-streams-per-caller=2'],
    });
    const first = await openSse(gate.port, PATH, alice);
    await openSse(gate.port, PATH, alice);
    assert.equal((await openRaw(gate.port, alice)).response.statusCode, 429);
    await openSse(gate.port, PATH, bob);
    assert.equal((await openRaw(gate.port, bob)).response.statusCode, 503);
    first.close();
    await until('room for another', async () => {
      const { request, response } = await openRaw(gate.port, bob);
      if (response.statusCode === 200) return true;
      request.destroy();
      return false;
    });
  });

  test('of messages in flight', async (t) => {
    const upstream = await startFakeUpstream(
      t,
      sessionServer(() => undefined),
    );
    const gate = await start(t, upstream.port);
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    const statuses: number[] = [];
    for (let id = 1; id <= 66; id += 1) statuses.push((await client.post(call(id))).status);
    assert.deepEqual(statuses, [...Array.from({ length: 64 }, () => 202), 429, 429]);
  });

  test('of what waits for a client that does not read: its stream is cut, others go on', async (t) => {
    const text = 'x'.repeat(512 * 1024);
    const upstream = await startFakeUpstream(
      t,
      sessionServer((request, response) =>
        json(result((JSON.parse(request.body) as { id: unknown }).id, { text }))(request, response),
      ),
    );
    const gate = await start(t, upstream.port, { options: ['--sse-queue=2MiB'] });
    const other = await openSse(gate.port, PATH, bob);
    await other.initialize();
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    client.response.pause();
    let status = 0;
    for (let id = 1; id <= 500 && status !== 404; id += 1) {
      ({ status } = await client.post(call(id)));
      if (status === 429) await sleep(50);
    }
    assert.equal(status, 404, 'the stream was not cut');
    await gate.waitForAccessLine(/reads its stream too slowly/);
    assert.deepEqual(Object.keys((await other.ask(call(1000))).result as object), ['text']);
  });

  test('of an event stream: a client that does not read stops the server, and loses nothing', async (t) => {
    const chunk = event(
      JSON.stringify({ jsonrpc: '2.0', method: 'm', params: 'x'.repeat(65_000) }),
    );
    const total = 800;
    let written = 0;
    const upstream = await startFakeUpstream(
      t,
      sessionServer(async (_request, response) => {
        beginEvents(response);
        while (written < total && !response.destroyed) {
          written += 1;
          if (!response.write(chunk)) await once(response, 'drain');
        }
        response.end(event(JSON.stringify(result(7))));
      }),
    );
    const gate = await start(t, upstream.port, { options: ['--sse-queue=1MiB'] });
    const client = await openSse(gate.port, PATH, alice);
    await client.initialize();
    client.response.pause();
    assert.equal((await client.post(call(7))).status, 202);
    await sleep(2000);
    const stalledAt = written;
    assert(stalledAt < total / 2, `the server was not slowed down: ${stalledAt}`);
    await sleep(500);
    assert.equal(written, stalledAt);
    client.response.resume();
    await until(
      'the answer',
      () => client.events.at(-1)?.data === JSON.stringify(result(7)),
      20_000,
    );
    assert.equal(messages(client.events).filter(({ method }) => method === 'm').length, total);
  });
});

test('a stream of a gate that was started anew is unknown', async (t) => {
  const upstream = await startFakeUpstream(t, sessionServer());
  const env = { POSTERN_SESSION_KEY: randomBytes(32).toString('hex') };
  const before = await start(t, upstream.port, { env });
  const { endpoint } = await openSse(before.port, PATH, alice);
  before.kill('SIGKILL');
  const after = await start(t, upstream.port, { env });
  const answer = await send({
    port: after.port,
    path: endpoint,
    body: JSON.stringify(call(1)),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${alice}` },
  });
  assert.equal(answer.status, 404);
});
