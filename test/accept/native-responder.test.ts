import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { NativeResponder } from '../../src/accept/native-responder.ts';
import type { AnswerHead } from '../../src/accept/responder.ts';
import { FakeNativeResponse } from './fake-native-response.ts';

function start({ closing = false, isHead = false } = {}) {
  const native = new FakeNativeResponse();
  const events: string[] = [];
  const responder = new NativeResponder(
    native,
    () => events.push('finished'),
    () => closing,
    isHead,
  );
  responder.onAbort(() => events.push('abort'));
  responder.onDrain(() => events.push('drain'));
  return { native, responder, events };
}

const head = (changes: Partial<AnswerHead> = {}): AnswerHead => ({
  status: 200,
  headers: [],
  contentLength: null,
  bodiless: false,
  opening: '',
  ...changes,
});

describe('a whole answer', () => {
  const rows: readonly [string, { closing?: boolean; isHead?: boolean }, number, string[]][] = [
    ['is sent', {}, 403, ['status 403 Forbidden', 'a: b', 'end abc']],
    [
      'asks the client to leave while the process drains',
      { closing: true },
      200,
      ['status 200 OK', 'a: b', 'end abc and close'],
    ],
    [
      'has no body for HEAD, but its length',
      { isHead: true },
      403,
      ['status 403 Forbidden', 'a: b', 'content-length: 3', 'end without body'],
    ],
    [
      'has neither body nor length with 204',
      {},
      204,
      ['status 204 No Content', 'a: b', 'end without body'],
    ],
    [
      'has neither body nor length with 304',
      {},
      304,
      ['status 304 Not Modified', 'a: b', 'end without body'],
    ],
    [
      'with 204 says that the connection ends',
      { closing: true },
      204,
      ['status 204 No Content', 'a: b', 'connection: close', 'end without body'],
    ],
  ];
  for (const [name, options, status, expected] of rows) {
    test(name, () => {
      const { native, responder, events } = start(options);
      responder.send(status, ['a', 'b'], 'abc');
      assert.deepEqual(native.log, expected);
      assert.deepEqual(events, ['finished']);
      assert.equal(responder.finished, true);
    });
  }

  test('can close the connection, in a turn of its own', async () => {
    const { native, responder } = start();
    responder.sendAndClose(413, [], 'abc');
    responder.send(200, [], 'x');
    assert.deepEqual(native.log, []);
    await new Promise(setImmediate);
    assert.deepEqual(native.log, ['status 413 Payload Too Large', 'end abc and close']);
  });

  test('is sent once, whatever is called after it', () => {
    const { native, responder, events } = start();
    responder.send(200, [], 'abc');
    responder.send(500, [], 'x');
    responder.sendAndClose(500, [], 'x');
    responder.begin(head());
    assert.equal(responder.write(Buffer.from('x')), true);
    responder.end();
    responder.cut();
    assert.deepEqual(native.log, ['status 200 OK', 'end abc']);
    assert.deepEqual(events, ['finished']);
    assert.equal(responder.bodyBytes, 3);
  });

  test('keeps the octets of header values beyond ASCII', () => {
    const { native, responder } = start();
    responder.send(200, ['a', 'caf\u00e9'], '');
    assert.equal(native.log[1], 'a: caf\u00e9');
  });
});

