import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClientStream } from '../../../src/mcp/sse-upstream/client-stream.ts';
import { fakeAnswer } from './fake-answer.ts';

function setUp(maxQueuedBytes = 1000) {
  const answer = fakeAnswer();
  let overflows = 0;
  const stream = createClientStream(answer, maxQueuedBytes, () => (overflows += 1));
  const send = (value: unknown) => stream.send(Buffer.from(JSON.stringify(value)));
  return { answer, stream, send, overflows: () => overflows };
}

describe('the stream to a client', () => {
  test('has one head, events in order, and one end', () => {
    const { answer, stream, send } = setUp();
    stream.begin();
    send(1);
    send(2);
    stream.end();
    stream.end();
    stream.fail('UPSTREAM_RESET', 'too late');
    send(3);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.events(), [1, 2]);
    assert.equal(answer.end, 'ended');
  });

  test('writes a message of several lines as one event', () => {
    const { answer, stream } = setUp();
    stream.send(Buffer.from('{\n"a":\n1}'));
    assert.equal(answer.text, 'event: message\ndata: {\ndata: "a":\ndata: 1}\n\n');
    assert.deepEqual(answer.events(), [{ a: 1 }]);
  });

  test('holds back what a slow client does not take, and ends after it', () => {
    const { answer, stream, send } = setUp();
    answer.takesMore = false;
    for (const value of [1, 2, 3]) send(value);
    stream.end();
    assert.deepEqual(answer.events(), [1]);
    stream.resume();
    assert.deepEqual(answer.events(), [1, 2]);
    answer.takesMore = true;
    stream.resume();
    assert.deepEqual(answer.events(), [1, 2, 3]);
    assert.equal(answer.end, 'ended');
  });

  test('fails where more waits than may, and says so once', () => {
    const { answer, send, overflows } = setUp(100);
    answer.takesMore = false;
    for (let index = 0; index < 100; index += 1) send('x'.repeat(30));
    assert.equal(answer.end, 'UPSTREAM_OVERLOADED');
    assert.equal(overflows(), 1);
  });

  test('takes one message of any size', () => {
    const { answer, stream, send } = setUp(10);
    answer.takesMore = false;
    send(1);
    send('x'.repeat(100));
    assert.equal(answer.end, 'open');
    stream.resume();
    assert.equal(answer.events().length, 2);
  });

  test('reports nothing after its client has gone', () => {
    const { answer, stream, send } = setUp();
    stream.abort();
    send(1);
    stream.end();
    assert.equal(answer.status, 0);
    assert.equal(answer.end, 'open');
  });
});
