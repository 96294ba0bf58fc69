/** JSON texts with the freedoms that the grammar gives a writer, and texts that are nearly JSON. */
import fc from 'fast-check';

/** Few names, so that they meet; some are each other's escapes, some are dangerous. */
const name = fc.constantFrom(
  'name', 'method', 'id', 'a', 'b', 'c', 'd', 'e', 'f', 'g', '', '__proto__', 'constructor', 'é', '漢', '😀', 'a"b', 'a\\b', 'a\nb', 'ab/',
); // prettier-ignore

const char = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...Array.from('abcxyz 0189,:{}[]')) },
  { weight: 2, arbitrary: fc.constantFrom('"', '\\', '\n', '/', '\u0000', 'é', '漢', '😀', '\u2028') },
); // prettier-ignore
const words = fc.oneof(
  fc.array(char, { maxLength: 8 }).map((chars) => chars.join('')),
  fc.array(char, { minLength: 40, maxLength: 120 }).map((chars) => chars.join('')),
);

/** One of the ways to write a string. */
export function written(value: string): fc.Arbitrary<string> {
  const characters = Array.from(value);
  return fc
    .array(fc.integer({ min: 0, max: 9 }), {
      minLength: characters.length,
      maxLength: characters.length,
    })
    .map((dice) => {
      const parts = characters.map((character, index) =>
        dice[index] === 0 ? escaped(character) : JSON.stringify(character).slice(1, -1),
      );
      return `"${parts.join('')}"`;
    });
}

/** As `\u` escapes, both halves of a pair. */
function escaped(character: string): string {
  return character.length === 1
    ? escape(character.charCodeAt(0))
    : escape(character.charCodeAt(0)) + escape(character.charCodeAt(1));
}

function escape(unit: number): string {
  const hex = unit.toString(16).padStart(4, '0');
  return `\\u${unit % 2 === 0 ? hex : hex.toUpperCase()}`;
}

const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n  ');
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1', '1.0', '1e2', '-1.5E-3', '1e400', '-1e999', '1e308', '9007199254740991', '9007199254740992', '123456789012345678901', '0e999', '1E+2'), // prettier-ignore
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer({ min: 195, max: 320 }).map((digits) => `1${'0'.repeat(digits)}`),
);

const { text } = fc.letrec<{ text: string; object: string; array: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(words.chain(written), number, fc.constantFrom('true', 'false', 'null')),
    tie('object'),
    tie('array'),
  ),
  object: fc
    .array(fc.tuple(name.chain(written), tie('text'), space, space), { maxLength: 12 })
    .map((members) => join('{', members.map(([key, value, a, b]) => `${a}${key}${b}:${a}${value}${b}`), '}')), // prettier-ignore
  array: fc.array(fc.tuple(tie('text'), space), { maxLength: 6 }).map((elements) =>
    join(
      '[',
      elements.map(([value, a]) => a + value + a),
      ']',
    ),
  ),
}));

function join(open: string, parts: readonly string[], close: string): string {
  return open + parts.join(',') + close;
}

/** Valid JSON. */
export const jsonText: fc.Arbitrary<string> = text;

/** Valid JSON with a few characters taken out, put in or changed; most are no JSON any more. */
export const nearlyJsonText: fc.Arbitrary<string> = fc
  .tuple(
    jsonText,
    fc.array(
      fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '0', '.', 'e', '-', ' ', 'u', '\u0001', '\ufeff', '\\ud83d', '\\udc00', 'x')), // prettier-ignore
      { maxLength: 3 },
    ),
  )
  .map(([base, changes]) => {
    let changed = base;
    for (const [position, kind, inserted] of changes) {
      const at = position % (changed.length + 1);
      const rest = changed.slice(kind === 0 ? at : at + 1);
      changed = changed.slice(0, at) + (kind === 1 ? '' : inserted) + rest;
    }
    // A pair may have been cut in two; the octets have no way to say so.
    return Buffer.from(changed).toString();
  });