describe('a streamed answer', () => {
  test('of unknown length is written piece by piece', () => {
    const { native, responder, events } = start();
    responder.begin(head({ headers: ['a', 'b'] }));
    assert.deepEqual(native.log, []);
    assert.equal(responder.write(Buffer.from('abc')), true);
    responder.write(Buffer.alloc(0));
    responder.write(Buffer.from('de'));
    assert.deepEqual(events, []);
    responder.end();
    assert.deepEqual(native.log, ['status 200 OK', 'a: b', 'chunk abc', 'chunk de', 'end ']);
    assert.deepEqual(events, ['finished']);
    assert.equal(responder.bodyBytes, 5);
  });

  test('never asks the native server to close at its end: that would write into the body', () => {
    const { native, responder } = start({ closing: true });
    responder.begin(head());
    responder.write(Buffer.from('abc'));
    responder.onEndOfTurn();
    responder.end();
    assert.deepEqual(native.log, ['status 200 OK', 'connection: close', 'chunk abc', 'end ']);
  });

  test('that is whole within one turn is written at its end, at once', async () => {
    const { native, responder, events } = start();
    responder.begin(head());
    const piece = Buffer.from('abc');
    assert.equal(responder.write(piece), true);
    piece.fill('!');
    responder.end();
    assert.deepEqual(native.log, []);
    assert.deepEqual(events, []);
    await nextTurn();
    assert.deepEqual(native.log, ['status 200 OK', 'chunk abc', 'end ']);
    assert.deepEqual(events, ['finished']);
    assert.equal(responder.bodyBytes, 3);
  });

  test('of known length that is whole in one piece is written at the end of the turn', async () => {
    const { native, responder, events } = start();
    responder.begin(head({ contentLength: 3 }));
    responder.write(Buffer.from('abc'));
    responder.end();
    assert.deepEqual(native.log, []);
    await nextTurn();
    assert.deepEqual(native.log, ['status 200 OK', 'tryEnd 3 of 3']);
    assert.deepEqual(events, ['finished']);
  });

  test('with a large first piece, or an incomplete one of known length, waits for nothing', () => {
    const large = start();
    large.responder.begin(head());
    large.responder.write(Buffer.alloc(16_385));
    assert.equal(large.native.log.length, 2);
    const part = start();
    part.responder.begin(head({ contentLength: 4 }));
    part.responder.write(Buffer.from('abc'));
    assert.deepEqual(part.native.log, ['status 200 OK', 'tryEnd 3 of 3']);
  });

  test('of known length is complete with its last octet', () => {
    const { native, responder, events } = start();
    responder.begin(head({ contentLength: 5 }));
    responder.write(Buffer.from('abc'));
    responder.write(Buffer.from('de'));
    assert.deepEqual(events, ['finished']);
    responder.end();
    assert.equal(native.written.toString(), 'abcde');
  });

  test('of known length that ends too early is cut', () => {
    const { native, responder, events } = start();
    responder.begin(head({ contentLength: 5 }));
    responder.write(Buffer.from('abc'));
    responder.end();
    assert.equal(native.log.at(-1), 'close');
    assert.equal(responder.aborted, false);
    assert.equal(events.filter((event) => event === 'finished').length, 1);
  });

  test('of known length keeps nothing of the memory of a piece', () => {
    const { native, responder } = start();
    responder.begin(head({ contentLength: 6 }));
    native.window = 2;
    const piece = Buffer.from('abcdef');
    responder.write(piece);
    piece.fill('!');
    responder.onEndOfTurn();
    native.catchUp(1);
    native.catchUp(10);
    assert.equal(native.written.toString(), 'abcdef');
    assert.equal(responder.finished, true);
  });

  test('of known length arrives whole and in order through a slow reader', () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1 });
    const windows = fc.array(fc.nat(30), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(pieces, windows, (list, sizes) => {
        const whole = Buffer.concat(list);
        const { native, responder, events } = start();
        native.window = sizes[0] ?? 0;
        responder.begin(head({ contentLength: whole.length }));
        let turn = 0;
        const next = (): number => (sizes[(turn += 1) % sizes.length] ?? 0) + 1;
        for (const piece of list) {
          let accepted = responder.write(piece);
          while (!accepted && !responder.finished) accepted = native.catchUp(next());
        }
        responder.onEndOfTurn();
        responder.end();
        while (!responder.finished) native.catchUp(next());
        assert.deepEqual(native.written, whole);
        assert.equal(events.filter((event) => event === 'finished').length, 1);
      }),
      { numRuns: 500 },
    );
  });

  test('goes on when the client has caught up, and not before', () => {
    const { native, responder, events } = start();
    native.window = 2;
    responder.begin(head({ contentLength: 10 }));
    assert.equal(responder.write(Buffer.from('abcde')), false);
    native.catchUp(1);
    assert.deepEqual(events, []);
    native.catchUp(2);
    assert.deepEqual(events, ['drain']);
    native.window = 100;
    assert.equal(responder.write(Buffer.from('fghij')), true);
    assert.equal(native.written.toString(), 'abcdefghij');
  });

  test('of length 0 has its head and nothing else', () => {
    const { native, responder } = start();
    responder.begin(head({ contentLength: 0 }));
    responder.end();
    assert.deepEqual(native.log, ['status 200 OK', 'end ']);
  });

  test('without a body is over at once', () => {
    const known = start();
    known.responder.begin(head({ bodiless: true, contentLength: 5 }));
    assert.deepEqual(known.native.log, ['status 200 OK', 'content-length: 5', 'end without body']);
    assert.deepEqual(known.events, ['finished']);
    const unknown = start();
    unknown.responder.begin(head({ bodiless: true, status: 204 }));
    assert.deepEqual(unknown.native.log, ['status 204 No Content', 'end without body']);
  });
});

