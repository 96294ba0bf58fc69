import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readEnvelope, tokenKey } from '../../../src/mcp/sse-upstream/envelope.ts';

const read = (text: string) => readEnvelope(Buffer.from(text));

describe('the envelope of a message', () => {
  const rows: readonly [string, object][] = [
    ['{"id":1,"method":"a"}', { kind: 'request', method: 'a' }],
    ['{"id":"x","method":"a","params":{}}', { kind: 'request', method: 'a' }],
    ['{"method":"a"}', { kind: 'notification', method: 'a', id: null }],
    ['{"id":1,"result":{}}', { kind: 'response', method: '', isError: false }],
    ['{"id":1,"result":null}', { kind: 'response', isError: false }],
    ['{"id":1,"error":{}}', { kind: 'response', isError: true }],
    ['{"id":null,"error":{}}', { kind: 'response', id: null, isError: true }],
    ['{"error":{}}', { kind: 'response', id: null, isError: true }],
    [
      '{"id":1,"method":"a","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}',
      { isModern: true },
    ],
    ['{"id":1,"\\u006dethod":"\\u0061"}', { kind: 'request', method: 'a' }],
  ];
  for (const [text, expected] of rows) {
    test(text, () => {
      const envelope = read(text);
      assert.ok(envelope !== null);
      for (const [name, value] of Object.entries(expected)) {
        assert.deepEqual(envelope[name as keyof typeof envelope], value);
      }
    });
  }
});

describe('no message', () => {
  const rows = [
    '',
    '{}',
    '[]',
    '[{"id":1,"method":"a"}]',
    '1',
    'null',
    '{"id":1}',
    '{"id":1,"method":1}',
    '{"id":null,"method":"a"}',
    '{"id":[],"method":"a"}',
    '{"id":1,"id":2,"method":"a"}',
    '{"id":1,"method":"a","method":"b"}',
    '{"id":1,"\\u0069d":2,"method":"a"}',
    '{"id":1,"method":"a","result":{}}',
    '{"id":1,"result":{},"error":{}}',
    '{"id":1,"method":"a"} x',
    '{"id":1,"method":"a"',
    '\ufeff{"id":1,"method":"a"}',
    `${'{"params":'.repeat(400)}1${'}'.repeat(400)}`,
  ];
  for (const text of rows) test(text.slice(0, 60), () => assert.equal(read(text), null));
  test('octets that are not UTF-8', () => {
    assert.equal(readEnvelope(Buffer.from('{"id":1,"method":"\xff"}', 'latin1')), null);
  });
});

test('what is read is what JSON.parse reads, where it stands', () => {
  const token = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant(undefined));
  fc.assert(
    fc.property(
      token,
      token,
      token,
      token,
      fc.dictionary(fc.string(), fc.jsonValue()),
      (id, requestId, progressToken, asked, more) => {
        const meta = { progressToken: asked, x: 1 };
        const message = {
          ...more,
          id,
          method: 'm',
          params: { requestId, progressToken, _meta: meta },
        };
        delete (message as Record<string, unknown>).result;
        delete (message as Record<string, unknown>).error;
        const text = JSON.stringify(message);
        const envelope = read(text);
        if (id === null) {
          assert.equal(envelope, null);
          return;
        }
        assert.ok(envelope !== null);
        const found = [
          envelope.id,
          envelope.cancelledId,
          envelope.progressToken,
          envelope.requestedProgress,
        ];
        assert.deepEqual(
          found.map((one) => one?.value ?? null),
          [id, requestId, progressToken, asked].map((value) => value ?? null),
        );
        for (const one of found) {
          if (one === null) continue;
          assert.equal(JSON.parse(envelope.text.toString('utf8', one.start, one.end)), one.value);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('two ids have one key only if they are one id', () => {
  const id = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.constantFrom('#1', '"#1', '""#1', '"', '#'),
    fc.constant(1),
  );
  fc.assert(
    fc.property(id, id, (a, b) => {
      const key = (value: string | number) => tokenKey({ value, start: 0, end: 0 });
      assert.equal(key(a) === key(b), a === b);
    }),
    { numRuns: 1000 },
  );
});
