import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headerValue } from '../../../src/accept/request-head.ts';
import type { UpstreamCall } from '../../../src/forward/upstream.ts';
import type { SealOwner } from '../../../src/mcp/seal-binding.ts';
import { createSealer } from '../../../src/mcp/seal.ts';
import { ownerKey } from '../../../src/mcp/sse-upstream/connection-table.ts';
import { sseLimits, type SseLimits } from '../../../src/mcp/sse-upstream/limits.ts';
import {
  createSessionNewsroom,
  type NewsSiblings,
} from '../../../src/mcp/sse-upstream/session-news.ts';
import { createSseUpstream } from '../../../src/mcp/sse-upstream/sse-upstream.ts';
import { until } from '../../harness/until.ts';
import {
  accept,
  beginStream,
  fakeAnswer,
  fakeHttp,
  refuse,
  sendEvent,
  type FakeAnswer,
  type FakeCall,
  type FakeHttp,
} from './fake-answer.ts';

const alice: SealOwner = { kind: 'subject', issuer: 'i', subject: 'alice' };
const bob: SealOwner = { kind: 'subject', issuer: 'i', subject: 'bob' };
const clientInfo = { name: 'a client', version: '1' };
const initializeParams = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {} },
  clientInfo,
};
const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: initializeParams };
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
const call = (id: number | string, params: object = { name: 'echo' }) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params,
});

interface Asked {
  readonly answer: FakeAnswer;
  readonly call: UpstreamCall;
}

const sealer = createSealer({
  keys: [Buffer.alloc(32, 7)],
  clock: () => 0,
  lifetimeMs: 60_000,
});

/** A worker: an adapter of its own in front of a server that may be shared. */
function worker(
  http: FakeHttp = fakeHttp(),
  limits: Partial<SseLimits> = {},
  name = 'w',
  siblings: NewsSiblings | null = null,
) {
  let uids = 0;
  const upstream = createSseUpstream(http, {
    scheme: 'http',
    sealer,
    limits: { ...sseLimits, ...limits },
    createUid: () => `uid-of-a-session-${name}-${(uids += 1)}`,
    newsroom: createSessionNewsroom(siblings),
  });

  function ask(
    method: string,
    message: unknown,
    session: string | null,
    owner: SealOwner = alice,
  ): Asked {
    const answer = fakeAnswer();
    const headers = ['host', http.authority, 'authorization', 'Bearer x', 'accept-encoding', 'br'];
    if (session !== null) headers.push('mcp-session-id', session);
    const body = message === null ? null : Buffer.from(JSON.stringify(message));
    const running = upstream.request(
      { method, path: '/sse', headers, body, owner, hasTimeout: false },
      answer,
    );
    return { answer, call: running };
  }

  return {
    http,
    upstream,
    ask,
    post: (message: unknown, session: string | null, owner?: SealOwner) =>
      ask('POST', message, session, owner),
    get: (session: string | null) => ask('GET', null, session),
    /** Opens a session, answered and initialized. */
    openSession: (owner: SealOwner = alice): string => {
      const { answer } = ask('POST', initialize, null, owner);
      sendEvent(http.streams.at(-1), { jsonrpc: '2.0', id: 0, result: { capabilities: {} } });
      assert.equal(answer.status, 200);
      const session = headerValue(answer.headers, 'mcp-session-id') ?? '';
      assert.equal(ask('POST', initialized, session, owner).answer.status, 202);
      return session;
    },
  };
}

const methods = (http: FakeHttp): unknown[] => http.posts.map(({ message }) => message.method);
const stream = (http: FakeHttp): FakeCall | undefined => http.streams.at(-1);
/** Answers the replayed `initialize` of the last connection. */
const acceptReplay = (http: FakeHttp): void =>
  sendEvent(stream(http), { jsonrpc: '2.0', id: 'postern-initialize', result: {} });

