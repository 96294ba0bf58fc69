/** Targets that try to speak for another, to reach another owner, or to keep the gate busy for ever. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { headerValue } from '../../../src/accept/request-head.ts';
import { lastEventIdOf } from '../../../src/mcp/federation/last-event-id.ts';
import {
  alice,
  bob,
  events,
  fakeTarget,
  federate,
  json,
  legacyServer,
  messagesOf,
  settled,
  type Script,
} from './fake-targets.ts';

const RUNS = { interruptAfterTimeLimit: 1500, markInterruptAsFailure: false };
const MODERN = '2026-07-28';
const call = (name: string, id: unknown = 7) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
});
const list = (cursor?: string) => ({
  jsonrpc: '2.0',
  id: 3,
  method: 'tools/list',
  params: cursor === undefined ? {} : { cursor },
});
const isRequest: (script: Script) => Script = (script) => (asked) => {
  if (asked.message.id !== undefined || asked.method !== 'POST') script(asked);
};

describe('ids of two targets that are the same', () => {
  const ask = { jsonrpc: '2.0', id: 5, method: 'ping', params: { _meta: { progressToken: 5 } } };
  const script: Script = (asked) => {
    if (asked.message.id === 7 || asked.message.id === 8) events(asked, ask);
    else if (asked.message.method === undefined) {
      asked.answer.onHead(202, []);
      asked.answer.onEnd();
    }
  };

  test('of requests: each answer goes to the server that asked', async () => {
    const a = fakeTarget('a', legacyServer('a', script));
    const b = fakeTarget('b', legacyServer('b', script));
    const both = federate([a, b]);
    const session = await both.open();
    const streams = [
      both.start(call('a_x', 7), { session }),
      both.start(call('b_x', 8), { session }),
    ];
    await settled(() => streams.every(({ answered }) => answered.text.includes('ping')));
    const ids = streams.map(({ answered }) => String(messagesOf(answered.text)[0]?.id));
    assert.notEqual(ids[0], ids[1]);
    for (const [index, target] of [a, b].entries()) {
      const answer = { jsonrpc: '2.0', id: ids[index], result: { from: index } };
      await both.send(answer, { session });
      const expected = { jsonrpc: '2.0', id: 5, result: { from: index } };
      assert.deepEqual(target.asked.at(-1)?.message, expected);
      assert.equal(target.asked.length, 3);
    }
    for (const { abort } of streams) abort();
  });

  test('of elicitations: one target can not say that the other\u2019s is complete', async () => {
    const texts = [
      '{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"e"}}',
      '{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitation\\u0049d":"b+e"}}',
      '{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"url","elicitationId":"e"}}',
      '{"jsonrpc":"2.0","id":7,"error":{"code":-32042,"message":"m","data":{"elicitations":[{"elicitationId":"e"},{"elicitationId":"f"}]}}}',
    ];
    for (const isPrefixed of [true, false]) {
      const script_ = isRequest((asked) => {
        if (asked.message.method === 'tools/list') {
          json(asked, { jsonrpc: '2.0', id: asked.message.id, result: { tools: [{ name: 'x' }] } });
        } else events(asked, ...texts);
      });
      const a = fakeTarget('a', legacyServer('a', script_));
      const both = federate([a], { isPrefixed });
      const session = await both.open();
      if (!isPrefixed) await both.send(list(), { session });
      const { text } = await both.send(call(isPrefixed ? 'a_x' : 'x'), { session });
      const ids = [...text.matchAll(/"elicitation(?:I|\\u0049)d":"([^"]*)"/g)].map(([, id]) => id);
      assert.deepEqual(ids, ['a+e', 'a+b+e', 'a+e', 'a+e', 'a+f']);
    }
  });
});

test('without prefixes a target can not say that another\u2019s resource has changed', async () => {
  const has =
    (...uris: readonly string[]): Script =>
    (asked) => {
      const { id, method } = asked.message;
      if (asked.method === 'GET') {
        const updated = (uri: string) => ({
          jsonrpc: '2.0',
          method: 'notifications/resources/updated',
          params: { uri },
        });
        events(asked, updated('x:a'), updated('x:b'), updated('x:unlisted'));
      } else if (id !== undefined) {
        const resources =
          method === 'resources/list' ? uris.map((uri) => ({ uri, name: 'n' })) : [];
        json(asked, { jsonrpc: '2.0', id, result: { resources, resourceTemplates: [] } });
      }
    };
  const a = fakeTarget('a', legacyServer('a', has('x:a')));
  const quiet = legacyServer('b', (asked) => {
    if (asked.method === 'GET') json(asked, '', 405);
    else has('x:b')(asked);
  });
  const both = federate([a, fakeTarget('b', quiet)], { isPrefixed: false });
  const session = await both.open();
  await both.send({ ...list(), method: 'resources/list' }, { session });
  const { answered, abort } = both.start(null, { session, method: 'GET' });
  await settled(() => answered.text.includes('x:unlisted'));
  const uris = messagesOf(answered.text).map(({ params }) => (params as { uri: string }).uri);
  assert.deepEqual(uris, ['x:a', 'x:unlisted']);
  abort();
});

describe('names', () => {
  test('whatever a target calls a tool, the name in the list leads back to it and to no other', async () => {
    let name = '';
    const script = (target: string): Script =>
      isRequest((asked) => {
        const { id, method, params } = asked.message;
        const called = (params as { name?: string } | undefined)?.name;
        const result = method === 'tools/list' ? { tools: [{ name }] } : { at: target, called };
        json(asked, { jsonrpc: '2.0', id, result });
      });
    // One name begins with the other, as far as names may.
    const targets = ['a', 'a.b', 'a-b'];
    const all = federate(
      targets.map((target) => fakeTarget(target, legacyServer(target, script(target)))),
    );
    const session = await all.open();
    const odd = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom('_', 'b_x', '.b_x', 'a.b_x', '"', '\\', '__proto__', '\u2028', ' ', '+'),
    );
    await fc.assert(
      fc.asyncProperty(odd, async (one) => {
        // The gate takes no names with control characters, nor very long ones.
        fc.pre(!/[\p{Cc}\p{Cs}]/u.test(one) && one.length < 100);
        name = one;
        const { text } = await all.send(list(), { session });
        const { tools } = (JSON.parse(text) as { result: { tools: { name: string }[] } }).result;
        assert.deepEqual(
          tools.map((tool) => tool.name),
          targets.map((target) => `${target}_${one}`),
        );
        for (const [index, target] of targets.entries()) {
          const answer = await all.send(call(tools[index]?.name ?? ''), { session });
          const { result } = JSON.parse(answer.text) as { result: unknown };
          assert.deepEqual(result, { at: target, called: one });
        }
      }),
      { ...RUNS, numRuns: 50 },
    );
  });
});

describe('a list', () => {
  /** So many pages of one tool each; the cursors never repeat. */
  const paged = (pages: number): Script =>
    isRequest((asked) => {
      const { cursor } = asked.message.params as { cursor?: string };
      const page = Number(cursor ?? 0);
      const next = page + 1 < pages ? { nextCursor: String(page + 1) } : {};
      const result = { tools: [{ name: `t${page}` }], ...next };
      json(asked, { jsonrpc: '2.0', id: asked.message.id, result });
    });
  const cursorOf = (text: string): string | undefined =>
    (JSON.parse(text) as { result: { nextCursor?: string } }).result.nextCursor;

  test('of 1,000 pages is given out whole, some at a time; of endless ones each answer ends', async () => {
    const a = fakeTarget('a', legacyServer('a', paged(1000)));
    const b = fakeTarget('b', legacyServer('b', paged(Infinity)));
    const both = federate([a, b]);
    const session = await both.open();
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let answers = 0; answers < 20 && !seen.includes('b_t0'); answers += 1) {
      const before = b.asked.length;
      const { text } = await both.send(list(cursor), { session });
      const { tools } = (JSON.parse(text) as { result: { tools: { name: string }[] } }).result;
      seen.push(...tools.map(({ name }) => name));
      assert.ok(b.asked.length - before <= 100);
      cursor = cursorOf(text);
      assert.notEqual(cursor, undefined);
    }
    assert.deepEqual(
      seen.slice(0, 1000),
      Array.from({ length: 1000 }, (_, index) => `a_t${index}`),
    );
    assert.equal(new Set(seen).size, seen.length);
  });

  test('begins nowhere but where the gate said: a changed cursor is refused, and nobody is asked', async () => {
    const a = fakeTarget('a', legacyServer('a', paged(1000)));
    const one = federate([a]);
    const session = await one.open();
    const cursor = cursorOf((await one.send(list(), { session })).text) ?? '';
    const asked = a.asked.length;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(cursor.length - 1),
        fc.constantFrom('A', 'B', 'z', '0', '9', '-', '_'),
        async (at, character) => {
          fc.pre(cursor[at] !== character && at < cursor.length - 1);
          const changed = cursor.slice(0, at) + character + cursor.slice(at + 1);
          for (const forged of [changed, cursor.slice(0, at), `${cursor}${character}`]) {
            const { text } = await one.send(list(forged), { session });
            assert.match(text, /the cursor is not valid/);
          }
        },
      ),
      { ...RUNS, numRuns: 100 },
    );
    assert.equal(a.asked.length, asked);
    // A server's own cursor, and an id of the gate's that is no cursor.
    for (const forged of ['1', session]) {
      assert.match((await one.send(list(forged), { session })).text, /the cursor is not valid/);
    }
  });

  test('under another id is no list', async () => {
    const a = fakeTarget(
      'a',
      legacyServer(
        'a',
        isRequest((asked) => json(asked, { jsonrpc: '2.0', id: 'other', result: { tools: [] } })),
      ),
    );
    const one = federate([a]);
    const { text } = await one.send(list(), { session: await one.open() });
    assert.match(text, /"error"/);
    assert.deepEqual(one.failed, ['a']);
  });
});

