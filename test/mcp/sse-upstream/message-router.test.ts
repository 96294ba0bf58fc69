import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ClientStream } from '../../../src/mcp/sse-upstream/client-stream.ts';
import { readEnvelope } from '../../../src/mcp/sse-upstream/envelope.ts';
import { sseLimits, type SseLimits } from '../../../src/mcp/sse-upstream/limits.ts';
import {
  createMessageRouter,
  type RequestSink,
} from '../../../src/mcp/sse-upstream/message-router.ts';

const envelopeOf = (message: unknown) => {
  const envelope = readEnvelope(Buffer.from(JSON.stringify(message)));
  assert.ok(envelope !== null);
  return envelope;
};

interface Taken {
  readonly sink: RequestSink;
  readonly sent: string[];
  end: string;
}

function recorder(takesOthers = true): Taken {
  const sent: string[] = [];
  const taken: Taken = {
    sent,
    end: '',
    sink: {
      send: takesOthers ? (message) => void sent.push(message.toString()) : null,
      finish(message) {
        sent.push(message.toString());
        taken.end = 'answered';
      },
      end: () => void (taken.end = 'ended'),
      fail: (code) => void (taken.end = code),
    },
  };
  return taken;
}

function listener(): { stream: ClientStream; sent: string[]; readonly isEnded: boolean } {
  const sent: string[] = [];
  let isEnded = false;
  const stream: ClientStream = {
    begin: () => undefined,
    send: (message) => void sent.push(message.toString()),
    end: () => (isEnded = true),
    fail: () => undefined,
    resume: () => undefined,
    abort: () => undefined,
  };
  return {
    stream,
    sent,
    get isEnded() {
      return isEnded;
    },
  };
}

function setUp(limits: Partial<SseLimits> = {}) {
  const router = createMessageRouter({ ...sseLimits, ...limits });
  return {
    router,
    take: (message: unknown): void => {
      const envelope = envelopeOf(message);
      router.take(envelope, envelope.text);
    },
    run: (id: number | string, params: object = {}, takesOthers = true) => {
      const taken = recorder(takesOthers);
      const request = envelopeOf({ id, method: 'tools/call', params });
      const refusal = router.run(request, taken.sink);
      return { ...taken, taken, request, refusal };
    },
  };
}

const log = (data: number) => ({ method: 'notifications/message', params: { data } });
const changed = { method: 'notifications/tools/list_changed' };
const ask = { id: 'server-1', method: 'elicitation/create' };
const text = (message: unknown) => JSON.stringify(message);

describe('where a message goes', () => {
  test('an answer to the request with its id alone, by type and value', () => {
    const { run, take } = setUp();
    const number = run(1);
    const string = run('1');
    take({ id: '1', result: {} });
    assert.equal(number.taken.end, '');
    assert.equal(string.taken.end, 'answered');
    take({ id: 2, result: {} });
    take({ id: null, error: {} });
    assert.deepEqual(number.sent, []);
  });

  test('progress to the request that asked for it', () => {
    const { run, take } = setUp();
    const first = run(1, { _meta: { progressToken: 'a' } });
    const second = run(2, { _meta: { progressToken: 'b' } });
    const progress = { method: 'notifications/progress', params: { progressToken: 'a' } };
    take(progress);
    assert.deepEqual([first.sent, second.sent], [[text(progress)], []]);
  });

  test('progress that nobody asked for is not kept', () => {
    const { router, take } = setUp();
    take({ method: 'notifications/progress', params: { progressToken: 'x' } });
    const { stream, sent } = listener();
    router.listen(stream);
    assert.deepEqual(sent, []);
  });

  test('requests of the server and log messages to the latest request, also beside a GET stream', () => {
    const { router, run, take } = setUp();
    const { stream, sent } = listener();
    router.listen(stream);
    const first = run(1);
    const second = run(2);
    take(log(1));
    take(ask);
    take({ id: 2, result: {} });
    take(log(2));
    take({ id: 1, result: {} });
    take(log(3));
    assert.deepEqual(second.sent.slice(0, 2), [text(log(1)), text(ask)]);
    assert.deepEqual(first.sent.slice(0, 1), [text(log(2))]);
    assert.deepEqual(sent, [text(log(3))]);
  });

  test('what belongs to no request to the GET stream, else to the latest request, else it waits', () => {
    const { router, run, take } = setUp();
    take(changed);
    const request = run(1);
    take({ ...changed, params: { n: 2 } });
    const { stream, sent } = listener();
    assert.ok(router.listen(stream));
    take({ ...changed, params: { n: 3 } });
    assert.deepEqual(request.sent, [text({ ...changed, params: { n: 2 } })]);
    assert.deepEqual(sent, [text(changed), text({ ...changed, params: { n: 3 } })]);
  });

  test('nothing but its answer to a request that has no room for more', () => {
    const { router, run, take } = setUp();
    const request = run(1, {}, false);
    take(log(1));
    const { stream, sent } = listener();
    router.listen(stream);
    assert.deepEqual([request.sent, sent], [[], [text(log(1))]]);
  });
});

