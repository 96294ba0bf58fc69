/** What a federation does to messages and to whom they go, with targets whose every word is the test's. */
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
  type Script,
} from './fake-targets.ts';

const call = (name: string, more: object = {}) => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params: { name, ...more },
});
const answersWith =
  (result: string): Script =>
  (asked) => {
    if (asked.message.id === undefined) return;
    json(asked, `{"jsonrpc":"2.0","id":${JSON.stringify(asked.message.id)},"result":${result}}`);
  };
const pair = (one: Script = answersWith('{}'), other: Script = answersWith('{}')) => {
  const a = fakeTarget('a', legacyServer('a', one));
  const b = fakeTarget('b', legacyServer('b', other));
  return { a, b, both: federate([a, b]) };
};

describe('a call', () => {
  test('goes to its target alone, under the name that the target gave, and all else as it was', async () => {
    const { a, b, both } = pair();
    const session = await both.open();
    const text =
      '{"jsonrpc":"2.0","id":1.0e1,"method":"tools/call","params":{"name":"a_x_y","arguments":{"n":1.50,"s":"\\u0061"}}}'.replace(
        '1.0e1',
        '10',
      );
    await both.send(text, { session });
    assert.equal(b.asked.length, 1);
    const { text: sent, session: upstream, headers } = a.asked.at(-1) ?? assert.fail();
    assert.equal(sent, text.replace('a_x_y', 'x_y'));
    assert.equal(upstream, 'a-session-1');
    assert.equal(headerValue(headers, 'host'), 'a.test');
    assert.equal(headerValue(headers, 'x-kept'), '1');
    assert.equal(headerValue(headers, 'mcp-protocol-version'), '2025-06-18');
  });

  for (const name of ['x', 'c_x', '_x', 'a_', 'A_x']) {
    test(`of ${name} goes to nobody`, async () => {
      const { a, b, both } = pair();
      const session = await both.open();
      const { text, status } = await both.send(call(name), { session });
      assert.equal(status, 200);
      assert.match(text, new RegExp(`Unknown tool: ${name}"`));
      assert.equal(a.asked.length + b.asked.length, 2);
    });
  }

  test('is refused without a session', async () => {
    const { a, both } = pair();
    assert.equal((await both.send(call('a_x'))).status, 400);
    assert.equal(a.asked.length, 0);
  });

  test('gets its result octet by octet, but for what the target is put in front of', async () => {
    const { both } = pair(
      answersWith(
        '{"content":[{"type":"resource_link","uri":"x:1","size":1.50},{"type":"resource","resource":{"uri":"\\u0078:2","n":1e2}}],"_meta":{"ui":{"resourceUri":"ui://v"}},"unknown":[1.0]}',
      ),
    );
    const session = await both.open();
    const { text } = await both.send(call('a_x'), { session });
    assert.equal(
      text,
      '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"resource_link","uri":"a+x:1","size":1.50},{"type":"resource","resource":{"uri":"a+\\u0078:2","n":1e2}}],"_meta":{"ui":{"resourceUri":"a+ui://v"}},"unknown":[1.0]}}',
    );
  });
});

describe('a target can not speak for another', () => {
  test('a result under another id is not handed on', async () => {
    const { both } = pair((asked) => json(asked, { jsonrpc: '2.0', id: 8, result: {} }));
    const session = await both.open();
    const { failure } = await both.send(call('a_x'), { session });
    assert.equal(failure, 'UPSTREAM_ANSWER_UNREADABLE');
  });

  test('progress comes back under the client\u2019s token, octet by octet, from the target that was given it', async () => {
    let tokenOfA: unknown;
    const { both } = pair(
      (asked) => {
        if (asked.message.id === undefined) return;
        const { _meta: meta } = asked.message.params as { _meta: { progressToken: unknown } };
        tokenOfA = meta.progressToken;
        const progress = { progressToken: tokenOfA, progress: 1 };
        events(
          asked,
          { jsonrpc: '2.0', method: 'notifications/progress', params: progress },
          { jsonrpc: '2.0', id: 7, result: {} },
        );
      },
      (asked) => {
        if (asked.message.id === undefined) return;
        const progress = { progressToken: tokenOfA, progress: 99 };
        events(
          asked,
          { jsonrpc: '2.0', method: 'notifications/progress', params: progress },
          {
            jsonrpc: '2.0',
            method: 'notifications/progress',
            params: { ...progress, progressToken: 'mine' },
          },
          { jsonrpc: '2.0', id: 7, result: {} },
        );
      },
    );
    const session = await both.open();
    const withToken = { _meta: { progressToken: 'mine' } };
    const fromA = messagesOf((await both.send(call('a_x', withToken), { session })).text);
    assert.deepEqual(fromA[0]?.params, { progressToken: 'mine', progress: 1 });
    const fromB = messagesOf((await both.send(call('b_x', withToken), { session })).text);
    assert.equal(fromB.length, 1);
  });

  test('a resource that changed is one of its own', async () => {
    const updated = {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'b+x:1' },
    };
    const { both } = pair((asked) => {
      if (asked.message.id !== undefined)
        events(asked, updated, { jsonrpc: '2.0', id: 7, result: {} });
    });
    const session = await both.open();
    const [message] = messagesOf((await both.send(call('a_x'), { session })).text);
    assert.deepEqual(message?.params, { uri: 'a+b+x:1' });
  });

  test('an event id is not handed on, nor a batch', async () => {
    const { both } = pair((asked) => {
      if (asked.message.id !== undefined) events(asked, '[{"jsonrpc":"2.0","id":7,"result":{}}]');
    });
    const session = await both.open();
    const { text, failure } = await both.send(call('a_x'), { session });
    assert.equal(text, '');
    assert.equal(failure, 'UPSTREAM_ANSWER_UNREADABLE');
  });

  test('a list in which a member occurs twice fails', async () => {
    const twice = answersWith('{"tools":[{"name":"x","name":"y"}]}');
    const { both } = pair(twice);
    const session = await both.open();
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    assert.match((await both.send(list, { session })).text, /"error"/);
  });
});

