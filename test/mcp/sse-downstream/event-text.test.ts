import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEventSplitter } from '../../../src/mcp/event-stream.ts';
import { endpointEvent, messageEvent } from '../../../src/mcp/sse-downstream/event-text.ts';

test('the endpoint is the path of the stream with the session', () =>
  assert.equal(
    endpointEvent('/a/sse', 'abc').toString(),
    'event: endpoint\ndata: /a/sse?sessionId=abc\n\n',
  ));

test('a message of several lines becomes one line', () =>
  assert.equal(
    messageEvent(Buffer.from('{\r\n"a":\n1}')).toString(),
    'event: message\ndata: {  "a": 1}\n\n',
  ));

test('every JSON text comes out as one event with the same meaning', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 2), (text, indent) => {
      const value: unknown = JSON.parse(text);
      const written = JSON.stringify(value, null, indent);
      const blocks = createEventSplitter({ maxEventBytes: 1e6 }).push(
        messageEvent(Buffer.from(written)),
      );
      assert.equal(blocks.length, 1);
      assert.equal(blocks[0]?.type, 'message');
      assert.deepEqual(JSON.parse(blocks[0].data ?? ''), value);
    }),
  );
});

test('no octets whatsoever make more than one event', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      const blocks = createEventSplitter({ maxEventBytes: 1e6 }).push(messageEvent(octets));
      assert.equal(blocks.length, 1);
      assert.equal(blocks[0]?.type, 'message');
    }),
  );
});