describe('a request', () => {
  test('with an id that is in use is refused, until it is answered', () => {
    const { run, take } = setUp();
    assert.equal(run(1).refusal, null);
    assert.equal(run(1).refusal, 'the id is in use');
    take({ id: 1, result: {} });
    assert.equal(run(1).refusal, null);
  });

  test('whose client has gone keeps its id, and its late answer reaches nobody', () => {
    const { router, run, take } = setUp();
    const gone = run(1);
    assert.ok(router.abandon(gone.request, gone.sink));
    assert.equal(router.waiting, 0);
    assert.equal(run(1).refusal, 'the id is in use');
    take({ id: 1, result: { late: true } });
    assert.deepEqual(gone.sent, []);
    assert.ok(!router.abandon(gone.request, gone.sink));
  });

  test('that was dropped or abandoned is not mistaken for a later one with its id', () => {
    const { router, run, take } = setUp();
    const first = run(1);
    take({ id: 1, result: {} });
    const second = run(1);
    router.drop(first.request, first.sink);
    assert.ok(!router.abandon(first.request, first.sink));
    take({ id: 1, result: {} });
    assert.equal(second.taken.end, 'answered');
  });

  test('that its client cancelled ends', () => {
    const { router, run } = setUp();
    const { request, taken } = run(1);
    assert.ok(request.id !== null);
    router.cancel(request.id);
    assert.equal(taken.end, 'ended');
    assert.equal(router.waiting, 0);
  });
});

describe('bounds', () => {
  test('the oldest of what waits is dropped, by number and by octets', () => {
    const { router, take } = setUp({ maxBacklogMessages: 3, maxBacklogBytes: 200 });
    for (let index = 0; index < 10; index += 1) take(log(index));
    take({ ...changed, params: { x: 'x'.repeat(300) } });
    const { stream, sent } = listener();
    router.listen(stream);
    assert.deepEqual(
      sent,
      [7, 8, 9].map((index) => text(log(index))),
    );
    const other = setUp({ maxBacklogBytes: text(log(1)).length * 2 });
    for (let index = 0; index < 5; index += 1) other.take(log(index));
    const late = listener();
    other.router.listen(late.stream);
    assert.deepEqual(
      late.sent,
      [3, 4].map((index) => text(log(index))),
    );
  });

  test('running requests, and ids of those that were cancelled', () => {
    const { router, run } = setUp({ maxRunningRequests: 2, maxCancelledIds: 2 });
    run('a');
    for (let id = 1; id < 10; id += 1) {
      const { request, sink, refusal } = run(id);
      assert.equal(refusal, null);
      router.abandon(request, sink);
    }
    assert.equal(run(9).refusal, 'the id is in use');
    assert.equal(run(1).refusal, null);
    assert.equal(run(100).refusal, 'too many requests');
  });

  test('one GET stream', () => {
    const { router } = setUp();
    const first = listener();
    assert.ok(router.listen(first.stream));
    assert.ok(!router.listen(listener().stream));
    router.unlisten(listener().stream);
    assert.ok(router.isListening);
    router.unlisten(first.stream);
    assert.ok(router.listen(listener().stream));
  });
});

test('a lost connection fails what runs, and ends the GET stream in good order', () => {
  const { router, run } = setUp();
  const get = listener();
  router.listen(get.stream);
  const { taken } = run(1);
  router.failAll('UPSTREAM_RESET', 'lost');
  assert.equal(taken.end, 'UPSTREAM_RESET');
  assert.ok(get.isEnded);
  assert.equal(router.waiting, 0);
});

test('whatever happens, each message reaches one stream at most, and an answer its own request alone', () => {
  const step = fc.record({
    action: fc.constantFrom('run', 'answer', 'log', 'changed', 'listen', 'unlisten', 'abandon'),
    id: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { router, run, take } = setUp({ maxBacklogMessages: 1000 });
      const all: string[][] = [];
      const live = new Map<number, ReturnType<typeof run>>();
      let get: ReturnType<typeof listener> | null = null;
      let count = 0;
      for (const { action, id } of steps) {
        count += 1;
        if (action === 'run') {
          const started = run(id);
          if (started.refusal !== null) continue;
          live.set(id, started);
          all.push(started.sent);
        } else if (action === 'answer') {
          take({ id, result: { count } });
          const asked = live.get(id);
          live.delete(id);
          if (asked !== undefined) assert.equal(asked.sent.at(-1), text({ id, result: { count } }));
          assert.equal(
            all.flat().filter((one) => one.includes(`:${count}}}`)).length,
            asked ? 1 : 0,
          );
        } else if (action === 'abandon') {
          const asked = live.get(id);
          live.delete(id);
          if (asked !== undefined) router.abandon(asked.request, asked.sink);
        } else if (action === 'listen') {
          const next = listener();
          if (!router.listen(next.stream)) continue;
          get = next;
          all.push(next.sent);
        } else if (action === 'unlisten') {
          if (get !== null) router.unlisten(get.stream);
          get = null;
        } else {
          take(action === 'log' ? log(count) : { ...changed, params: { count } });
        }
        assert.equal(router.waiting, live.size);
      }
      const seen = all.flat();
      assert.equal(new Set(seen).size, seen.length);
    }),
    { numRuns: 500 },
  );
});