describe('a request of a server', () => {
  const ask = {
    jsonrpc: '2.0',
    id: 5,
    method: 'roots/list',
    params: { _meta: { progressToken: 9 } },
  };
  async function asking() {
    const { a, b, both } = pair((asked) => {
      if (asked.message.id === 7) events(asked, ask);
      else if (asked.message.method === undefined) {
        asked.answer.onHead(202, []);
        asked.answer.onEnd();
      }
    });
    const session = await both.open();
    const { answered } = both.start(call('a_x'), { session });
    await settled(() => answered.text.includes('roots/list'));
    const [request] = messagesOf(answered.text);
    const { params } = request ?? assert.fail();
    const { _meta: meta } = params as { _meta: { progressToken: string } };
    return { a, b, both, session, id: request?.id as string, token: meta.progressToken };
  }

  test('reaches the client under an id that says nothing, and the answer the server under its own', async () => {
    const { a, b, both, session, id } = await asking();
    assert.notEqual(id, 5);
    const answer = `{"jsonrpc":"2.0","id":"${id}","result":{"roots":[],"n":1.0}}`;
    assert.equal((await both.send(answer, { session })).status, 202);
    assert.equal(a.asked.at(-1)?.text, '{"jsonrpc":"2.0","id":5,"result":{"roots":[],"n":1.0}}');
    assert.equal(a.asked.at(-1)?.session, 'a-session-1');
    assert.equal(b.asked.length, 1);
  });

  test('is answered by its owner alone', async () => {
    const { a, b, both, id } = await asking();
    const before = a.asked.length;
    const session = await both.open(bob);
    for (const forged of [id, '5', 'x'.repeat(80)]) {
      const answer = { jsonrpc: '2.0', id: forged, result: {} };
      assert.equal((await both.send(answer, { session, owner: bob })).status, 202);
    }
    assert.equal(a.asked.length, before + 1, 'initialize of Bob');
    assert.equal(b.asked.length, 2);
    assert.ok(both.notes.includes('an answer to a request of nobody'));
  });

  test('gets the client\u2019s progress under its own token', async () => {
    const { a, b, both, session, token } = await asking();
    const progress = (progressToken: string) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress: 1 },
    });
    await both.send(progress(token), { session });
    assert.match(a.asked.at(-1)?.text ?? '', /"progressToken":9,/);
    const before = a.asked.length;
    await both.send(progress('9'), { session });
    assert.equal(a.asked.length, before);
    assert.equal(b.asked.length, 1);
  });
});

describe('a cancelled request', () => {
  const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
  test('is told to its target alone, where this worker has it in hand', async () => {
    const { a, b, both } = pair(() => undefined);
    const session = await both.open();
    const { abort } = both.start(call('a_x'), { session });
    await settled(() => a.asked.length === 2);
    await both.send(cancelled, { session });
    assert.equal(a.asked.at(-1)?.text, JSON.stringify(cancelled));
    assert.equal(b.asked.length, 1);
    abort();
    assert.ok(a.asked[1]?.isAborted);
  });
  test('is told to all of the session otherwise', async () => {
    const { a, b, both } = pair();
    const session = await both.open();
    await both.send(cancelled, { session });
    assert.deepEqual([a.asked.length, b.asked.length], [2, 2]);
  });
});

