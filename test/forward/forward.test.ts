import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeNativeResponse } from '../accept/fake-native-response.ts';
import { sleep } from '../harness/until.ts';
import { NativeResponder } from '../../src/accept/native-responder.ts';
import type { RequestHead } from '../../src/accept/request-head.ts';
import { Exchange } from '../../src/exchange.ts';
import { Refusal } from '../../src/errors.ts';
import { createBackendChooser } from '../../src/forward/backend-chooser.ts';
import { createChooseBackend } from '../../src/forward/choose-backend.ts';
import { createForward } from '../../src/forward/forward.ts';
import type { UpstreamAnswer, UpstreamRequest } from '../../src/forward/upstream.ts';
import type { FilterPlan } from '../../src/plan.ts';
import { compileFilters } from '../../src/route/filters.ts';
import type { RuleRuntime } from '../../src/runtime.ts';
import { streamEnding } from '../../src/streams/stream-ending.ts';
import { ANSWERED, PASS } from '../../src/verdict.ts';

interface Setup {
  readonly type?: 'MCP' | 'Static';
  readonly method?: string;
  readonly query?: string | null;
  readonly path?: string;
  readonly filters?: readonly FilterPlan[];
  readonly backendFilters?: readonly FilterPlan[];
  readonly requestTimeoutMs?: number | null;
  readonly backendRequestTimeoutMs?: number | null;
  readonly elapsedMs?: number;
  readonly hasBackend?: boolean;
}

/** One exchange at its last stage, before an upstream whose every word is the test's. */
function start(setup: Setup = {}) {
  const native = new FakeNativeResponse();
  const state = { aborts: 0, resumes: 0, finished: 0, answer: null as UpstreamAnswer | null };
  const requests: UpstreamRequest[] = [];
  const type = setup.type ?? 'MCP';
  const upstream = {
    backendName: 'default/b',
    targetName: 't',
    path: type === 'MCP' ? '/mcp' : null,
    authority: 'up.test:8080',
    request(request: UpstreamRequest, answer: UpstreamAnswer) {
      requests.push(request);
      state.answer = answer;
      return {
        abort: () => void (state.aborts += 1),
        resume: () => void (state.resumes += 1),
      };
    },
    close: () => undefined,
  };
  const rule: RuleRuntime = {
    route: 'default/r',
    name: null,
    cors: null,
    authenticators: [],
    reservedHeaders: new Set(),
    authorizer: null,
    protectedResource: null,
    pageGuard: null,
    rateLimits: null,
    filters: compileFilters(setup.filters ?? []),
    requestTimeoutMs: setup.requestTimeoutMs ?? null,
    backendRequestTimeoutMs: setup.backendRequestTimeoutMs ?? null,
    backends: createBackendChooser(
      setup.hasBackend === false
        ? []
        : [
            {
              weight: 1,
              backend: {
                type,
                upstream,
                mcp: null,
                rateLimits: null,
                filters: compileFilters(setup.backendFilters ?? []),
              },
            },
          ],
    ),
  };
  const head: RequestHead = {
    method: setup.method ?? 'POST',
    path: setup.path ?? '/client/path',
    query: setup.query ?? null,
    headers: ['host', 'gate.test', 'authorization', 'Bearer t', 'x-a', '1'],
    host: 'gate.test',
    authority: 'gate.test',
    scheme: 'http',
    remoteAddress: '192.0.2.1',
    remotePort: null,
  };
  const responder = new NativeResponder(
    native,
    () => (state.finished += 1),
    () => false,
    head.method === 'HEAD',
  );
  const exchange = new Exchange(head, responder, null, { find: () => null }, null, 0, 0);
  exchange.rule = rule;
  const chosen = createChooseBackend(() => 0)(exchange);
  const forward = createForward({ monotonicNow: () => setup.elapsedMs ?? 0 });
  const verdict = chosen === PASS ? forward(exchange) : chosen;
  return { native, state, requests, responder, exchange, verdict };
}

function answerOf({ state }: ReturnType<typeof start>): UpstreamAnswer {
  assert.ok(state.answer !== null, 'nothing was sent');
  return state.answer;
}

function fieldOf({ requests }: ReturnType<typeof start>, name: string): string | undefined {
  const headers = requests[0]?.headers ?? [];
  const index = headers.findIndex((entry, place) => place % 2 === 0 && entry === name);
  return index === -1 ? undefined : headers[index + 1];
}

