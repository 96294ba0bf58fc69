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

describe('a request body', () => {
  test('is whole when its last piece is there, and the pieces are copied', async () => {
    const { native, body } = start(100);
    const lent = Buffer.from('abc');
    native.receive(lent, false);
    assert.equal(body.outcome, null);
    lent.fill(0);
    const settled = body.whenSettled();
    native.receive('de', true);
    await settled;
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

  test('wakes the one who waits when the client goes away', async () => {
    const { native, body } = start(5);
    native.receive('abc', false);
    const settled = body.whenSettled();
    body.abort();
    await settled;
    assert.equal(body.outcome, 'aborted');
    native.receive('d', true);
    assert.equal(body.outcome, 'aborted');
  });

  test('wakes the one who waits when it is discarded, and forgets what it had', async () => {
    const { native, body } = start(5);
    native.receive('abc', false);
    const settled = body.whenSettled();
    body.discard();
    await settled;
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

  test('waited for after it was settled resolves at once', async () => {
    const { native, body } = start(5);
    native.receive('abc', true);
    await body.whenSettled();
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
