/** A target that is lost while a modern client listens. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
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

const MODERN = '2026-07-28';
const LISTEN = 'subscriptions/listen';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const updated = (uri: string, more: object = {}) => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri, ...more },
});

const modern: Script = (asked) => {
  const { id, method, params } = asked.message;
  const capabilities = { resources: { subscribe: true } };
  const result = { supportedVersions: [MODERN], capabilities };
  if (method === 'server/discover') json(asked, { jsonrpc: '2.0', id, result });
  else {
    const { notifications } = params as { notifications: object };
    const acknowledged = 'notifications/subscriptions/acknowledged';
    const _meta = { [SUBSCRIPTION]: id };
    events(asked, { jsonrpc: '2.0', method: acknowledged, params: { notifications, _meta } });
  }
};

/** Refuses `server/discover`; the server of the tests has `resources.subscribe`. */
const legacy = (name: string, more: Script): Script => {
  const server = legacyServer(name, more);
  return (asked) => {
    if (asked.message.method === 'server/discover') {
      const error = { code: -32601, message: 'no' };
      json(asked, { jsonrpc: '2.0', id: asked.message.id, error }, 400);
    } else server(asked);
  };
};
const telling: Script = (asked) => {
  if (asked.method === 'GET') events(asked);
  else if (asked.method === 'DELETE') json(asked, '', 200);
  else if (asked.message.id !== undefined) {
    json(asked, { jsonrpc: '2.0', id: asked.message.id, result: {} });
  }
};

function start(failureMode: 'FailOpen' | 'FailClosed', ofOld: Script = telling) {
  const young = fakeTarget('young', modern);
  const old = fakeTarget('old', legacy('old', ofOld));
  const both = federate([young, old], { failureMode });
  const listening = both.start({
    jsonrpc: '2.0',
    id: 9,
    method: LISTEN,
    params: {
      notifications: { resourceSubscriptions: ['young+x:1', 'old+x:1'] },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
  const heard = () => messagesOf(listening.answered.text);
  const listens = () => young.asked.filter(({ message }) => message.method === LISTEN);
  const gets = () => old.asked.filter(({ method }) => method === 'GET');
  return { young, old, both, ...listening, heard, listens, gets };
}
const say = (asked: Asked | undefined, message: object): void => {
  asked?.answer.onData(Buffer.from(`data: ${JSON.stringify(message)}\n\n`));
};

describe('a target that is lost', () => {
  test('FailOpen: is listened to again, and the client hears of it without another acknowledgement', async () => {
    const { both, old, answered, heard, listens, gets, abort } = start('FailOpen');
    await settled(() => heard().length === 1);
    listens()[0]?.answer.onFailure('UPSTREAM_RESET', 'x');
    gets()[0]?.answer.onFailure('UPSTREAM_RESET', 'x');
    await settled(() => listens().length === 2 && gets().length === 2);
    const isSubscribed = ({ session, message }: Asked) =>
      session === 'old-session-3' && message.method === 'resources/subscribe';
    await settled(() => old.asked.some(isSubscribed));
    await settled(() => {
      say(listens()[1], updated('x:1', { _meta: { [SUBSCRIPTION]: 9 } }));
      say(gets()[1], updated('x:1'));
      const uris = heard().map(({ params }) => (params as { uri?: string }).uri);
      return uris.includes('young+x:1') && uris.includes('old+x:1');
    });
    const acknowledgements = heard().filter(({ method }) => String(method).includes('acknow'));
    assert.equal(acknowledgements.length, 1);
    assert.equal(answered.isOver, false);
    assert.deepEqual([...both.failed].sort(), ['old', 'young']);
    abort();
    assert.ok(listens()[1]?.isAborted === true && gets()[1]?.isAborted === true);
    await settled(() => old.asked.at(-1)?.method === 'DELETE');
    assert.equal(old.asked.at(-1)?.session, 'old-session-3');
  });

  test('FailOpen: is left alone once the client has gone', async () => {
    const { heard, listens, abort } = start('FailOpen');
    await settled(() => heard().length === 1);
    listens()[0]?.answer.onFailure('UPSTREAM_RESET', 'x');
    abort();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(listens().length, 1);
  });

  test('FailClosed: ends the stream, so that the client listens again', async () => {
    const { heard, listens, answered } = start('FailClosed');
    await settled(() => heard().length === 1);
    listens()[0]?.answer.onFailure('UPSTREAM_RESET', 'x');
    await settled(() => answered.isOver);
  });
});

test('a legacy target whose stream ends before it is subscribed to is acknowledged once', async () => {
  const waiting: Asked[] = [];
  const { gets, heard, abort } = start('FailOpen', (asked) => {
    if (asked.message.method === 'resources/subscribe') waiting.push(asked);
    else telling(asked);
  });
  await settled(() => waiting.length === 1);
  gets()[0]?.answer.onEnd();
  await settled(() => gets().length === 2);
  // Its head has to come first.
  for (let turns = 0; turns < 20; turns += 1) await new Promise((done) => setImmediate(done));
  for (const asked of waiting) telling(asked);
  await settled(() => heard().length === 1);
  assert.equal(waiting.length, 1);
  const { notifications } = heard()[0]?.params as { notifications: object };
  assert.deepEqual(notifications, { resourceSubscriptions: ['young+x:1', 'old+x:1'] });
  abort();
});