describe('an expired session', () => {
  const forgets = [
    ['404', (asked: Parameters<Script>[0]) => json(asked, '', 404)],
    [
      '400 that speaks of it',
      (asked: Parameters<Script>[0]) =>
        json(
          asked,
          { jsonrpc: '2.0', error: { code: -32000, message: 'No valid session ID' } },
          400,
        ),
    ],
  ] as const;
  for (const [name, forget] of forgets) {
    test(`is opened again once, and the client gets its new id: ${name}`, async () => {
      const script: Script = (asked) => {
        if (asked.message.id === undefined) return;
        if (asked.session === 'a-session-1') forget(asked);
        else answersWith('{"ok":true}')(asked);
      };
      const { a, b, both } = pair(script);
      const session = await both.open();
      const { text, headers } = await both.send(call('a_x'), { session });
      assert.match(text, /"ok":true/);
      assert.deepEqual(
        a.asked.map(({ message }) => message.method),
        ['initialize', 'tools/call', 'initialize', 'notifications/initialized', 'tools/call'],
      );
      assert.deepEqual(a.asked[2]?.message.params, {
        protocolVersion: '2025-11-25',
        capabilities: { roots: {} },
        clientInfo: { name: '', version: '' },
      });
      assert.deepEqual(both.reinitialised, ['a']);
      assert.equal(b.asked.length, 1);
      const renewed = headerValue(headers, 'mcp-session-id') ?? '';
      assert.match(renewed, /a-session-2/);
      assert.match(renewed, /b-session-1/);

      // A client that keeps the old id is helped; another worker reads the new one.
      await both.send(call('a_x'), { session });
      assert.equal(a.asked.at(-1)?.session, 'a-session-2');
      await federate([a, b]).send(call('a_x'), { session: renewed });
      assert.equal(a.asked.at(-1)?.session, 'a-session-2');
      assert.equal(a.asked.filter(({ message }) => message.method === 'initialize').length, 2);
    });
  }

  test('is not opened again and again', async () => {
    const { a, both } = pair((asked) => json(asked, '', 404));
    const session = await both.open();
    // A 404 would end the client's session, of which other targets still know.
    const { failure } = await both.send(call('a_x'), { session });
    assert.equal(failure, 'UPSTREAM_UNREACHABLE');
    assert.equal(a.asked.filter(({ message }) => message.method === 'initialize').length, 2);
  });
});