describe('what is sent', () => {
  test('to an MCP target has the target\u2019s path and host, not the client\u2019s query', () => {
    const run = start({ query: 'a=1' });
    assert.equal(run.verdict, ANSWERED);
    assert.equal(run.requests[0]?.path, '/mcp');
    assert.equal(fieldOf(run, 'host'), 'up.test:8080');
    assert.equal(fieldOf(run, 'authorization'), undefined);
    assert.equal(run.exchange.upstream?.backendName, 'default/b');
  });

  test('to a Static target has the client\u2019s path, query and host', () => {
    const run = start({ type: 'Static', query: 'a=1' });
    assert.equal(run.requests[0]?.path, '/client/path?a=1');
    assert.equal(fieldOf(run, 'host'), 'gate.test');
  });

  test('is rewritten and modified as the rule says, then as the backendRef says', () => {
    const set = (value: string): FilterPlan => ({
      type: 'RequestHeaderModifier',
      set: [{ name: 'x-a', value }],
      add: [],
      remove: [],
    });
    const rewrite: FilterPlan = {
      type: 'URLRewrite',
      hostname: 'other.test',
      path: { type: 'ReplaceFullPath', value: '/new' },
    };
    const run = start({
      type: 'Static',
      query: 'a',
      filters: [set('rule'), rewrite],
      backendFilters: [set('ref')],
    });
    assert.equal(run.requests[0]?.path, '/new?a');
    assert.equal(fieldOf(run, 'host'), 'other.test');
    assert.equal(fieldOf(run, 'x-a'), 'ref');
  });
});

describe('what is refused before anything is sent', () => {
  const rows: readonly [string, Setup, code: string][] = [
    ['a rule without a valid backend', { hasBackend: false }, 'BACKEND_INVALID'],
    ['a request whose time is over', { requestTimeoutMs: 100, elapsedMs: 100 }, 'UPSTREAM_TIMEOUT'],
  ];
  for (const [name, setup, code] of rows) {
    test(`${name}: ${code}`, () => {
      const { verdict, requests } = start(setup);
      assert.ok(verdict instanceof Refusal);
      assert.equal(verdict.kind.code, code);
      assert.deepEqual(requests, []);
    });
  }
});

describe('the time to the first byte', () => {
  const rows: readonly [string, Setup][] = [
    ['of the request, less what has passed', { requestTimeoutMs: 1040, elapsedMs: 1000 }],
    ['of the backend', { backendRequestTimeoutMs: 40, elapsedMs: 1000 }],
    ['the smaller of both', { requestTimeoutMs: 60_000, backendRequestTimeoutMs: 40 }],
  ];
  for (const [name, setup] of rows) {
    test(`is bounded: ${name}`, async () => {
      const run = start(setup);
      await sleep(120);
      assert.equal(run.state.aborts, 1);
      assert.equal(run.exchange.refusal?.kind.code, 'UPSTREAM_TIMEOUT');
      assert.equal(run.native.log[0], 'status 504 Gateway Timeout');
    });
  }

  test('does not bound a stream that runs', async () => {
    const run = start({ requestTimeoutMs: 40 });
    answerOf(run).onHead(200, ['content-type', 'text/event-stream']);
    await sleep(80);
    assert.equal(run.exchange.refusal, null);
    assert.equal(run.state.aborts, 0);
    answerOf(run).onEnd();
  });

  test('may be longer than Node\u2019s timers', async () => {
    const run = start({ requestTimeoutMs: 99_999 * 3_600_000 });
    await sleep(30);
    assert.equal(run.exchange.refusal, null);
  });
});

describe('the answer', () => {
  test('is streamed, with its status noted', () => {
    const run = start();
    const answer = answerOf(run);
    answer.onHead(201, ['content-type', 'application/json', 'connection', 'close']);
    assert.equal(answer.onData(Buffer.from('ab')), true);
    run.responder.onEndOfTurn();
    answer.onEnd();
    assert.deepEqual(run.native.log, [
      'status 201 Created',
      'content-type: application/json',
      'chunk ab',
      'end ',
    ]);
    assert.equal(run.exchange.status, 201);
    assert.equal(run.state.finished, 1);
  });

  test('that the client takes slowly is not read faster, and goes on when it has caught up', () => {
    const run = start();
    const answer = answerOf(run);
    answer.onHead(200, ['content-length', '6']);
    run.native.window = 2;
    assert.equal(answer.onData(Buffer.from('abc')), false);
    run.native.catchUp(10);
    assert.equal(run.state.resumes, 1);
    answer.onData(Buffer.from('def'));
    assert.equal(run.native.written.toString(), 'abcdef');
  });

  for (const status of [204, 304]) {
    test(`${status} has no body`, () => {
      const run = start();
      answerOf(run).onHead(status, []);
      answerOf(run).onEnd();
      assert.equal(run.native.log.at(-1), 'end without body');
      assert.equal(run.state.finished, 1);
    });
  }

  test('to HEAD has the length and no body', () => {
    const run = start({ method: 'HEAD' });
    answerOf(run).onHead(200, ['content-length', '7']);
    answerOf(run).onEnd();
    assert.deepEqual(run.native.log, ['status 200 OK', 'content-length: 7', 'end without body']);
  });

  test('that fails before its head is a refusal', () => {
    const run = start();
    answerOf(run).onFailure('UPSTREAM_UNREACHABLE', 'ECONNREFUSED');
    assert.equal(run.exchange.status, 503);
    assert.equal(run.exchange.refusal?.detail, 'ECONNREFUSED');
    answerOf(run).onEnd();
    assert.equal(run.state.finished, 1);
  });

  test('that fails within its body is cut, not completed', () => {
    const run = start();
    answerOf(run).onHead(200, []);
    answerOf(run).onData(Buffer.from('half'));
    answerOf(run).onFailure('UPSTREAM_RESET', 'ECONNRESET');
    assert.equal(run.native.log.at(-1), 'close');
    assert.equal(run.exchange.refusal?.kind.code, 'UPSTREAM_RESET');
    assert.equal(run.exchange.status, 200);
    assert.equal(run.state.finished, 1);
  });
});

