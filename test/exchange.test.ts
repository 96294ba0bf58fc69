import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeNativeResponse } from './accept/fake-native-response.ts';
import { NativeResponder } from '../src/accept/native-responder.ts';
import { RequestBody } from '../src/accept/request-body.ts';
import type { RequestHead } from '../src/accept/request-head.ts';
import { Exchange } from '../src/exchange.ts';
import { Refusal } from '../src/errors.ts';

const head: RequestHead = {
  method: 'GET',
  path: '/',
  query: null,
  headers: ['host', 'a.test'],
  host: 'a.test',
  authority: 'a.test',
  scheme: 'http',
  remoteAddress: '192.0.2.1',
  remotePort: null,
};

function start({ hasBody = false } = {}) {
  const native = new FakeNativeResponse();
  const events: string[] = [];
  const responder = new NativeResponder(
    native,
    () => events.push('finished'),
    () => false,
    false,
  );
  const body = hasBody ? new RequestBody(native, 10) : null;
  const listeners = { find: () => null };
  const exchange = new Exchange(head, responder, body, listeners, null, 1000, 1);
  return { native, events, responder, body, exchange };
}

test('an exchange has all its fields from the start and never gets another', () => {
  const { exchange } = start({ hasBody: true });
  const fields = Object.keys(exchange);
  for (const field of [
    'head', 'responder', 'requestBody', 'listeners', 'serverName', 'startedAtMs', 'startedAtMonotonicMs',
    'listener', 'rule', 'matchedPrefixLength', 'principal', 'tokensToRemove', 'keptTokenHeader', 'body',
    'upstream', 'upstreamStartedAtMonotonicMs', 'upstreamAnsweredAtMonotonicMs', 'refusal', 'status',
  ]) {
    assert.ok(fields.includes(field), field);
  } // prettier-ignore
  exchange.tokensToRemove = [{ in: 'header', name: 'x' }];
  exchange.body = Buffer.from('x');
  exchange.fail(new Refusal('INTERNAL'));
  assert.deepEqual(Object.keys(exchange), fields);
  assert.deepEqual(Object.keys(start().exchange), fields);
});

describe('an exchange that fails', () => {
  test('before its answer has begun is answered with the refusal, and its body forgotten', () => {
    const { native, exchange, body, events } = start({ hasBody: true });
    native.receive('abc', false);
    const refusal = new Refusal('AUTHORIZATION_DENIED', { headers: ['x-a', 'b'] });
    exchange.fail(refusal);
    assert.deepEqual(native.log, [
      'status 403 Forbidden',
      'content-type: text/plain',
      'x-a: b',
      'end authorization failed',
    ]);
    assert.equal(exchange.refusal, refusal);
    assert.equal(exchange.status, 403);
    assert.equal(body?.outcome, 'aborted');
    assert.deepEqual(events, ['finished']);
  });

  test('for a request that can not be read further closes the connection', async () => {
    const { native, exchange } = start();
    exchange.fail(new Refusal('REQUEST_INVALID'));
    assert.equal(
      native.log.length,
      0,
      'not within the turn that reads: what stands behind would be read, too',
    );
    await nextTurn();
    assert.equal(native.log.at(-1), 'end invalid request and close');
  });

  test('after its answer has begun is cut, and keeps the status that was sent', () => {
    const { native, exchange, responder } = start();
    exchange.status = 200;
    responder.begin({
      status: 200,
      headers: [],
      contentLength: null,
      bodiless: false,
      opening: '',
    });
    responder.write(Buffer.from('half'));
    exchange.fail(new Refusal('UPSTREAM_RESET'));
    assert.equal(native.log.at(-1), 'close');
    assert.equal(exchange.status, 200);
    assert.equal(exchange.refusal?.kind.code, 'UPSTREAM_RESET');
  });

  test('after it is over changes nothing', () => {
    const { exchange, responder } = start();
    responder.send(200, [], 'ok');
    exchange.fail(new Refusal('INTERNAL'));
    assert.equal(exchange.refusal, null);
  });
});

describe('exchanges that are refused in the same turn', () => {
  test('are answered a few at a time, in their order; the body of one that waits is forgotten at once', async () => {
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    const refusal = new Refusal('AUTHORIZATION_DENIED');
    const all = Array.from({ length: 6 }, () => start({ hasBody: true }));
    for (const { native, exchange } of all) {
      native.receive('abc', false);
      exchange.failInTurn(refusal);
    }
    const answered = (): readonly number[] => all.map(({ native }) => (native.over ? 1 : 0));
    assert.deepEqual(answered(), [1, 1, 1, 1, 0, 0]);
    for (const { body, exchange } of all) {
      assert.equal(body?.outcome, 'aborted');
      assert.equal(exchange.refusal, refusal);
    }
    // More than its limit of ten octets: nobody counts what nobody will read.
    all[5]?.native.receive('a long body that goes on', true);
    await nextTurn();
    assert.deepEqual(answered(), [1, 1, 1, 1, 1, 1]);
    assert.deepEqual(all[5]?.native.log, all[0]?.native.log);
    assert.deepEqual(all[5]?.events, ['finished']);
  });

  test('are left alone where another end comes first', async () => {
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    const all = Array.from({ length: 5 }, () => start());
    for (const { exchange } of all) exchange.failInTurn(new Refusal('AUTHORIZATION_DENIED'));
    const waiting = all.slice(4);
    for (const { exchange } of waiting) exchange.fail(new Refusal('BODY_TIMEOUT'));
    await nextTurn();
    for (const { exchange, events } of waiting) {
      assert.equal(exchange.refusal?.kind.code, 'BODY_TIMEOUT');
      assert.deepEqual(events, ['finished']);
    }
  });
});

describe('exchanges that the gate answers itself in the same turn', () => {
  test('are answered a few at a time, in their order; the body of one that waits is forgotten at once', async () => {
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    const all = Array.from({ length: 6 }, () => start({ hasBody: true }));
    for (const { native, exchange } of all) {
      native.receive('abc', false);
      exchange.answerInTurn(301, ['location', '/new'], '');
    }
    const answered = (): readonly number[] => all.map(({ native }) => (native.over ? 1 : 0));
    assert.deepEqual(answered(), [1, 1, 1, 1, 0, 0]);
    for (const { body, exchange } of all) {
      assert.equal(body?.outcome, 'aborted');
      assert.equal(exchange.status, 301);
    }
    // More than its limit of ten octets: nobody counts what nobody will read.
    all[5]?.native.receive('a long body that goes on', true);
    await nextTurn();
    assert.deepEqual(answered(), [1, 1, 1, 1, 1, 1]);
    assert.deepEqual(all[5]?.native.log, [
      'status 301 Moved Permanently',
      'location: /new',
      'end ',
    ]);
    assert.deepEqual(all[5].events, ['finished']);
  });

  test('are left alone where the client went away first', async () => {
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    const all = Array.from({ length: 5 }, () => start());
    for (const { exchange } of all) exchange.answerInTurn(204, [], '');
    const last = all[4];
    last?.native.abort();
    await nextTurn();
    assert.deepEqual(last?.native.log, []);
    assert.deepEqual(last.events, ['finished']);
  });
});
