import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RequestBody } from '../../src/accept/request-body.ts';
import { FakeNativeResponse } from './fake-native-response.ts';

function start(maxBytes: number) {
  const native = new FakeNativeResponse();
  const body = new RequestBody(native, maxBytes);
  return { native, body };
}

/** Counts how often the one who waits is told. */
function tellings(body: RequestBody): () => number {
  let count = 0;
  body.whenSettled({ onSettled: () => (count += 1) });
  return () => count;
}

describe('a request body', () => {
  test('is whole when its last piece is there, and the pieces are copied', () => {
    const { native, body } = start(100);
    const lent = Buffer.from('abc');
    native.receive(lent, false);
    assert.equal(body.outcome, null);
    lent.fill(0);
    const told = tellings(body);
    native.receive('de', true);
    assert.equal(told(), 1);
    assert.equal(body.outcome, 'complete');
    assert.equal(body.bytes().toString(), 'abcde');
    assert.equal(body.bytes(), body.bytes());
  });

  test('may be as large as the limit and not an octet larger', () => {
    const exact = start(5);
    exact.native.receive('abc', false);
    exact.native.receive('de', true);
    assert.equal(exact.body.outcome, 'complete');

    const over = start(5);
    over.native.receive('abc', false);
    over.native.receive('def', false);
    assert.equal(over.body.outcome, 'too-large');
    over.native.receive('more', true);
    assert.equal(over.body.outcome, 'too-large');
  });

  test('that is empty after all is complete', () => {
    const { native, body } = start(5);
    native.receive('', true);
    assert.equal(body.outcome, 'complete');
    assert.equal(body.bytes().length, 0);
  });

  test('wakes the one who waits when the client goes away', () => {
    const { native, body } = start(5);
    native.receive('abc', false);
    const told = tellings(body);
    body.abort();
    assert.equal(told(), 1);
    assert.equal(body.outcome, 'aborted');
    native.receive('d', true);
    assert.equal(body.outcome, 'aborted');
  });

  test('that is discarded forgets what it had, and who waits', () => {
    const { native, body } = start(5);
    native.receive('abc', false);
    const told = tellings(body);
    body.discard();
    assert.equal(told(), 0);
    assert.equal(body.outcome, 'aborted');
    assert.equal(body.bytes().length, 0);
    native.receive('d', true);
    assert.equal(body.bytes().length, 0);
  });

  test('that was complete stays so when the client goes away later', () => {
    const { native, body } = start(5);
    native.receive('abc', true);
    body.abort();
    assert.equal(body.outcome, 'complete');
  });

  test('is the same however it is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.nat(300), (pieces, maxBytes) => {
        const { native, body } = start(maxBytes);
        for (const piece of pieces) native.receive(piece, false);
        native.receive('', true);
        const whole = Buffer.concat(pieces);
        assert.equal(body.outcome, whole.length > maxBytes ? 'too-large' : 'complete');
        if (body.outcome === 'complete') assert.deepEqual(body.bytes(), whole);
      }),
      { numRuns: 300 },
    );
  });
});
