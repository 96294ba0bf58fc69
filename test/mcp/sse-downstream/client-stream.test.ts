import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientStream } from '../../../src/mcp/sse-downstream/client-stream.ts';

/** A client that takes `credit` pieces before it is slower than they come. */
function createClient(credit: number, maxHeldBytes = 10) {
  const seen: string[] = [];
  const state = { credit, free: 0 };
  const stream: ClientStream = new ClientStream({
    answer: {
      onHead: () => undefined,
      onData(piece) {
        seen.push(Buffer.from(piece).toString());
        state.credit -= 1;
        return state.credit > 0;
      },
      onEnd: () => seen.push('END'),
      onFailure: (code) => seen.push(code),
    },
    maxHeldBytes,
    onFree: () => (state.free += 1),
  });
  const send = (...texts: string[]) => texts.forEach((text) => stream.send(Buffer.from(text)));
  return { stream, seen, state, send };
}

describe('the client\u2019s side of a stream', () => {
  test('hands events on as they come', () => {
    const { seen, send, stream } = createClient(10);
    send('a', 'b');
    assert.deepEqual(seen, ['a', 'b']);
    assert.equal(stream.isBackedUp, false);
  });

  test('keeps them in order for a client that is slow, and says when it has caught up', () => {
    const { seen, send, stream, state } = createClient(1);
    send('a', 'b', 'c');
    assert.deepEqual(seen, ['a']);
    assert.equal(stream.isBackedUp, true);
    state.credit = 1;
    stream.resume();
    assert.deepEqual([seen, state.free], [['a', 'b'], 0]);
    send('d');
    state.credit = 5;
    stream.resume();
    assert.deepEqual([seen, state.free], [['a', 'b', 'c', 'd'], 1]);
  });

  test('is cut when too much waits, and then takes nothing', () => {
    const { seen, send, stream, state } = createClient(1);
    send('a', '12345', '67890');
    assert.deepEqual(seen, ['a']);
    send('x', 'y');
    assert.deepEqual(seen, ['a', 'CLIENT_TOO_SLOW']);
    state.credit = 5;
    stream.resume();
    stream.end();
    assert.deepEqual(seen, ['a', 'CLIENT_TOO_SLOW']);
  });

  test('counts what is collected elsewhere, and what is let go', () => {
    const { seen, stream } = createClient(5);
    stream.hold(10);
    stream.hold(-10);
    stream.hold(10);
    assert.deepEqual(seen, []);
    stream.hold(1);
    assert.deepEqual(seen, ['CLIENT_TOO_SLOW']);
  });

  test('ends once', () => {
    const { seen, stream, send } = createClient(5);
    stream.end();
    stream.end();
    send('a');
    assert.deepEqual(seen, ['END']);
  });
});
