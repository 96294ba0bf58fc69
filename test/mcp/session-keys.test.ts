import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSessionKeys } from '../../src/mcp/session-keys.ts';

const key = Buffer.from('00112233445566778899aabbccddeeff0123456789abcdeffedcba98765432ff', 'hex');
const other = randomBytes(32);

test('keys are read in hexadecimal, base64 and base64url, in order', () => {
  const rows: [text: string, keys: Buffer[]][] = [
    [key.toString('hex'), [key]],
    [key.toString('hex').toUpperCase(), [key]],
    [key.toString('base64'), [key]],
    [key.toString('base64').replace('=', ''), [key]],
    [key.toString('base64url'), [key]],
    [` ${other.toString('base64')} ,\n${key.toString('hex')}\n`, [other, key]],
  ];
  for (const [text, keys] of rows) {
    const result = parseSessionKeys(text);
    assert.ok(result.ok, text);
    assert.deepEqual(
      result.keys.map((each) => Buffer.from(each)),
      keys,
    );
  }
});

test('anything else is refused with a sentence that does not hold the key', () => {
  const hex = key.toString('hex');
  const form = 'must be 32 octets in hexadecimal or base64';
  const rows: [text: string, problem: string][] = [
    ['', `session key: the key ${form}`],
    ['secret', `session key: the key ${form}`],
    [hex.slice(2), `session key: the key ${form}`],
    [`${hex}00`, `session key: the key ${form}`],
    [randomBytes(33).toString('base64'), `session key: the key ${form}`],
    [`${hex},`, `session key: key 2 of 2 ${form}`],
    [`${hex};${hex}`, `session key: the key ${form}`],
    ['00'.repeat(32), 'session key: the key is not random'],
    [`${hex}, ${key.toString('base64')}`, 'session key: key 2 of 2 is there twice'],
    [Array<string>(9).fill(hex).join(), 'session key: there are more than 8 keys'],
  ];
  for (const [text, problem] of rows) {
    assert.deepEqual(parseSessionKeys(text), { ok: false, problem });
  }
});

test('any text is read or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const result = parseSessionKeys(text);
      if (result.ok) for (const each of result.keys) assert.equal(each.length, 32);
    }),
  );
});
