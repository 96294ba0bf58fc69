/** What clients set in their sessions outlives the sessions at the targets, as far as it is known. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headerValue } from '../../../src/accept/request-head.ts';
import { createSessionSettings } from '../../../src/mcp/federation/session-settings.ts';
import { alice, bob, events, fakeTarget, federate, json, legacyServer } from './fake-targets.ts';
import { settled, type FakeTarget, type Script } from './fake-targets.ts';

const BACKEND = 'default/b';
const sessionOf = (key: string, owner = alice) => ({
  session: {
    key,
    targets: new Map(),
    client: { protocolVersion: '', capabilities: {}, clientInfo: {} },
    logLevel: null,
  },
  base: { method: 'POST', path: '/', headers: [], body: null, owner, hasTimeout: false },
});

describe('the memory of settings', () => {
  const create = (now: () => number = () => 0) =>
    createSessionSettings({ siblings: null, monotonicNow: now });

  test('is of one session of one owner at one backend', () => {
    const settings = create();
    settings.subscribe(BACKEND, sessionOf('k'), 'a', 'x:1');
    settings.setLogLevel(BACKEND, sessionOf('k'), 'error');
    assert.deepEqual(settings.subscriptions(BACKEND, sessionOf('k'), 'a'), ['x:1']);
    for (const [backend, call, target] of [
      [BACKEND, sessionOf('k', bob), 'a'],
      [BACKEND, sessionOf('other'), 'a'],
      ['default/c', sessionOf('k'), 'a'],
      [BACKEND, sessionOf('k'), 'b'],
      [BACKEND, { ...sessionOf('k'), session: null }, 'a'],
    ] as const) {
      assert.deepEqual(settings.subscriptions(backend, call, target), []);
      if (target === 'a') assert.equal(settings.logLevel(backend, call), null);
    }
  });

  test('ends with an unsubscription, with the session, and after a day', () => {
    let now = 0;
    const settings = create(() => now);
    const count = () => settings.subscriptions(BACKEND, sessionOf('k'), 'a').length;
    settings.subscribe(BACKEND, sessionOf('k'), 'a', 'x:1');
    settings.subscribe(BACKEND, sessionOf('k'), 'a', 'x:2');
    settings.unsubscribe(BACKEND, sessionOf('k'), 'a', 'x:1');
    assert.equal(count(), 1);
    settings.forget(BACKEND, sessionOf('k'));
    assert.equal(count(), 0);
    settings.subscribe(BACKEND, sessionOf('k'), 'a', 'x:1');
    now = 86_400_000;
    assert.equal(count(), 0);
  });

  test('is bounded in subscriptions, in the length of one, in octets and in sessions', () => {
    const settings = create();
    const count = (key: string) => settings.subscriptions(BACKEND, sessionOf(key), 'a').length;
    settings.subscribe(BACKEND, sessionOf('k'), 'a', 'x'.repeat(2049));
    settings.setLogLevel(BACKEND, sessionOf('k'), 'no level');
    assert.equal(count('k'), 0);
    assert.equal(settings.logLevel(BACKEND, sessionOf('k')), null);
    for (let index = 0; index < 300; index += 1) {
      settings.subscribe(BACKEND, sessionOf('k'), 'a', `x:${index}`);
    }
    assert.equal(count('k'), 100);
    for (let index = 0; index < 10_001; index += 1) {
      settings.subscribe(BACKEND, sessionOf(`s${index}`), 'a', 'x');
    }
    assert.deepEqual([count('k'), count('s0'), count('s1'), count('s10000')], [0, 0, 1, 1]);
    for (let index = 0; index < 200; index += 1) {
      for (let uri = 0; uri < 60; uri += 1) {
        settings.subscribe(BACKEND, sessionOf(`long${index}`), 'a', `${uri}`.padEnd(2000, 'x'));
      }
    }
    assert.deepEqual([count('s1'), count('long0'), count('long199')], [0, 0, 60]);
  });

  test('is told to other workers, who believe nothing else', () => {
    const takers: ((from: string, payload: string) => void)[] = [];
    const siblings = {
      send: (_to: string | null, _topic: string, payload: string) => {
        for (const take of takers.slice(1)) take('1', payload);
      },
      on: (_topic: string, take: (from: string, payload: string) => void) => takers.push(take),
    };
    const here = createSessionSettings({ siblings, monotonicNow: () => 0 });
    const there = createSessionSettings({ siblings, monotonicNow: () => 0 });
    here.subscribe(BACKEND, sessionOf('k'), 'a', 'x:1');
    here.setLogLevel(BACKEND, sessionOf('k'), 'error');
    assert.deepEqual(there.subscriptions(BACKEND, sessionOf('k'), 'a'), ['x:1']);
    assert.equal(there.logLevel(BACKEND, sessionOf('k'))?.level, 'error');
    for (const payload of ['', '[]', '{"key":1}', '{"key":"k","kind":"level","level":"x"}']) {
      takers[1]?.('1', payload);
    }
    here.forget(BACKEND, sessionOf('k'));
    assert.deepEqual(there.subscriptions(BACKEND, sessionOf('k'), 'a'), []);
  });
});

describe('a session that is opened again', () => {
  const request = (method: string, params: object) => ({ jsonrpc: '2.0', id: 7, method, params });
  const subscribe = (uri: string) => request('resources/subscribe', { uri });
  /** Forgets the sessions below the number; refuses to subscribe to `x:refused`. */
  function forgetful(name: string) {
    const state = { oldest: 1 };
    const script: Script = (asked) => {
      const { id, params } = asked.message as { id?: unknown; params?: { uri?: string } };
      if (Number(/\d+$/.exec(asked.session ?? '')?.[0]) < state.oldest) {
        json(asked, '', 404);
      } else if (asked.method === 'GET') {
        events(asked);
      } else if (id !== undefined) {
        const isRefused = params?.uri === 'x:refused';
        const outcome = isRefused ? { error: { code: -32002, message: 'no' } } : { result: {} };
        json(asked, { jsonrpc: '2.0', id, ...outcome });
      }
    };
    return { state, target: fakeTarget(name, legacyServer(name, script)) };
  }
  /** What was said in one session. */
  const said = (target: FakeTarget, session: string) =>
    target.asked
      .filter((asked) => asked.session === session && asked.message.method !== undefined)
      .map(({ message }) => {
        const { uri, level } = (message.params ?? {}) as { uri?: string; level?: string };
        return [String(message.method), uri ?? level]
          .filter((part) => part !== undefined)
          .join(' ');
      });
  const RESTORED = [
    'notifications/initialized',
    'logging/setLevel error',
    'resources/subscribe x:1',
    'resources/subscribe x:3',
  ];

  async function setUp() {
    const { state, target } = forgetful('a');
    const one = federate([target]);
    const session = await one.open();
    for (const uri of ['a+x:1', 'a+x:2', 'a+x:3', 'a+x:refused']) {
      await one.send(subscribe(uri), { session });
    }
    await one.send(request('resources/unsubscribe', { uri: 'a+x:2' }), { session });
    const { headers } = await one.send(request('logging/setLevel', { level: 'error' }), {
      session,
    });
    return { state, target, one, session, renewed: headerValue(headers, 'mcp-session-id') ?? '' };
  }

  test('is told the log level and what the client is subscribed to, before the request goes on', async () => {
    const { state, target, one, session } = await setUp();
    state.oldest = 2;
    await one.send(request('tools/call', { name: 'a_x' }), { session });
    await settled(() => said(target, 'a-session-2').length === 5);
    const all = said(target, 'a-session-2');
    assert.deepEqual(all.slice(0, 2), RESTORED.slice(0, 2));
    assert.deepEqual([...all].sort(), [...RESTORED, 'tools/call'].sort());
  });

  test('is told nothing that the policies do not allow any more', async () => {
    const { state, target, one, session } = await setUp();
    state.oldest = 2;
    const asked: unknown[] = [];
    await one.send(request('tools/call', { name: 'a_x' }), {
      session,
      maySubscribe(at) {
        asked.push(at);
        return at.name !== 'x:1';
      },
    });
    await settled(() => said(target, 'a-session-2').length === 4);
    assert.ok(!said(target, 'a-session-2').includes('resources/subscribe x:1'));
    assert.deepEqual(asked, [
      { target: 'a', name: 'x:1' },
      { target: 'a', name: 'x:3' },
    ]);
  });

  test('of another client is told nothing of it', async () => {
    const { state, target, one } = await setUp();
    const session = await one.open(bob);
    assert.match(session, /a-session-2/);
    state.oldest = 3;
    await one.send(request('tools/call', { name: 'a_x' }), { session, owner: bob });
    assert.deepEqual(said(target, 'a-session-3'), ['notifications/initialized', 'tools/call']);
  });

  test('is opened and told by a client that does nothing but listen', async () => {
    const { state, target, one, session } = await setUp();
    state.oldest = 2;
    const { answered, abort } = one.start(null, { session, method: 'GET' });
    await settled(() => answered.status === 200 && said(target, 'a-session-2').length === 4);
    assert.deepEqual([...said(target, 'a-session-2')].sort(), [...RESTORED].sort());
    assert.equal(
      target.asked.filter(({ method }) => method === 'GET').at(-1)?.session,
      'a-session-2',
    );
    abort();
  });

  test('is told the level by another replica too, where the client takes new ids', async () => {
    const { state, target, renewed } = await setUp();
    state.oldest = 2;
    await federate([target]).send(request('tools/call', { name: 'a_x' }), { session: renewed });
    assert.deepEqual(said(target, 'a-session-2'), [
      'notifications/initialized',
      'logging/setLevel error',
      'tools/call',
    ]);
  });

  test('is opened by the log level itself, which is set there', async () => {
    const { state, target, one, session } = await setUp();
    state.oldest = 2;
    const { text } = await one.send(request('logging/setLevel', { level: 'debug' }), { session });
    assert.match(text, /"result":\{\}/);
    await settled(() => said(target, 'a-session-2').length === 5);
    const levels = said(target, 'a-session-2').filter((one_) => one_.startsWith('logging'));
    assert.deepEqual(levels, ['logging/setLevel error', 'logging/setLevel debug']);
  });

  test('a target that refuses every GET is not asked to open one session after the other', async () => {
    const target = fakeTarget(
      'a',
      legacyServer('a', (asked) => {
        if (asked.method === 'GET') json(asked, '', 404);
      }),
    );
    const one = federate([target]);
    const session = await one.open();
    const { status } = await one.send(null, { session, method: 'GET' });
    assert.equal(status, 405);
    const opened = target.asked.filter(({ message }) => message.method === 'initialize');
    assert.equal(opened.length, 2);
  });

  test('after DELETE nothing is known of it', async () => {
    const { state, target, one, session } = await setUp();
    const script = target.script;
    target.script = (asked) => (asked.method === 'DELETE' ? json(asked, '', 200) : script(asked));
    await one.send(null, { session, method: 'DELETE' });
    state.oldest = 2;
    await one.send(request('tools/call', { name: 'a_x' }), { session });
    assert.deepEqual(said(target, 'a-session-2'), ['notifications/initialized', 'tools/call']);
  });
});