describe('what a modern target says of itself', () => {
  const discover = {
    jsonrpc: '2.0',
    id: 1,
    method: 'server/discover',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  for (const [cacheScope, asks] of [
    ['private', 2],
    ['public', 1],
    [undefined, 2],
  ] as const) {
    test(`is ${asks === 1 ? 'shared' : 'each owner\u2019s own'} with cacheScope ${cacheScope}`, async () => {
      let count = 0;
      const a = fakeTarget('a', (asked) => {
        count += 1;
        const result = {
          supportedVersions: [MODERN],
          capabilities: {},
          instructions: `for caller ${count}`,
          ...(cacheScope === undefined ? {} : { cacheScope }),
        };
        json(asked, { jsonrpc: '2.0', id: asked.message.id, result });
      });
      const one = federate([a]);
      assert.match((await one.send(discover)).text, /for caller 1/);
      assert.match((await one.send(discover)).text, /for caller 1/);
      const { text } = await one.send(discover, { owner: bob });
      assert.match(text, new RegExp(`for caller ${asks}`));
      assert.equal(count, asks);
      assert.match((await one.send(discover, { owner: alice })).text, /for caller 1/);
    });
  }
});

test('a target that is listened to hears of its own tasks and resources alone', async () => {
  const modern: Script = (asked) => {
    const { id, method } = asked.message;
    const result = {
      supportedVersions: [MODERN],
      capabilities: { resources: { subscribe: true } },
    };
    if (method === 'server/discover') json(asked, { jsonrpc: '2.0', id, result });
    else {
      const { notifications } = asked.message.params as { notifications: object };
      const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
      const acknowledged = 'notifications/subscriptions/acknowledged';
      events(asked, {
        jsonrpc: '2.0',
        method: acknowledged,
        params: { notifications, _meta },
      });
    }
  };
  const a = fakeTarget('a', modern);
  const b = fakeTarget('b', modern);
  const both = federate([a, b]);
  const listen = {
    jsonrpc: '2.0',
    id: 9,
    method: 'subscriptions/listen',
    params: {
      notifications: {
        resourceSubscriptions: ['a+x:1', 'b+x:2'],
        taskIds: ['a+t1', 'b+t2', 'c+t'],
      },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  const { answered, abort } = both.start(listen);
  await settled(() => answered.text.includes('acknowledged'));
  const told = [a, b].map(
    ({ asked }) => (asked.at(-1)?.message.params as { notifications: unknown }).notifications,
  );
  assert.deepEqual(told, [
    { resourceSubscriptions: ['x:1'], taskIds: ['t1'] },
    { resourceSubscriptions: ['x:2'], taskIds: ['t2'] },
  ]);
  const { notifications } = messagesOf(answered.text)[0]?.params as { notifications: unknown };
  assert.deepEqual(notifications, {
    resourceSubscriptions: ['a+x:1', 'b+x:2'],
    taskIds: ['a+t1', 'b+t2'],
  });
  abort();
});

describe('an event id', () => {
  for (const [id, kept] of [
    ['1', '1'],
    ['', null],
    ['a b', null],
    ['\u20ac', null],
    ['\u0000', null],
    ['x'.repeat(1025), null],
  ] as const) {
    test(`${JSON.stringify(id.slice(0, 10))} goes back ${kept === null ? 'never' : 'as it is'}`, () =>
      assert.equal(lastEventIdOf(id), kept));
  }

  test('goes back to its target alone, in the next request for the stream', async () => {
    const first: Script = (asked) => {
      if (asked.method !== 'GET') return;
      const isAgain = headerValue(asked.headers, 'last-event-id') !== undefined;
      events(asked, { jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      if (!isAgain) asked.answer.onEnd();
    };
    const a = fakeTarget('a', legacyServer('a', first));
    const b = fakeTarget(
      'b',
      legacyServer('b', (asked) => {
        if (asked.method === 'GET') events(asked);
      }),
    );
    const both = federate([a, b]);
    const session = await both.open();
    const { abort } = both.start(null, { session, method: 'GET' });
    await settled(() => a.asked.filter(({ method }) => method === 'GET').length === 2);
    assert.equal(headerValue(a.asked.at(-1)?.headers ?? [], 'last-event-id'), '1');
    assert.ok(b.asked.every(({ headers }) => headerValue(headers, 'last-event-id') === undefined));
    abort();
  });
});