describe('the upstream is left at once', () => {
  test('when the client goes away before the head', () => {
    const run = start({ requestTimeoutMs: 60_000 });
    run.native.abort();
    assert.equal(run.state.aborts, 1);
    answerOf(run).onHead(200, []);
    assert.equal(run.exchange.status, 0);
    assert.deepEqual(run.native.log, []);
  });

  test('when the client goes away within the body', () => {
    const run = start();
    answerOf(run).onHead(200, []);
    answerOf(run).onData(Buffer.from('ab'));
    run.native.abort();
    assert.equal(run.state.aborts, 1);
    assert.equal(answerOf(run).onData(Buffer.from('cd')), true);
  });

  test('when the answer is cut by the gate itself', () => {
    const run = start();
    answerOf(run).onHead(200, []);
    answerOf(run).onData(Buffer.from('ab'));
    run.exchange.fail(new Refusal('INTERNAL'));
    assert.equal(run.native.log.at(-1), 'close');
    assert.equal(run.state.aborts, 1);
  });
});

describe('an answer that goes on', () => {
  const events = ['content-type', 'text/event-stream'];
  const ending = streamEnding('token_expired');

  test('ends as a complete one when it is an event stream and the right to it is over', () => {
    const run = start();
    answerOf(run).onHead(200, events);
    answerOf(run).onData(Buffer.from('data: 1\n\n'));
    run.responder.onEndOfTurn();
    run.exchange.answer?.revoke(ending);
    assert.equal(run.native.log.at(-1), 'end ');
    assert.equal(run.state.aborts, 1);
    assert.equal(run.state.finished, 1);
    assert.equal(run.exchange.refusal, ending.refusal);
    assert.equal(run.exchange.streamEnd, 'token_expired');
    assert.equal(run.exchange.status, 200);
    answerOf(run).onData(Buffer.from('data: 2\n\n'));
    run.exchange.answer?.revoke(ending);
    assert.equal(run.native.log.at(-1), 'end ');
  });

  test('is cut when it is none', () => {
    const run = start();
    answerOf(run).onHead(200, ['content-type', 'text/plain']);
    answerOf(run).onData(Buffer.from('half'));
    run.exchange.answer?.revoke(ending);
    assert.equal(run.native.log.at(-1), 'close');
    assert.ok(run.state.aborts > 0);
    assert.equal(run.exchange.refusal, ending.refusal);
  });

  test('has begun to end already when its client is gone', () => {
    const run = start();
    answerOf(run).onHead(200, events);
    answerOf(run).onEnd();
    run.exchange.answer?.revoke(ending);
    assert.equal(run.exchange.refusal, null);
    assert.equal(run.exchange.streamEnd, null);
  });

  const pieces: readonly [string, string[], boolean][] = [
    ['between events', ['data: 1\n\n'], true],
    ['before the first', [], true],
    ['within an event', ['data: 1\n'], false],
    ['within a line', ['data: 1\n\nda'], false],
  ];
  for (const [name, written, commented] of pieces) {
    test(`takes ${commented ? 'a' : 'no'} comment ${name}`, () => {
      const run = start();
      answerOf(run).onHead(200, events);
      for (const piece of written) answerOf(run).onData(Buffer.from(piece));
      run.responder.onEndOfTurn();
      run.exchange.answer?.keepAlive();
      run.responder.onEndOfTurn();
      assert.equal(run.native.log.includes('chunk :\n\n'), commented);
    });
  }

  test('takes no comment where the client does not read, where the length is known, and where it is no stream', () => {
    const slow = start();
    slow.native.window = 1;
    answerOf(slow).onHead(200, events);
    answerOf(slow).onData(Buffer.from('data: 1\n\n'));
    assert.equal(answerOf(slow).onData(Buffer.from('data: 2\n\n')), false);
    const known = start();
    answerOf(known).onHead(200, [...events, 'content-length', '100']);
    const plain = start();
    answerOf(plain).onHead(200, ['content-type', 'text/plain']);
    for (const { exchange, native, responder } of [slow, known, plain]) {
      responder.onEndOfTurn();
      exchange.answer?.keepAlive();
      responder.onEndOfTurn();
      assert.ok(!native.log.some((entry) => entry.includes(':\n\n') && !entry.includes('data')));
    }
  });
});
