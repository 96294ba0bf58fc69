import {
  OPEN_BRACE,
  readObject,
  skipSpace,
  skipValue,
  type MemberReader,
} from '../../json-octets.ts';
import { MemberNames } from '../../member-names.ts';
import { splice } from '../../splice.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * Takes members out of one object of a JSON text; all else stays octet by octet. A member whose name is written
 * with escapes stays.
 *
 * @param text JSON in UTF-8
 * @param path the members that lead to the object
 * @returns the same memory where there is nothing to cut
 */
export function cutMembers(
  text: Buffer,
  path: readonly string[],
  names: readonly string[],
): Buffer {
  let cut = text;
  for (const name of names) {
    const at = findMember(cut, skipSpace(cut, 0), [...path, name]);
    const edit = at === null ? null : memberAt(cut, at, name);
    if (edit !== null) cut = splice(cut, [{ ...edit, text: '' }]);
  }
  return cut;
}

/** @returns where the value of the member at the end of the path begins */
function findMember(text: Buffer, start: number, path: readonly string[]): number | null {
  const [name, ...rest] = path;
  if (name === undefined) return start;
  if (text[start] !== OPEN_BRACE) return null;
  let found: number | null = null;
  const reader: MemberReader<null> = {
    names: new MemberNames([name]),
    member(_reading, _index, at) {
      found = findMember(text, at, rest);
      return skipValue(text, at, 1);
    },
  };
  const end = readObject(text, start, 0, reader, null);
  return end < 0 ? null : found;
}

/** From the member's name to the comma that goes with it. */
function memberAt(
  text: Buffer,
  valueStart: number,
  name: string,
): { readonly start: number; readonly end: number } | null {
  const quoted = `"${name}"`;
  const start = text.lastIndexOf(quoted, valueStart - 1, 'latin1');
  const between = start < 0 ? 'x' : text.toString('latin1', start + quoted.length, valueStart);
  if (between.trim() !== ':' || text[start] !== QUOTE) return null;
  const end = skipValue(text, valueStart, 1);
  const behind = skipSpace(text, end);
  if (text[behind] === COMMA) return { start, end: behind + 1 };
  let before = start;
  while (before > 0 && isSpace(text[before - 1])) before -= 1;
  return text[before - 1] === COMMA ? { start: before - 1, end } : { start, end };
}

function isSpace(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09;
}