describe('the opening of an event stream', () => {
  const opening = ':\n\n';

  test('is sent when no octet came in the same turn', async () => {
    const { native, responder } = start();
    responder.begin(head({ opening }));
    await nextTurn();
    assert.deepEqual(native.log, ['status 200 OK', 'chunk :\n\n']);
    responder.write(Buffer.from('data'));
    responder.end();
    assert.deepEqual(native.log.slice(2), ['chunk data', 'end ']);
    assert.equal(responder.bodyBytes, 4);
  });

  test('is left out when octets came, when it ended, and when the client is gone', async () => {
    const withData = start();
    withData.responder.begin(head({ opening }));
    withData.responder.write(Buffer.from('data'));
    const ended = start();
    ended.responder.begin(head({ opening }));
    ended.responder.end();
    const gone = start();
    gone.responder.begin(head({ opening }));
    gone.native.abort();
    await nextTurn();
    assert.deepEqual(withData.native.log, ['status 200 OK', 'chunk data']);
    assert.deepEqual(ended.native.log, ['status 200 OK', 'end ']);
    assert.deepEqual(gone.native.log, []);
  });

  test('is left out where the length is known', async () => {
    const { native, responder } = start();
    responder.begin(head({ opening, contentLength: 4 }));
    await nextTurn();
    responder.write(Buffer.from('data'));
    responder.onEndOfTurn();
    assert.deepEqual(native.log, ['status 200 OK', 'tryEnd 4 of 4']);
  });
});

describe('a client that goes away', () => {
  test('is told of once, and nothing is written any more', () => {
    const { native, responder, events } = start();
    responder.begin(head());
    responder.write(Buffer.from('abc'));
    native.abort();
    assert.deepEqual(events, ['abort', 'finished']);
    assert.equal(responder.aborted, true);
    assert.equal(responder.write(Buffer.from('x')), true);
    responder.end();
    responder.cut();
    responder.send(500, [], '');
    assert.deepEqual(events, ['abort', 'finished']);
  });

  test('before anybody asked is told to who asks then', () => {
    const { native, responder } = start();
    native.abort();
    let told = 0;
    responder.onAbort(() => (told += 1));
    assert.equal(told, 1);
  });
});

test('a cut answer is over once and whoever feeds it is told to stop', () => {
  const { native, responder, events } = start();
  responder.begin(head());
  responder.write(Buffer.from('abc'));
  responder.cut();
  responder.cut();
  assert.deepEqual(native.log, ['status 200 OK', 'chunk abc', 'close']);
  assert.deepEqual(events, ['finished', 'abort']);
  assert.equal(responder.aborted, false);
});
