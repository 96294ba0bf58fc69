/** Clients and targets of different eras, with targets whose every word is the test's. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headerValue } from '../../../src/accept/request-head.ts';
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
  type Asked,
  type Script,
} from './fake-targets.ts';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const meta = { [VERSION]: '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };
const modern = (method: string, params: object = {}, id: number | string = 7) => ({
  jsonrpc: '2.0',
  id,
  method,
  params: { ...params, _meta: meta },
});
const legacyCall = (name: string) => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name },
});

/** Answers as a modern server alone; `more` answers all but the first words. */
function modernServer(more: Script): Script {
  return (asked) => {
    const { id, method } = asked.message;
    if (method === 'server/discover') {
      const capabilities = { tools: {}, resources: {} };
      json(asked, {
        jsonrpc: '2.0',
        id,
        result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities },
      });
    } else if (method === 'initialize') {
      json(asked, { jsonrpc: '2.0', id, error: { code: -32022, message: 'no' } }, 400);
    } else {
      more(asked);
    }
  };
}

/** A legacy server as it answers the probe of modern clients. */
function legacyOnly(name: string, more: Script): Script {
  const serve = legacyServer(name, more);
  return (asked) => {
    if (asked.message.method !== 'server/discover') serve(asked);
    else json(asked, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no' } }, 400);
  };
}

const answer = (asked: Asked, result: string): void =>
  json(asked, `{"jsonrpc":"2.0","id":${JSON.stringify(asked.message.id)},"result":${result}}`);

describe('a modern client', () => {
  test('at a legacy target: a session of the gate, an id of its own, and a complete result', async () => {
    const a = fakeTarget('a');
    a.script = legacyOnly('a', (asked) => {
      if (asked.message.id !== undefined) answer(asked, '{"content":[],"n":1.0}');
    });
    const b = fakeTarget(
      'b',
      modernServer(() => undefined),
    );
    const both = federate([a, b]);
    const { text, headers } = await both.send(modern('tools/call', { name: 'a_x', n: 1 }, 'mine'));
    assert.equal(
      text,
      '{"jsonrpc":"2.0","id":"mine","result":{"resultType":"complete","content":[],"n":1.0}}',
    );
    assert.equal(headerValue(headers, 'mcp-session-id'), undefined);
    const sent = a.asked.at(-1) ?? assert.fail();
    assert.equal(sent.session, 'a-session-1');
    assert.notEqual(sent.message.id, 'mine');
    assert.deepEqual(sent.message.params, { name: 'x', n: 1, _meta: {} });
    assert.equal(headerValue(sent.headers, 'mcp-protocol-version'), '2025-06-18');

    await both.send(modern('tools/call', { name: 'a_x' }));
    assert.equal(a.asked.at(-1)?.session, 'a-session-1');
    await both.send(modern('tools/call', { name: 'a_x' }), { owner: bob });
    assert.equal(a.asked.at(-1)?.session, 'a-session-2', 'sessions are for one owner each');
  });

  test('at a legacy target that asks back: the server is told at once that nobody answers', async () => {
    const a = fakeTarget('a');
    a.script = legacyOnly('a', (asked) => {
      if (asked.message.method === 'tools/call') {
        events(asked, { jsonrpc: '2.0', id: 5, method: 'elicitation/create', params: {} });
      } else if (asked.message.error !== undefined) {
        asked.answer.onHead(202, []);
        asked.answer.onEnd();
      }
    });
    const both = federate([a]);
    const { answered, abort } = both.start(modern('tools/call', { name: 'a_x' }));
    await settled(() => a.asked.at(-1)?.message.error !== undefined);
    assert.equal(a.asked.at(-1)?.message.id, 5);
    assert.equal(messagesOf(answered.text).length, 0);
    abort();
  });

  test('is told that there is nothing modern where all targets are legacy', async () => {
    const both = federate([
      fakeTarget(
        'a',
        legacyOnly('a', () => undefined),
      ),
    ]);
    const { status, text } = await both.send(modern('server/discover'));
    assert.equal(status, 404);
    assert.match(text, /-32601/);
  });

  test('lists what both eras have, for itself alone', async () => {
    const tools: Script = (asked) => {
      if (asked.message.id !== undefined)
        answer(asked, '{"tools":[{"name":"x"}],"ttlMs":900,"cacheScope":"public"}');
    };
    const both = federate([
      fakeTarget('a', legacyOnly('a', tools)),
      fakeTarget('b', modernServer(tools)),
    ]);
    const { text } = await both.send(modern('tools/list'));
    assert.equal(
      text,
      '{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a_x"},{"name":"b_x"}],"resultType":"complete","ttlMs":900,"cacheScope":"private"}}',
    );
  });
});

describe('a legacy client at a modern target', () => {
  test('has its request and its result adapted', async () => {
    const a = fakeTarget(
      'a',
      modernServer((asked) =>
        answer(asked, '{"resultType":"complete","content":[],"n":1.0,"ttlMs":5}'),
      ),
    );
    const both = federate([a]);
    const session = await both.open();
    const { text } = await both.send(legacyCall('a_x'), { session });
    assert.equal(text, '{"jsonrpc":"2.0","id":7,"result":{"content":[],"n":1.0}}');
    const { message, headers } = a.asked.at(-1) ?? assert.fail();
    const { _meta: sent } = message.params as { _meta: Record<string, unknown> };
    assert.equal(sent[VERSION], '2026-07-28');
    assert.deepEqual(sent['io.modelcontextprotocol/clientCapabilities'], { roots: {} });
    assert.equal(headerValue(headers, 'mcp-name'), 'x');
    assert.equal(headerValue(headers, 'mcp-session-id'), undefined);
  });

  test('is asked what the target wants to know; another can not answer for it', async () => {
    const wanted =
      '{"resultType":"input_required","inputRequests":{"who":{"method":"elicitation/create","params":{"n":1.0}}},"requestState":"s\\u0031"}';
    const a = fakeTarget(
      'a',
      modernServer((asked) => {
        const { inputResponses } = asked.message.params as { inputResponses?: unknown };
        answer(asked, inputResponses === undefined ? wanted : '{"done":true}');
      }),
    );
    const both = federate([a]);
    const session = await both.open();
    const { answered } = both.start(legacyCall('a_x'), { session });
    await settled(() => answered.text.includes('elicitation/create'));
    assert.match(answered.text, /"params":\{"n":1\.0\}/);
    const id = messagesOf(answered.text)[0]?.id;
    const reply = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"action":"accept","m":2.0}}`;
    const ofBob = await both.open(bob);
    await both.send(reply, { session: ofBob, owner: bob });
    const before = a.asked.length;
    await both.send(reply, { session, owner: alice });
    await settled(() => answered.isOver);
    assert.equal(a.asked.length, before + 1);
    const { text } = a.asked.at(-1) ?? assert.fail();
    assert.ok(text.includes('"inputResponses":{"who":{"action":"accept","m":2.0}}'), text);
    assert.ok(text.includes('"requestState":"s\\u0031"'), text);
    assert.deepEqual(messagesOf(answered.text).at(-1), {
      jsonrpc: '2.0',
      id: 7,
      result: { done: true },
    });
  });

  test('cancels a request by ending it', async () => {
    const a = fakeTarget(
      'a',
      modernServer(() => undefined),
    );
    const both = federate([a]);
    const session = await both.open();
    const { answered } = both.start(legacyCall('a_x'), { session });
    await settled(() => a.asked.at(-1)?.message.method === 'tools/call');
    const before = a.asked.length;
    const params = { requestId: 7 };
    await both.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, { session });
    assert.ok(a.asked.at(-1)?.isAborted);
    assert.equal(a.asked.length, before);
    assert.ok(answered.isOver);
  });

  test('that refuses to say ends its request', async () => {
    const wanted =
      '{"resultType":"input_required","inputRequests":{"r":{"method":"roots/list","params":{}}}}';
    const both = federate([
      fakeTarget(
        'a',
        modernServer((asked) => answer(asked, wanted)),
      ),
    ]);
    const session = await both.open();
    const { answered } = both.start(legacyCall('a_x'), { session });
    await settled(() => answered.text.includes('roots/list'));
    const id = messagesOf(answered.text)[0]?.id;
    await both.send({ jsonrpc: '2.0', id, error: { code: -1, message: 'no' } }, { session });
    await settled(() => answered.isOver);
    assert.match(answered.text, /"error"/);
  });
});

describe('subscriptions/listen', () => {
  const listen = (...uris: readonly string[]) =>
    modern('subscriptions/listen', {
      notifications: { toolsListChanged: true, resourceSubscriptions: uris },
    });
  const listenTo = (asked: Asked, ...more: readonly object[]): void => {
    const { notifications } = asked.message.params as { notifications: object };
    const stamped = { _meta: { [SUBSCRIPTION]: asked.message.id } };
    events(
      asked,
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications, ...stamped },
      },
      ...more,
    );
  };
  const changed = (uri: string, id: unknown) => ({
    jsonrpc: '2.0',
    method: 'notifications/resources/updated',
    params: { uri, _meta: { [SUBSCRIPTION]: id } },
  });

  test('each target hears of its own resources, and the client one acknowledgement', async () => {
    const a = fakeTarget(
      'a',
      modernServer((asked) => listenTo(asked, changed('x:1', 7))),
    );
    const b = fakeTarget(
      'b',
      modernServer((asked) => listenTo(asked, changed('y:1', 99))),
    );
    const both = federate([a, b]);
    const { answered, abort } = both.start(listen('a+x:1', 'b+y:1', 'b+y:2'));
    await settled(() => messagesOf(answered.text).length === 2);
    const urisOf = (asked: Asked | undefined) =>
      (asked?.message.params as { notifications: { resourceSubscriptions: unknown } }).notifications
        .resourceSubscriptions;
    assert.deepEqual(urisOf(a.asked.at(-1)), ['x:1']);
    assert.deepEqual(urisOf(b.asked.at(-1)), ['y:1', 'y:2']);
    const [first, second] = messagesOf(answered.text);
    assert.deepEqual((first?.params as { notifications: unknown }).notifications, {
      toolsListChanged: true,
      resourceSubscriptions: ['a+x:1', 'b+y:1', 'b+y:2'],
    });
    // That of b was for a subscription of another client.
    assert.equal((second?.params as { uri: string }).uri, 'a+x:1');
    abort();
    assert.ok(a.asked.at(-1)?.isAborted === true && b.asked.at(-1)?.isAborted === true);
  });

  test('a resource of nobody is not listened to', async () => {
    const a = fakeTarget(
      'a',
      modernServer((asked) => listenTo(asked)),
    );
    const both = federate([a]);
    const { text } = await both.send(listen('a+x:1', 'c+x:1'));
    assert.match(text, /Resource not found/);
    assert.equal(a.asked.length, 0);
  });

  test('ends when all targets have ended it', async () => {
    const script = modernServer((asked) => {
      listenTo(asked, { jsonrpc: '2.0', id: 7, result: { resultType: 'complete' } });
      asked.answer.onEnd();
    });
    const both = federate([fakeTarget('a', script), fakeTarget('b', script)]);
    const { text } = await both.send(listen());
    assert.equal(messagesOf(text).length, 2);
    assert.equal(messagesOf(text)[1]?.id, 7);
  });
});
