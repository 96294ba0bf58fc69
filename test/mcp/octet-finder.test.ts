import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createOctetFinder } from '../../src/mcp/octet-finder.ts';

test('a text is found where Buffer.indexOf finds it, from wherever, in small texts and large ones', () => {
  const piece = fc.constantFrom('ab', 'a', 'b', 'aab', 'abab', 'x', 'postern-', '\u00e9', 'poster');
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  const filler = fc.constantFrom('', '', 'x'.repeat(3000), 'a'.repeat(3000));
  fc.assert(
    fc.property(
      fc.constantFrom('a', 'ab', 'aab', 'abab', 'postern-', 'taskId'),
      fc.tuple(text, filler, text).map((parts) => parts.join('')),
      fc.nat(40),
      (needle, letters, from) => {
        const find = createOctetFinder(needle);
        const octets = Buffer.from(letters);
        assert.equal(find(octets), octets.indexOf(needle));
        assert.equal(find(octets, from), octets.indexOf(needle, from));
      },
    ),
  );
});