describe('initialize', () => {
  test('opens a stream, posts to its endpoint, and is answered in JSON with a session', () => {
    const { http, post } = worker();
    const { answer } = post(initialize, null);
    assert.equal(http.streams.length, 1);
    const opened = http.streams[0]?.request;
    assert.equal(opened?.path, '/sse');
    assert.equal(headerValue(opened.headers, 'accept'), 'text/event-stream');
    assert.equal(headerValue(opened.headers, 'accept-encoding'), undefined);
    assert.equal(headerValue(opened.headers, 'authorization'), 'Bearer x');
    assert.equal(http.posts[0]?.request.path, '/message?sessionId=1');
    assert.deepEqual(http.posts[0].message, initialize);
    assert.equal(answer.status, 0);
    const result = { jsonrpc: '2.0', id: 0, result: { serverInfo: {} } };
    sendEvent(stream(http), result);
    assert.equal(answer.status, 200);
    assert.equal(answer.end, 'ended');
    assert.equal(headerValue(answer.headers, 'content-type'), 'application/json');
    assert.match(headerValue(answer.headers, 'mcp-session-id') ?? '', /^[!-~]+$/);
    assert.deepEqual(JSON.parse(answer.text), result);
  });

  test('that the server answers with an error opens no session, and the connection is closed', () => {
    const { http, post } = worker();
    const { answer } = post(initialize, null);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 0, error: { code: -32602, message: 'no' } });
    assert.equal(answer.status, 200);
    assert.equal(headerValue(answer.headers, 'mcp-session-id'), undefined);
    assert.ok(stream(http)?.isAborted);
  });

  test('that the server refuses over HTTP is answered so, and the connection is closed', () => {
    const { http, post } = worker();
    http.onPost = refuse(403, 'not you');
    const { answer } = post(initialize, null);
    assert.equal(answer.status, 403);
    assert.equal(answer.text, 'not you');
    assert.equal(headerValue(answer.headers, 'mcp-session-id'), undefined);
    assert.ok(stream(http)?.isAborted);
  });

  test('whose client goes away leaves no connection behind', () => {
    const { http, post } = worker();
    post(initialize, null).call.abort();
    assert.ok(stream(http)?.isAborted);
  });

  const endpoints: readonly string[] = [
    'http://evil.test/message',
    '//evil.test/message',
    'https://mcp.test:8080/message',
    'http://u@mcp.test:8080/message',
    '/message#x',
    '/\\evil.test/',
  ];
  for (const endpoint of endpoints) {
    test(`sends nothing to the endpoint ${endpoint}`, () => {
      const { http, post } = worker();
      http.onStream = (opened) => {
        beginStream(opened);
        sendEvent(opened, endpoint, 'endpoint');
      };
      const { answer } = post(initialize, null);
      assert.equal(answer.end, 'UPSTREAM_PROTOCOL');
      assert.match(answer.detail, /^the endpoint is /);
      assert.deepEqual(http.posts, []);
    });
  }

  const streams: readonly [string, (opened: FakeCall) => void, string][] = [
    ['404', refuse(404), 'UPSTREAM_PROTOCOL'],
    [
      'an event stream under another status',
      ({ answer }) => answer.onHead(201, ['content-type', 'text/event-stream']),
      'UPSTREAM_PROTOCOL',
    ],
    [
      'another media type',
      ({ answer }) => answer.onHead(200, ['content-type', 'text/html']),
      'UPSTREAM_PROTOCOL',
    ],
    [
      'a content coding',
      ({ answer }) =>
        answer.onHead(200, ['content-type', 'text/event-stream', 'content-encoding', 'gzip']),
      'UPSTREAM_PROTOCOL',
    ],
    [
      'a failure',
      ({ answer }) => answer.onFailure('UPSTREAM_UNREACHABLE', 'x'),
      'UPSTREAM_UNREACHABLE',
    ],
    [
      'a message before the endpoint',
      (opened) => {
        beginStream(opened);
        sendEvent(opened, { jsonrpc: '2.0', id: 1, method: 'ping' });
      },
      'UPSTREAM_PROTOCOL',
    ],
    [
      'an end before the endpoint',
      (opened) => {
        beginStream(opened);
        opened.answer.onEnd();
      },
      'UPSTREAM_RESET',
    ],
  ];
  for (const [name, onStream, code] of streams) {
    test(`fails where the stream is answered with ${name}`, () => {
      const { http, post } = worker();
      http.onStream = onStream;
      assert.equal(post(initialize, null).answer.end, code);
    });
  }

  test('that lacks the right to the stream is answered with the server\u2019s status and challenge', () => {
    const { http, post } = worker();
    http.onStream = ({ answer }) => {
      answer.onHead(401, ['www-authenticate', 'Bearer', 'set-cookie', 'x']);
      answer.onEnd();
    };
    const { answer } = post(initialize, null);
    assert.equal(answer.status, 401);
    assert.equal(headerValue(answer.headers, 'www-authenticate'), 'Bearer');
    assert.equal(headerValue(answer.headers, 'set-cookie'), undefined);
  });

  test('waits for the endpoint for a bounded time', async () => {
    const { http, post } = worker(fakeHttp(), { openTimeoutMs: 20 });
    http.onStream = beginStream;
    const { answer } = post(initialize, null);
    await until('the failure', () => answer.end === 'UPSTREAM_TIMEOUT', 5000);
    assert.ok(stream(http)?.isAborted);
  });
});

