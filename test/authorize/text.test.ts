import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  parseDuration,
  parseTimestamp,
  replace,
  split,
  toAsciiLower,
  toAsciiUpper,
} from '../../src/authorize/text.ts';

test('case functions change ASCII letters and nothing else', () => {
  assert.equal(toAsciiLower('Alice@EXAMPLE.com'), 'alice@example.com');
  assert.equal(toAsciiLower('\u212Aate \u00c9'), '\u212Aate \u00c9');
  assert.equal(toAsciiUpper('\u017Fam \u00e9 x'), '\u017FAM \u00e9 X');
});

test('split and replace work as in the strings extension', () => {
  assert.deepEqual(split('a b c', ' ', -1), ['a', 'b', 'c']);
  assert.deepEqual(split('a b c', ' ', 2), ['a', 'b c']);
  assert.deepEqual(split('a b c', ' ', 1), ['a b c']);
  assert.deepEqual(split('a b c', ' ', 0), []);
  assert.deepEqual(split('a😀', '', -1), ['a', '😀']);
  assert.throws(() => split('a,'.repeat(2000), ',', -1));
  assert.equal(replace('hello hello', 'he', 'we', -1), 'wello wello');
  assert.equal(replace('hello hello', 'he', 'we', 1), 'wello hello');
  assert.equal(replace('hello', 'he', 'we', 0), 'hello');
  assert.equal(replace('ab', '', '_', -1), '_a_b_');
  assert.equal(replace('ab', '', '_', 1), '_ab');
  assert.equal(replace('a', 'a', '$&', -1), '$&');
  assert.throws(() => replace('a'.repeat(60_000), 'a', 'b'.repeat(60_000), -1));
});

test('replacing everything does what JavaScript does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 12 });
  fc.assert(
    fc.property(text, text, text, (whole, from, to) => {
      assert.equal(
        replace(whole, from, to, -1),
        whole.replaceAll(from, () => to),
      );
    }),
  );
});

test('a timestamp is an RFC 3339 time', () => {
  const rows: [text: string, iso: string][] = [
    ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000Z'],
    ['2024-02-29T23:59:59.123456789Z', '2024-02-29T23:59:59.123Z'],
    ['2024-01-01T00:00:00-02:30', '2024-01-01T02:30:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ];
  for (const [text, iso] of rows) assert.equal(parseTimestamp(text).toISOString(), iso);
  for (const text of [
    '',
    'now',
    '2024-01-01',
    '2024-01-01 00:00:00Z',
    '2024-01-01T00:00:00',
    'Tue Mar 01 2022 00:00',
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-01T25:00:00Z',
    '0000-01-01T00:00:00Z',
    '2024-01-01T00:00:00+99:00',
  ]) {
    assert.throws(() => parseTimestamp(text), text);
  }
});

test('a duration is a sequence of numbers with units', () => {
  const rows: [text: string, seconds: bigint, nanos: number][] = [
    ['1h', 3600n, 0],
    ['-1.5h', -5400n, 0],
    ['2h45m', 9900n, 0],
    ['1.5ms', 0n, 1_500_000],
    ['-1us', 0n, -1000],
    ['.5s', 0n, 500_000_000],
    ['0', 0n, 0],
    ['+3s', 3n, 0],
  ];
  for (const [text, seconds, nanos] of rows) {
    assert.deepEqual(parseDuration(text), { seconds, nanos }, text);
  }
  for (const text of [
    '',
    '1',
    'h',
    '.s',
    '1 h',
    '--1s',
    '1s-',
    '315576000001s',
    '1'.repeat(9999),
  ]) {
    assert.throws(() => parseDuration(text), text);
  }
});
