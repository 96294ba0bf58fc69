import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  maxJsonDepth,
  scalarAt,
  skipSpace,
  skipValue,
  stringAt,
} from '../../src/mcp/json-octets.ts';
import { jsonText } from './raw-json.ts';

function isJson(text: Buffer): boolean {
  const end = skipValue(text, skipSpace(text, 0), 0);
  return end >= 0 && skipSpace(text, end) === text.length;
}

function parses(text: Buffer): boolean {
  try {
    JSON.parse(text.toString());
    return true;
  } catch {
    return false;
  }
}

const table: readonly (readonly [string, boolean])[] = [
  ['', false],
  ['{}', true],
  [' [ ] ', true],
  ['nul', false],
  ['nullx', false],
  ['tru', false],
  ['-', false],
  ['01', false],
  ['1.', false],
  ['.5', false],
  ['1e', false],
  ['1e+', false],
  ['+1', false],
  ['-0.0e-0', true],
  ['NaN', false],
  ['"', false],
  ['"\\"', false],
  ['"\\x41"', false],
  ['"\\u12g4"', false],
  ['"\\u123', false],
  ['"\\ud800"', true],
  ['"a\tb"', false],
  ['"\u007f"', true],
  ["'a'", false],
  ['[1,]', false],
  ['[,1]', false],
  ['[1 2]', false],
  ['[1', false],
  ['{"a":1,}', false],
  ['{"a"}', false],
  ['{"a":}', false],
  ['{a:1}', false],
  ['{"a":1', false],
  ['{"a" : 1 , "b":[{"c":null}]}', true],
  ['1 1', false],
  ['{}}', false],
  ['\ufeff{}', false],
  ['\u00a01', false],
  ['[1]//', false],
];

for (const [text, expected] of table) {
  test(`${JSON.stringify(text)} is ${expected ? '' : 'not '}JSON`, () => {
    assert.equal(isJson(Buffer.from(text)), expected);
    assert.equal(parses(Buffer.from(text)), expected);
  });
}

test('nesting is bounded', () => {
  const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
  assert.equal(isJson(nested(maxJsonDepth)), true);
  assert.equal(isJson(nested(maxJsonDepth + 1)), false);
  assert.equal(isJson(Buffer.from('{"a":'.repeat(1_000_000))), false);
});

test('random JSON is read as JSON.parse reads it, and so are its mutations', () => {
  fc.assert(
    fc.property(
      jsonText,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...Array.from('{}[]",:\\0-.eE+u\t ntf\u0000'))), {
        maxLength: 2,
      }),
      (text, mutations) => {
        assert.equal(isJson(Buffer.from(text)), true);
        let mutated = text;
        for (const [place, character] of mutations) {
          const at = place % (mutated.length + 1);
          mutated = mutated.slice(0, at) + character + mutated.slice(at + 1);
        }
        const bytes = Buffer.from(mutated);
        assert.equal(isJson(bytes), parses(bytes), mutated);
      },
    ),
    { numRuns: 1500 },
  );
});

test('no octets make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
      const bytes = Buffer.from(octets);
      if (isUtf8(bytes)) assert.equal(isJson(bytes), parses(bytes));
      else isJson(bytes);
    }),
  );
});

test('a string is read with its escapes; half of a surrogate pair is no text', () => {
  const read = (text: string): string | null => {
    const bytes = Buffer.from(text);
    return stringAt(bytes, 0, bytes.length);
  };
  assert.equal(read('"a\\u0062\\n\\ud83d\\ude00é"'), 'ab\n😀é');
  assert.equal(read('"\\ud83d"'), null);
  assert.equal(read('"\\ude00\\ud83d"'), null);
  assert.equal(read('17'), null);
});

test('a scalar is read as JSON.parse reads it, in every spelling', () => {
  const number = fc.oneof(
    fc.maxSafeNat().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.constantFrom('0', '-0', '-1', '1.0', '1e2', '0e0', '999999999999999', '9999999999999999'),
    fc.constantFrom('1234567890123456789', '1E400', '"1"', '"\\ud800"', 'null', 'true', '{}'),
  );
  fc.assert(
    fc.property(number, (text) => {
      const bytes = Buffer.from(`[${text}]`);
      const parsed: unknown = JSON.parse(text);
      const isRead = typeof parsed === 'string' || typeof parsed === 'number' || parsed === null;
      const expected = isRead ? parsed : undefined;
      assert.ok(Object.is(scalarAt(bytes, 1, bytes.length - 1), expected), text);
    }),
  );
});