describe('a list', () => {
  const list = (cursor?: string) => ({
    jsonrpc: '2.0',
    id: 3,
    method: 'tools/list',
    params: cursor === undefined ? {} : { cursor },
  });
  const cursorOf = (text: string): string | undefined =>
    (JSON.parse(text) as { result: { nextCursor?: string } }).result.nextCursor;

  test('that is too long for one answer goes on under one cursor, which belongs to its owner', async () => {
    const page: Script = (asked) => {
      if (asked.message.id === undefined) return;
      const { cursor } = asked.message.params as { cursor?: string };
      const start = Number(cursor ?? 0);
      const items = Array.from({ length: 1000 }, (_, index) => `{"name":"t${start + index}"}`);
      const next = start < 3000 ? `,"nextCursor":"${start + 1000}"` : '';
      answersWith(`{"tools":[${items.join()}]${next}}`)(asked);
    };
    const { both } = pair(page, page);
    const session = await both.open();
    const seen: string[] = [];
    let cursor: string | undefined;
    let answers = 0;
    do {
      const { text } = await both.send(list(cursor), { session });
      const { result } = JSON.parse(text) as { result: { tools: { name: string }[] } };
      seen.push(...result.tools.map(({ name }) => name));
      const next = cursorOf(text);
      if (next !== undefined) {
        const sessionOfBob = await both.open(bob);
        const stolen = await both.send(list(next), { session: sessionOfBob, owner: bob });
        assert.match(stolen.text, /the cursor is not valid/);
        const otherList = { ...list(next), method: 'prompts/list' };
        assert.match((await both.send(otherList, { session })).text, /the cursor is not valid/);
      }
      cursor = next;
      answers += 1;
    } while (cursor !== undefined);
    assert.ok(answers > 2);
    assert.equal(seen.length, 8000);
    assert.equal(new Set(seen).size, 8000);
    assert.deepEqual([seen[0], seen.at(-1)], ['a_t0', 'b_t3999']);
  });

  test('FailOpen leaves a target out that is too slow; FailClosed fails, and names nobody', async () => {
    for (const failureMode of ['FailOpen', 'FailClosed'] as const) {
      const a = fakeTarget('a', legacyServer('a', answersWith('{"tools":[{"name":"x","n":1.0}]}')));
      const b = fakeTarget('b', legacyServer('b'));
      const both = federate([a, b], { failureMode, timeoutMs: 300 });
      const { text } = await both.send(list(), { session: await both.open() });
      if (failureMode === 'FailOpen') {
        assert.equal(text, '{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"a_x","n":1.0}]}}');
      } else {
        assert.match(text, /^\{"jsonrpc":"2.0","id":3,"error":\{"code":-32603,/);
      }
      assert.match(both.notes.join(), /b \(no answer within/);
      assert.deepEqual(both.failed, ['b']);
    }
  });

  test('of a target that turns its pages for ever comes to an end', async () => {
    const { both, a } = pair(
      answersWith('{"tools":[],"nextCursor":"again"}'),
      answersWith('{"tools":[]}'),
    );
    const session = await both.open();
    assert.match((await both.send(list(), { session })).text, /"tools":\[\]/);
    assert.ok(a.asked.length < 10);
  });
});

describe('the GET stream', () => {
  test('is made of those of all targets, without ids; it ends with the client', async () => {
    const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
    const stream: Script = (asked) => {
      if (asked.method === 'GET') events(asked, changed);
    };
    const { a, b, both } = pair(stream, stream);
    const session = await both.open();
    const { answered, abort } = both.start(null, { session, method: 'GET' });
    await settled(() => messagesOf(answered.text).length === 2);
    assert.ok(!answered.text.includes('id:'));
    abort();
    assert.ok(a.asked.at(-1)?.isAborted === true && b.asked.at(-1)?.isAborted === true);
  });

  test('is one also in the place of a message that went before, as HTTP+SSE makes it', async () => {
    const { a, b, both } = pair((asked) => {
      if (asked.method === 'GET') events(asked);
    });
    const session = await both.open();
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const { answered, abort } = both.start(initialized, { session, method: 'GET' });
    await settled(() => answered.status === 200);
    assert.deepEqual([a.asked.at(-1)?.method, b.asked.at(-1)?.method], ['GET', 'GET']);
    assert.deepEqual([a.asked.length, b.asked.length], [2, 2]);
    abort();
  });

  test('carries no answers, since nobody asked there', async () => {
    const { both } = pair((asked) => {
      if (asked.method === 'GET') {
        const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
        events(asked, { jsonrpc: '2.0', id: 7, result: {} }, changed);
      }
    });
    const session = await both.open();
    const { answered, abort } = both.start(null, { session, method: 'GET' });
    await settled(() => answered.text.includes('list_changed'));
    assert.equal(messagesOf(answered.text).length, 1);
    abort();
  });

  test('is 405 where no target offers one', async () => {
    const refuse: Script = (asked) => {
      if (asked.method === 'GET') json(asked, '', 405);
    };
    const { both } = pair(refuse, refuse);
    const session = await both.open();
    const { status } = await both.send(null, { session, method: 'GET' });
    assert.equal(status, 405);
  });
});

test('DELETE ends the sessions at all targets', async () => {
  const end: Script = (asked) => {
    if (asked.method === 'DELETE') json(asked, '', 200);
  };
  const { a, b, both } = pair(end, end);
  const session = await both.open();
  assert.equal((await both.send(null, { session, method: 'DELETE' })).status, 200);
  assert.deepEqual(
    [a.asked.at(-1)?.session, b.asked.at(-1)?.session],
    ['a-session-1', 'b-session-1'],
  );
});

test('the session of another kind of backend is unknown here', async () => {
  const { both, a } = pair();
  assert.equal((await both.send(call('a_x'), { session: 'plain-id' })).status, 404);
  assert.equal(a.asked.length, 0);
});

test('without prefixes the first target wins, for calls and lists, and what is learned is the owner\u2019s', async () => {
  const has = (...names: readonly string[]) =>
    answersWith(`{"tools":[${names.map((name) => `{"name":"${name}"}`).join()}]}`);
  const a = fakeTarget('a', legacyServer('a', has('x')));
  const b = fakeTarget('b', legacyServer('b', has('x', 'y')));
  const both = federate([a, b], { isPrefixed: false });
  const session = await both.open();
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const { text } = await both.send(list, { session });
  assert.match(text, /"tools":\[\{"name":"x"\},\{"name":"y"\}\]/);
  const { locate } = both.federation;
  assert.equal(locate(alice, 'tool', 'x')?.target, 'a');
  assert.equal(locate(alice, 'tool', 'y')?.target, 'b');
  assert.equal(locate(alice, 'prompt', 'y'), null);
  assert.equal(locate(bob, 'tool', 'x'), null);
});