describe('a request', () => {
  test('is answered with a stream of its own: progress, requests of the server, the answer', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const { answer } = post(call(1, { _meta: { progressToken: 1 } }), session);
    assert.equal(answer.status, 200);
    assert.equal(headerValue(answer.headers, 'content-type'), 'text/event-stream');
    assert.equal(
      headerValue(http.posts.at(-1)?.request.headers ?? [], 'mcp-session-id'),
      undefined,
    );
    const progress = { method: 'notifications/progress', params: { progressToken: 1 } };
    sendEvent(stream(http), progress);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: { ok: true } });
    assert.deepEqual(answer.events(), [progress, { jsonrpc: '2.0', id: 1, result: { ok: true } }]);
    assert.equal(answer.end, 'ended');
  });

  test('may be answered before the server has accepted it', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const late: FakeCall[] = [];
    http.onPost = (posted) => {
      late.push(posted);
      sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    };
    const { answer } = post(call(1), session);
    assert.equal(answer.end, 'ended');
    late[0]?.answer.onFailure('UPSTREAM_RESET', 'after the answer');
    assert.equal(answer.events().length, 1);
  });

  test('two with one id at one time: the second is refused', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const first = post(call(1), session);
    const second = post(call(1), session);
    assert.equal(second.answer.status, 400);
    assert.match(second.answer.text, /"id":1,"error":\{"code":-32600/);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    assert.equal(first.answer.end, 'ended');
    assert.equal(methods(http).filter((method) => method === 'tools/call').length, 1);
  });

  test('whose client goes away is cancelled at the server; the connection stays', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    post(call('x'), session).call.abort();
    assert.deepEqual(http.posts.at(-1)?.message, {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 'x', reason: 'the client has gone' },
    });
    assert.ok(!stream(http)?.isAborted);
    const next = post(call('y'), session);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 'x', result: { late: true } });
    sendEvent(stream(http), { jsonrpc: '2.0', id: 'y', result: {} });
    assert.deepEqual(next.answer.events(), [{ jsonrpc: '2.0', id: 'y', result: {} }]);
  });

  test('that its client cancels ends without an answer', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const { answer } = post(call(1), session);
    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    };
    assert.equal(post(cancelled, session).answer.status, 202);
    assert.deepEqual(http.posts.at(-1)?.message, cancelled);
    assert.equal(answer.end, 'ended');
  });

  test('that the server refuses is answered with its status and words', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    http.onPost = refuse(413, 'too large');
    const { answer } = post(call(1), session);
    assert.equal(answer.status, 413);
    assert.equal(answer.text, 'too large');
    assert.equal(headerValue(answer.headers, 'mcp-session-id'), undefined);
  });

  test('that the server refuses after it has begun to answer fails', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const progress = { method: 'notifications/progress', params: { progressToken: 1 } };
    http.onPost = (posted) => {
      sendEvent(stream(http), progress);
      refuse(500)(posted);
    };
    const { answer } = post(call(1, { _meta: { progressToken: 1 } }), session);
    assert.deepEqual(answer.events(), [progress]);
    assert.equal(answer.end, 'UPSTREAM_PROTOCOL');
  });

  test('of a slow client fails alone, and is cancelled', () => {
    const { http, openSession, post } = worker(fakeHttp(), { maxQueuedBytes: 500 });
    const session = openSession();
    const other = post(call(1), session);
    const slow = post(call(2, { _meta: { progressToken: 't' } }), session);
    slow.answer.takesMore = false;
    for (let count = 0; count < 20; count += 1) {
      const params = { progressToken: 't', message: 'x'.repeat(50) };
      sendEvent(stream(http), { method: 'notifications/progress', params });
    }
    assert.equal(slow.answer.end, 'UPSTREAM_OVERLOADED');
    assert.deepEqual(http.posts.at(-1)?.message.method, 'notifications/cancelled');
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    assert.equal(other.answer.end, 'ended');
  });
});

