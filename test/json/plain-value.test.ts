import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  endOfPlainValue,
  isUtf8Text,
  MAX_PLAIN_OCTETS,
  NOT_PLAIN,
  takeText,
} from '../../src/json/plain-value.ts';
import { readJson } from '../../src/json/read-json.ts';
import { jsonText, nearlyJsonText } from './json-texts.ts';

/** The end of a value that is all of a text, or {@link NOT_PLAIN}. */
function endIn(text: string | Buffer): number {
  const octets = typeof text === 'string' ? Buffer.from(text) : text;
  takeText(octets);
  const end = endOfPlainValue(0);
  return isUtf8Text(octets) ? end : NOT_PLAIN;
}

const isTaken = (text: string | Buffer): boolean => endIn(text) === Buffer.byteLength(text);
const names = (count: number): string =>
  Array.from({ length: count }, (_, index) => `"k${index}":1`).join();

describe('the end of a plain value', () => {
  const taken: [name: string, text: string][] = [
    ['words', '[true,false,null]'],
    ['numbers', '[0,-1,10,1.5,-0.25,123456789012345678901234567890]'],
    ['empty ones', '[{},[],""]'],
    ['space of all kinds', '{ "a"\t:\r\n[ 1 , 2 ] }'],
    ['short escapes', '["\\"\\\\\\/\\b\\f\\n\\r\\t"]'],
    ['characters beyond ASCII', '["é漢😀\u007f"]'.replace('\u007f', '')],
    ['sixteen names', `{${names(16)}}`],
    ['one name in several objects', '{"a":{"a":1},"b":{"a":1},"c":[{"a":1},{"a":1}]}'],
    ['names that begin alike', '{"a":1,"ab":1,"":1}'],
    ['a depth of 16', '['.repeat(16) + ']'.repeat(16)],
  ];
  for (const [name, text] of taken) {
    it(`is found for ${name}`, () => assert.equal(endIn(text), Buffer.byteLength(text)));
  }

  const left: [name: string, text: string | Buffer][] = [
    ['nothing', ''],
    ['half a word', '[tru]'],
    ['a word cut by the end', 'tru'],
    ['a longer word', '[nulll]'],
    ['a leading zero', '[01]'],
    ['a minus alone', '[-]'],
    ['a point alone', '[.5]'],
    ['a point at the end', '[1.]'],
    ['an exponent', '[1e400]'],
    ['a plus', '[+1]'],
    ['a number of 201 digits', `[${'9'.repeat(201)}]`],
    ['a name twice', '{"a":1,"a":2}'],
    ['a name twice, around an object', '{"a":{"b":1},"a":2}'],
    ['the sixteenth name again', `{${names(15)},"k14":1}`],
    ['the first name again', `{${names(15)},"k0":1}`],
    ['seventeen names', `{${names(17)}}`],
    ['__proto__', '{"__proto__":1}'],
    ['__proto__ below', '[{"a":{"__proto__":{}}}]'],
    ['an escaped name', '{"\\n":1}'],
    ['a \\u escape', '["\\u0041"]'],
    ['half a pair', '["\\ud800"]'],
    ['an unknown escape', '["\\x"]'],
    ['a backslash at the end', '"\\'],
    ['a string without end', '"abc'],
    ['a control character', '"a\nb"'],
    ['a NUL', '"a\0b"'],
    ['a comma too many', '[1,]'],
    ['a comma too many in an object', '{"a":1,}'],
    ['a comma too few', '[1 2]'],
    ['no colon', '{"a" 1}'],
    ['no value', '{"a":}'],
    ['a name without quotes', '{a:1}'],
    ['the wrong bracket', '[1}'],
    ['no bracket', '[1'],
    ['no brace', '{"a":1'],
    ['a no-break space', '[\u00a01]'],
    ['a form feed', '[\f1]'],
    ['a depth of 17', '['.repeat(17) + ']'.repeat(17)],
    ['a depth of 17 objects', '{"a":'.repeat(17) + '1' + '}'.repeat(17)],
    ['an overlong quote', Buffer.from('5b22c0a2225d', 'hex')],
    ['a surrogate in UTF-8', Buffer.from('5b22eda080225d', 'hex')],
    ['a cut sequence', Buffer.from('5b22e282225d', 'hex')],
    ['a code point beyond Unicode', Buffer.from('5b22f4908080225d', 'hex')],
  ];
  for (const [name, text] of left) {
    it(`is left to others for ${name}`, () => assert.equal(endIn(text), NOT_PLAIN));
  }

  it('is nowhere behind the text, whatever a longer one before it has left there', () => {
    for (const [cut, rest] of [
      ['[1', ',2]'],
      ['"a', 'b"'],
      ['tr', 'ue'],
      ['{"a":1', '}'],
      ['"\\', 'n"'],
    ] as const) {
      // prettier-ignore
      assert.ok(isTaken(cut + rest));
      assert.equal(endIn(cut), NOT_PLAIN, cut);
    }
  });

  it('is found in the longest text', () => {
    const text = JSON.stringify('x'.repeat(MAX_PLAIN_OCTETS - 2));
    assert.equal(endIn(text), MAX_PLAIN_OCTETS);
  });

  it('is found for nothing that the strict reader does not take', () => {
    let count = 0;
    fc.assert(
      fc.property(fc.oneof(jsonText, nearlyJsonText), (text) => {
        const octets = Buffer.from(text);
        if (octets.length > MAX_PLAIN_OCTETS) return;
        const end = endIn(octets);
        if (end === NOT_PLAIN) return;
        const { problem } = readJson(octets.subarray(0, end), { maxDepth: 16, maxValues: 16_384 });
        assert.equal(problem, null, text);
        count += 1;
      }),
      { numRuns: 8000 },
    );
    assert.ok(count > 500, `${count}`);
  });

  it('is found for no octets that the strict reader does not take', () => {
    const octet = fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]",:\\nu0123.-e truefalsn')),
      fc.integer({ min: 0, max: 255 }),
    );
    const inside = fc.array(octet, { maxLength: 10 });
    fc.assert(
      fc.property(
        inside,
        fc.constantFrom('["', '{"a":', '[', ''),
        fc.constantFrom('"]', '}', ']', ''),
        (middle, open, close) => {
          // prettier-ignore
          const octets = Buffer.concat([Buffer.from(open), Buffer.from(middle), Buffer.from(close)]);
          const end = endIn(octets);
          if (end === NOT_PLAIN) return;
          const { problem } = readJson(octets.subarray(0, end), {
            maxDepth: 16,
            maxValues: 16_384,
          });
          assert.equal(problem, null, octets.toString('latin1'));
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
