/** Random JSON text, in all the spellings that JSON allows, for property tests. */
import fc from 'fast-check';

export const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);

/** A quoted string, with some of its characters written as escapes. */
export function quoted(value: string, escapeEvery: number): string {
  const plain = JSON.stringify(value);
  if (escapeEvery === 0 || plain.includes('\\')) return plain;
  return plain.replace(/[\x20-\x7e]/g, (character, offset: number) =>
    character === '"' || offset % escapeEvery !== 0
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const stringText = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 8 }), fc.nat(3))
  .map(([value, escapeEvery]) => quoted(value.replace(/\p{Surrogate}/gu, '?'), escapeEvery));

const numberText = fc.constantFrom(
  '0',
  '-0',
  '1.0',
  '1.50',
  '1e5',
  '1E+5',
  '-7.25e-3',
  '12345678901234567890',
);

/** Any JSON value as text. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(stringText, numberText, fc.constantFrom('true', 'false', 'null')),
    fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), space)
      .map(([items, gap]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(fc.array(fc.tuple(stringText, tie('value')), { maxLength: 4 }), space)
      .map(
        ([members, gap]) =>
          `{${gap}${members.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(`${gap},${gap}`)}}`,
      ),
  ),
})).value;

/** Cuts octets into pieces at the given places, each taken modulo what is left. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const length = lengths.length === 0 ? bytes.length : (lengths[index % lengths.length] ?? 1);
    pieces.push(bytes.subarray(at, at + Math.max(1, length)));
    at += Math.max(1, length);
  }
  return pieces;
}