describe('what is refused without asking the server', () => {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  const rows: readonly [
    string,
    string,
    unknown,
    (session: string) => string | null,
    number,
    RegExp,
  ][] = [
    [
      'a request without a session',
      'POST',
      call(1),
      () => null,
      400,
      /"id":1,"error":\{"code":-32000/,
    ],
    ['GET without a session', 'GET', null, () => null, 400, /-32000/],
    ['DELETE without a session', 'DELETE', null, () => null, 400, /-32000/],
    [
      'a session that is none',
      'POST',
      call(1),
      () => 'x.{}',
      404,
      /"id":1,"error":\{"code":-32001/,
    ],
    ['GET of a session that is none', 'GET', null, () => 'x', 404, /-32001/],
    [
      'server/discover',
      'POST',
      { jsonrpc: '2.0', id: 1, method: 'server/discover' },
      () => null,
      400,
      /-32601/,
    ],
    ['a modern request', 'POST', call(1, { _meta: meta }), (session) => session, 400, /-32601/],
    ['initialize within a session', 'POST', initialize, (session) => session, 400, /-32600/],
    [
      'an answer to no request',
      'POST',
      { jsonrpc: '2.0', id: 1, result: {} },
      (session) => session,
      400,
      /-32600/,
    ],
    ['a batch', 'POST', [call(1)], (session) => session, 400, /-32700/],
  ];
  for (const [name, method, message, sessionOf, status, body] of rows) {
    test(`${name}: ${status}`, () => {
      const { http, ask, openSession } = worker();
      const session = sessionOf(openSession());
      const before = [http.streams.length, http.posts.length];
      const { answer } = ask(method, message, session);
      assert.equal(answer.status, status);
      assert.match(answer.text, body);
      assert.deepEqual([http.streams.length, http.posts.length], before);
    });
  }

  test('progress of a request that the server never made is taken and dropped', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const before = http.posts.length;
    const params = { progressToken: 1, progress: 1 };
    const progress = { jsonrpc: '2.0', method: 'notifications/progress', params };
    assert.equal(post(progress, session).answer.status, 202);
    assert.equal(http.posts.length, before);
  });
});

describe('a session', () => {
  test('is taken up by another worker: a connection of its own, initialized as the client did', () => {
    const { http, openSession } = worker();
    const session = openSession();
    const other = worker(http, {}, 'other');
    const { answer } = other.post(call(1), session);
    assert.equal(http.streams.length, 2);
    assert.deepEqual(http.posts.at(-1)?.message.params, initializeParams);
    acceptReplay(http);
    assert.deepEqual(methods(http).slice(-2), ['notifications/initialized', 'tools/call']);
    assert.equal(http.posts.at(-1)?.request.path, '/message?sessionId=2');
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    assert.deepEqual(answer.events(), [{ jsonrpc: '2.0', id: 1, result: {} }]);
  });

  test('many requests at once open one connection', () => {
    const { http, openSession } = worker();
    const session = openSession();
    const other = worker(http, {}, 'other');
    const asked = [1, 2, 3].map((id) => other.post(call(id), session));
    assert.equal(http.streams.length, 2);
    acceptReplay(http);
    assert.deepEqual(
      asked.map(({ answer }) => answer.status),
      [200, 200, 200],
    );
  });

  test('that the server does not take up again is unknown: 404', () => {
    const { http, openSession } = worker();
    const session = openSession();
    const { answer } = worker(http, {}, 'other').post(call(1), session);
    sendEvent(stream(http), { id: 'postern-initialize', error: { code: 1, message: 'no' } });
    assert.equal(answer.status, 404);
  });

  test('waits for the server to take it up for a bounded time', async () => {
    const { http, openSession } = worker();
    const session = openSession();
    const { answer } = worker(http, { replayTimeoutMs: 20 }, 'other').post(call(1), session);
    await until('the failure', () => answer.end === 'UPSTREAM_TIMEOUT', 5000);
  });

  test('whose connection was lost fails what runs, ends the GET stream, and goes on', () => {
    const { http, openSession, post, get } = worker();
    const session = openSession();
    const listening = get(session);
    const running = post(call(1), session);
    stream(http)?.answer.onEnd();
    assert.equal(running.answer.end, 'UPSTREAM_RESET');
    assert.equal(listening.answer.end, 'ended');
    const next = post(call(2), session);
    acceptReplay(http);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 2, result: {} });
    assert.equal(next.answer.end, 'ended');
  });

  for (const status of [404, 400]) {
    test(`whose connection the server does not know (${status}) is opened again, once`, () => {
      const { http, openSession, post } = worker();
      const session = openSession();
      http.onPost = (posted) =>
        (posted.message.method === 'tools/call' ? refuse(status, 'still no') : accept)(posted);
      const { answer } = post(call(1), session);
      assert.equal(http.streams.length, 2);
      acceptReplay(http);
      assert.equal(answer.status, status);
      assert.equal(answer.text, 'still no');
      assert.equal(http.streams.length, 2);
    });
  }

  test('that the server refuses to take up again over HTTP is answered with its refusal', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    http.onPost = refuse(404, 'gone');
    const { answer } = post(call(1), session);
    assert.equal(answer.status, 404);
    assert.equal(answer.text, 'gone');
    assert.ok(stream(http)?.isAborted);
  });

  test('keeps its connection where the server refuses a notification', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    http.onPost = refuse(400, 'unwanted');
    const { answer } = post({ jsonrpc: '2.0', method: 'notifications/other' }, session);
    assert.equal(answer.status, 400);
    assert.equal(http.streams.length, 1);
  });

  test('whose connection the server has forgotten goes on over a new one', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const plain = http.onPost;
    http.onPost = (posted) => (posted.request.path.endsWith('=1') ? refuse(404) : plain)(posted);
    const { answer } = post(call(1), session);
    acceptReplay(http);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    assert.equal(answer.status, 200);
    assert.equal(answer.end, 'ended');
  });

  test('a refusal costs no other request its connection', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const running = post(call(1), session);
    http.onPost = refuse(400, 'bad');
    assert.equal(post(call(2), session).answer.status, 400);
    assert.equal(http.streams.length, 1);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    assert.equal(running.answer.end, 'ended');
  });

  test('belongs to its owner: for another a connection of its own is opened, not found', () => {
    const { http, openSession, post } = worker();
    const session = openSession(alice);
    post(call(1), session, bob);
    assert.equal(http.streams.length, 2);
  });

  test('is told that it is initialized before the first request, once', () => {
    const { http, post } = worker();
    const { answer } = post(initialize, null);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 0, result: {} });
    const session = headerValue(answer.headers, 'mcp-session-id') ?? '';
    post({ jsonrpc: '2.0', id: 1, method: 'ping' }, session);
    post(call(2), session);
    post(initialized, session);
    assert.deepEqual(methods(http), [
      'initialize',
      'ping',
      'notifications/initialized',
      'tools/call',
    ]);
  });

  test('needs no connection to be told what concerns no connection', () => {
    const { http, openSession } = worker();
    const session = openSession();
    const other = worker(http, {}, 'other');
    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    };
    assert.equal(other.post(initialized, session).answer.status, 202);
    assert.equal(other.post(cancelled, session).answer.status, 202);
    assert.equal(http.streams.length, 1);
  });

  test('of another owner is not touched by what a worker says of it', () => {
    let tell: (payload: string) => void = () => undefined;
    const http = fakeHttp();
    const { openSession, post } = worker(http, {}, 'w', {
      send: () => undefined,
      on: (_topic, take) => (tell = (payload) => take('other', payload)),
    });
    const session = openSession();
    const running = post(call(1), session).answer;
    const server = JSON.stringify([http.backendName, http.targetName]);
    const text = JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    });
    const news = (owner: SealOwner) =>
      JSON.stringify([server, 'uid-of-a-session-w-1', ownerKey(owner), text]);
    tell(news(bob));
    assert.equal(running.end, 'open');
    tell(news(alice));
    assert.equal(running.end, 'ended');
    assert.equal(http.posts.at(-1)?.message.method, 'notifications/cancelled');
  });

  test('ends with DELETE', () => {
    const { http, ask, openSession, post } = worker();
    const session = openSession();
    assert.equal(ask('DELETE', null, session).answer.status, 200);
    assert.ok(stream(http)?.isAborted);
    assert.equal(post(call(1), session).answer.status, 404);
  });

  test('that nobody uses loses its connection after a time, and gets another', async () => {
    const { http, openSession, post } = worker(fakeHttp(), { idleTimeoutMs: 20 });
    const session = openSession();
    await until('the connection to close', () => stream(http)?.isAborted === true, 5000);
    const { answer } = post(call(1), session);
    acceptReplay(http);
    assert.equal(answer.status, 200);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(!stream(http)?.isAborted, 'a request runs');
    sendEvent(stream(http), { jsonrpc: '2.0', id: 1, result: {} });
    await until('the connection to close', () => stream(http)?.isAborted === true, 5000);
  });

  test('makes room for another where it is idle, else the other is refused', () => {
    const { http, openSession, post } = worker(fakeHttp(), { maxConnections: 1 });
    const session = openSession();
    const second = openSession();
    assert.ok(http.streams[0]?.isAborted);
    post(call(1), second);
    assert.equal(post(call(1), session).answer.end, 'UPSTREAM_OVERLOADED');
    assert.equal(post(initialize, null).answer.end, 'UPSTREAM_OVERLOADED');
  });
});

