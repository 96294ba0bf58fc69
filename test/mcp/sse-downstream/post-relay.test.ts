import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { RequestHead } from '../../../src/accept/request-head.ts';
import { Refusal } from '../../../src/errors.ts';
import { Exchange } from '../../../src/exchange.ts';
import { createPostRelay } from '../../../src/mcp/sse-downstream/post-relay.ts';
import { RelayResponder } from '../../../src/mcp/sse-downstream/relay-responder.ts';
import type { ListenerTable } from '../../../src/route/listener-table.ts';
import type { Siblings } from '../../../src/workers/siblings.ts';

const listeners: ListenerTable = { find: () => null };
const head: RequestHead = {
  method: 'POST',
  path: '/sse',
  query: 'sessionId=x',
  headers: ['authorization', 'Bearer t', 'x', '\u00e9'],
  host: 'gate',
  authority: 'gate:80',
  scheme: 'http',
  remoteAddress: '127.0.0.1',
  remotePort: null,
};

type Take = (from: string, payload: string) => void;

/** Two workers, `a` and `b`; what is said in the name of others can be put in by hand. */
function createPair(t: TestContext, run: (exchange: Exchange) => void) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ears = new Map<string, Take>();
  const sent: string[] = [];
  const siblingsOf = (workerId: string): Siblings => ({
    workerId,
    send(to, topic, payload) {
      sent.push(`${workerId} ${to} ${topic}`);
      ears.get(`${to} ${topic}`)?.(workerId, payload);
    },
    on: (topic, take) => void ears.set(`${workerId} ${topic}`, take),
  });
  const relayOf = (workerId: string) =>
    createPostRelay({
      siblings: siblingsOf(workerId),
      clock: () => 0,
      monotonicNow: () => 0,
      portOf: (table) => (table === listeners ? '|80' : null),
      listenersOf: (port) => (port === '|80' ? listeners : null),
      run,
    });
  const relay = relayOf('a');
  relayOf('b');
  return { relay, ears, sent };
}

const body = Buffer.from('{"a":"\u00e9"}');

function createExchange(table = listeners) {
  const answers: unknown[] = [];
  const responder = new RelayResponder((...answer) => answers.push(answer));
  const exchange = new Exchange(head, responder, null, table, 'sni', 0, 0);
  // What the stages of this worker have put in stays here.
  exchange.body = Buffer.from('{"changed":1}');
  return { exchange, answers };
}

describe('a POST for another worker', () => {
  test('arrives there whole and with nothing decided, and its answer comes back', (t) => {
    const taken: Exchange[] = [];
    const { relay } = createPair(t, (exchange) => {
      taken.push(exchange);
      exchange.responder.begin({
        status: 202,
        headers: ['x', 'y'],
        contentLength: 2,
        bodiless: false,
        opening: '',
      });
      exchange.responder.write(Buffer.from('ok'));
      exchange.responder.end();
    });
    const { exchange, answers } = createExchange();
    relay.send(exchange, 'b', body);
    assert.deepEqual(answers, [[202, ['x', 'y'], 'ok']]);
    assert.equal(exchange.status, 202);
    const [other] = taken;
    assert.deepEqual(other?.head, head);
    assert.deepEqual(other.body, body);
    assert.equal(other.serverName, 'sni');
    assert.equal(other.principal, null);
    t.mock.timers.tick(20_000);
    assert.equal(answers.length, 1);
  });

  test('brings back who counts it, and the denial that its holder alone could decide on', (t) => {
    const denial = { policy: 'default/p', rule: 'false', detail: 'why' };
    const { relay } = createPair(t, (exchange) => {
      exchange.isCarried = true;
      exchange.denial = new Refusal('AUTHORIZATION_DENIED', denial);
      exchange.responder.send(202, [], '');
    });
    const { exchange } = createExchange();
    relay.send(exchange, 'b', body);
    assert.equal(exchange.isCarried, true);
    const { kind, policy, rule, detail } = exchange.denial ?? assert.fail();
    assert.equal(kind.code, 'AUTHORIZATION_DENIED');
    assert.deepEqual({ policy, rule, detail }, denial);
  });

  test('takes no answer that can not be read', (t) => {
    const { relay, ears } = createPair(t, () => undefined);
    const { exchange, answers } = createExchange();
    relay.send(exchange, 'b', body);
    const good = { id: 1, status: 200, headers: [], body: '', isCarried: false, denial: null };
    for (const payload of [
      'no JSON',
      '[]',
      ...[{ isCarried: 1 }, { denial: {} }, { denial: { policy: '', rule: '', detail: 1 } }].map(
        (change) => JSON.stringify({ ...good, ...change }),
      ),
    ]) {
      ears.get('a sse-answer')?.('b', payload);
      ears.get('b sse-post')?.('a', payload);
    }
    assert.deepEqual(answers, []);
    ears.get('a sse-answer')?.('b', JSON.stringify(good));
    assert.equal(answers.length, 1);
  });

  test('is answered with 404 when nobody answers', (t) => {
    const { relay } = createPair(t, () => undefined);
    const { exchange, answers } = createExchange();
    relay.send(exchange, 'gone', body);
    t.mock.timers.tick(9_999);
    assert.deepEqual(answers, []);
    t.mock.timers.tick(1);
    assert.deepEqual(answers, [[404, ['content-type', 'text/plain'], 'Session not found']]);
  });

  test('takes its answer from the worker that was asked alone', (t) => {
    const { relay, ears } = createPair(t, () => undefined);
    const { exchange, answers } = createExchange();
    relay.send(exchange, 'b', body);
    const rest = { headers: [], body: 'forged', isCarried: false, denial: null };
    const answer = JSON.stringify({ id: 1, status: 200, ...rest });
    ears.get('a sse-answer')?.('c', answer);
    assert.deepEqual(answers, []);
    ears.get('a sse-answer')?.('b', answer);
    assert.deepEqual(answers, [[200, [], 'forged']]);
  });

  test('is refused at once where too many wait', (t) => {
    const { relay } = createPair(t, () => undefined);
    for (let count = 0; count < 1024; count += 1) relay.send(createExchange().exchange, 'b', body);
    const { exchange, answers } = createExchange();
    relay.send(exchange, 'b', body);
    assert.equal(exchange.status, 429);
    assert.equal(answers.length, 1);
  });

  test('is answered with 404 where its port is none of now', (t) => {
    const { relay, sent } = createPair(t, () => undefined);
    const { exchange } = createExchange({ find: () => null });
    relay.send(exchange, 'b', body);
    assert.deepEqual([exchange.status, sent], [404, []]);
  });

  for (const payload of [
    'null',
    '[]',
    '{}',
    '{"id":1,"port":"|80","serverName":null,"head":{},"body":""}',
  ]) {
    test(`is not taken from ${payload}`, (t) => {
      const { ears } = createPair(t, () => assert.fail());
      ears.get('b sse-post')?.('a', payload);
      ears.get('a sse-answer')?.('b', payload);
    });
  }
});
