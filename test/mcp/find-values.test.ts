import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findValues, type ValueTree } from '../../src/mcp/find-values.ts';
import { MEMBER_TWICE, NOT_JSON } from '../../src/mcp/json-octets.ts';
import { jsonText, quoted, space } from './raw-json.ts';

const tree: ValueTree = {
  members: {
    a: { label: 'a' },
    b: { members: { a: { label: 'b.a' }, list: { items: { label: 'item' } } } },
  },
};

function find(text: string): string[] | number {
  const octets = Buffer.from(text);
  const found = findValues(octets, tree);
  return typeof found === 'number'
    ? found
    : found.map(({ label, start, end }) => `${label}=${octets.toString('utf8', start, end)}`);
}

const rows: readonly [string, string[] | number][] = [
  ['{"a":1}', ['a=1']],
  [' { "b" : { "x" : 1 , "a" : "é" } , "a" : [ ] } ', ['b.a="é"', 'a=[ ]']],
  ['{"\\u0061":{"a":1}}', ['a={"a":1}']],
  ['{"b":{"list":[1, {"a":2} ,"x"]}}', ['item=1', 'item={"a":2}', 'item="x"']],
  ['{"b":[{"a":1}]}', []],
  ['{"b":{"list":{"a":1}}}', []],
  ['[{"a":1}]', []],
  ['"a"', []],
  ['{"c":{"a":1,"a":1}}', []],
  ['{"a":1,"a":2}', MEMBER_TWICE],
  ['{"a":1,"\\u0061":2}', MEMBER_TWICE],
  ['{"a":1} x', NOT_JSON],
  ['{"a":1', NOT_JSON],
  ['', NOT_JSON],
];
for (const [text, expected] of rows) {
  test(`finds in ${JSON.stringify(text)}: ${String(expected)}`, () =>
    assert.deepEqual(find(text), expected));
}

test('finds what JSON.parse reads there, in whatever spelling', () => {
  const name = fc.tuple(fc.constantFrom('a', 'b', 'list', 'x'), fc.nat(2));
  const object = fc
    .tuple(
      fc.uniqueArray(name, { maxLength: 4, selector: ([text]) => text }),
      fc.array(jsonText, { minLength: 4, maxLength: 4 }),
      space,
    )
    .map(
      ([names, values, gap]) =>
        `{${gap}${names.map(([text, every], index) => `${quoted(text, every)}${gap}:${gap}${values[index] ?? '1'}`).join(',')}}`,
    );
  const text = fc
    .tuple(object, object)
    .map(([outer, inner]) => outer.replace(/("b"\s*:\s*)[^{]*?(?=[,}]|$)/, `$1${inner}`));
  fc.assert(
    fc.property(text, (json) => {
      let parsed: { a?: unknown; b?: { a?: unknown; list?: unknown } | null };
      try {
        parsed = JSON.parse(json) as typeof parsed;
      } catch {
        assert.ok(typeof find(json) === 'number');
        return;
      }
      const octets = Buffer.from(json);
      const found = findValues(octets, tree);
      if (typeof found === 'number') {
        assert.equal(found, MEMBER_TWICE);
        return;
      }
      const valueOf = (label: string): unknown[] =>
        found
          .filter((value) => value.label === label)
          .map(({ start, end }): unknown => JSON.parse(octets.toString('utf8', start, end)));
      const inner = parsed.b;
      const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
      assert.deepEqual(valueOf('a'), 'a' in parsed ? [parsed.a] : []);
      assert.deepEqual(valueOf('b.a'), isObject && 'a' in inner ? [inner.a] : []);
      assert.deepEqual(valueOf('item'), isObject && Array.isArray(inner.list) ? inner.list : []);
    }),
    { numRuns: 1500 },
  );
});