describe('requests of the server', () => {
  const ask = { jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: {} };

  test('are answered through any worker, at the endpoint that they came from', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const running = post(call(1), session);
    sendEvent(stream(http), ask);
    const [shown] = running.answer.events() as { id: string; method: string }[];
    assert.equal(shown?.method, 'elicitation/create');
    assert.notEqual(shown.id, 1);
    const other = worker(http, {}, 'other');
    const response = { jsonrpc: '2.0', id: shown.id, result: { action: 'accept' } };
    assert.equal(other.post(response, session).answer.status, 202);
    assert.equal(http.posts.at(-1)?.request.path, '/message?sessionId=1');
    assert.deepEqual(http.posts.at(-1)?.message, { ...response, id: 1 });
    assert.equal(http.streams.length, 1);
    assert.equal(other.post(response, session, bob).answer.status, 400);
  });

  test('that are gone with their connection do not end the client\u2019s session', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    const running = post(call(1), session);
    sendEvent(stream(http), ask);
    const [shown] = running.answer.events() as { id: string }[];
    http.onPost = refuse(404);
    const response = { jsonrpc: '2.0', id: shown?.id, result: {} };
    assert.equal(post(response, session).answer.status, 400);
  });

  test('wait for the server to take the answer for a bounded time', async () => {
    const { http, openSession, post } = worker(fakeHttp(), { responseTimeoutMs: 20 });
    const session = openSession();
    const running = post(call(1), session);
    sendEvent(stream(http), ask);
    const [shown] = running.answer.events() as { id: string }[];
    http.onPost = () => undefined;
    const { answer } = post({ jsonrpc: '2.0', id: shown?.id, result: {} }, session);
    await until('the failure', () => answer.end === 'UPSTREAM_TIMEOUT', 5000);
    assert.ok(http.posts.at(-1)?.isAborted);
  });

  test('wait for the GET stream where nothing runs', () => {
    const { http, openSession, get } = worker();
    const session = openSession();
    sendEvent(stream(http), ask);
    const { answer } = get(session);
    assert.equal(answer.status, 200);
    assert.equal(answer.events().length, 1);
    assert.equal(get(session).answer.status, 409);
  });
});

describe('a server that breaks the rules', () => {
  const rows: readonly [string, string][] = [
    ['text that is not JSON', 'hello'],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"result":{}}]'],
    ['an answer with two ids', '{"id":1,"id":2,"result":{}}'],
    ['a request whose id is too long', JSON.stringify({ id: 'x'.repeat(3000), method: 'ping' })],
    ['an event that is too large', 'x'.repeat(5000)],
  ];
  for (const [name, data] of rows) {
    test(`loses its connection: ${name}`, () => {
      const { http, openSession, post, get } = worker(fakeHttp(), { maxEventBytes: 4000 });
      const session = openSession();
      const running = post(call(1), session);
      const listening = get(session);
      sendEvent(stream(http), data);
      assert.equal(running.answer.end, 'UPSTREAM_PROTOCOL');
      assert.ok(!running.answer.detail.includes('hello'));
      assert.equal(listening.answer.end, 'ended');
      assert.ok(stream(http)?.isAborted);
    });
  }

  test('another endpoint later changes nothing', () => {
    const { http, openSession, post } = worker();
    const session = openSession();
    sendEvent(stream(http), '/elsewhere', 'endpoint');
    post(call(1), session);
    assert.equal(http.posts.at(-1)?.request.path, '/message?sessionId=1');
  });
});

describe('when the plan no longer has it', () => {
  test('what runs may finish, then the connections close', () => {
    const { http, upstream, openSession, post, get } = worker();
    const idle = openSession();
    const busy = openSession();
    const listening = get(busy);
    const running = post(call(1), busy);
    upstream.close();
    assert.ok(http.isClosed);
    assert.ok(http.streams[0]?.isAborted);
    assert.equal(listening.answer.end, 'ended');
    assert.ok(!http.streams[1]?.isAborted);
    sendEvent(http.streams[1], { jsonrpc: '2.0', id: 1, result: {} });
    assert.equal(running.answer.end, 'ended');
    assert.ok(http.streams[1]?.isAborted);

    const late = post(call(2), idle);
    acceptReplay(http);
    sendEvent(stream(http), { jsonrpc: '2.0', id: 2, result: {} });
    assert.equal(late.answer.end, 'ended');
    assert.ok(stream(http)?.isAborted);
  });
});
