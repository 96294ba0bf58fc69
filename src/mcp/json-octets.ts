/**
 * A strict reader of JSON (RFC 8259) that only finds where values end. It works on octets, so that what
 * stays can be handed on octet by octet, and it builds nothing.
 *
 * Every function takes the text and an index, and returns the index after what it read, or one of the
 * failures below. The text must have been found to be UTF-8.
 */

/** What stands there is not JSON, or is nested deeper than {@link maxJsonDepth}. */
export const NOT_JSON = -1;
/** A member that is read occurs twice in one object. */
export const MEMBER_TWICE = -2;

/** Schemas of real tools stay below 40; bounds the recursion. */
export const maxJsonDepth = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
export const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** What an object's reader wants to know of its members. */
export interface MemberReader {
  /** The names that are read; each may occur once. */
  readonly names: readonly string[];
  /**
   * Reads the value of one of the names.
   *
   * @param name index into `names`
   * @param at index of the value's first octet
   * @returns the index after the value, or a failure
   */
  member(name: number, at: number): number;
}

/** Skips white space. */
export function skipSpace(text: Buffer, start: number): number {
  let at = start;
  while (isSpace(text[at])) at += 1;
  return at;
}

/**
 * Skips one value.
 *
 * @param at index of its first octet
 * @param depth how many arrays and objects are open around it
 */
export function skipValue(text: Buffer, at: number, depth: number): number {
  switch (text[at] ?? 0) {
    case QUOTE:
      return skipString(text, at);
    case OPEN_BRACE:
      return readObject(text, at, depth, readsNothing);
    case OPEN_BRACKET:
      return readArray(text, at, depth, skipValue);
    case 0x74:
      return skipWord(text, at, 'true');
    case 0x66:
      return skipWord(text, at, 'false');
    case 0x6e:
      return skipWord(text, at, 'null');
    default:
      return skipNumber(text, at);
  }
}

/** Reads an object; members that `reader` does not name are skipped. */
export function readObject(
  text: Buffer,
  start: number,
  depth: number,
  reader: MemberReader,
): number {
  if (depth >= maxJsonDepth) return NOT_JSON;
  let at = skipSpace(text, start + 1);
  if (text[at] === CLOSE_BRACE) return at + 1;
  let seen = 0;
  for (;;) {
    const nameStart = at;
    at = skipString(text, at);
    if (at < 0) return at;
    const name = reader.names.length === 0 ? -1 : findName(text, nameStart, at, reader.names);
    at = skipSpace(text, at);
    if (text[at] !== COLON) return NOT_JSON;
    at = skipSpace(text, at + 1);
    if (name < 0) {
      at = skipValue(text, at, depth + 1);
    } else {
      if ((seen & (1 << name)) !== 0) return MEMBER_TWICE;
      seen |= 1 << name;
      at = reader.member(name, at);
    }
    if (at < 0) return at;
    at = skipSpace(text, at);
    if (text[at] === CLOSE_BRACE) return at + 1;
    if (text[at] !== COMMA) return NOT_JSON;
    at = skipSpace(text, at + 1);
  }
}

/**
 * Reads an array.
 *
 * @param readItem reads one item and returns the index after it, or a failure
 */
export function readArray(
  text: Buffer,
  start: number,
  depth: number,
  readItem: (text: Buffer, at: number, depth: number) => number,
): number {
  if (depth >= maxJsonDepth) return NOT_JSON;
  let at = skipSpace(text, start + 1);
  if (text[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = readItem(text, at, depth + 1);
    if (at < 0) return at;
    at = skipSpace(text, at);
    if (text[at] === CLOSE_BRACKET) return at + 1;
    if (text[at] !== COMMA) return NOT_JSON;
    at = skipSpace(text, at + 1);
  }
}

/**
 * The string between two indexes that a reader of this module returned.
 *
 * @returns `null` where the value is not a string, or holds half of a surrogate pair, which is no text
 */
export function stringAt(text: Buffer, start: number, end: number): string | null {
  if (text[start] !== QUOTE) return null;
  const content = text.toString('utf8', start + 1, end - 1);
  if (!content.includes('\\')) return content;
  const value = String(JSON.parse(`"${content}"`));
  return /\p{Surrogate}/u.test(value) ? null : value;
}

/** A string, number, or `null` as JSON.parse reads it; `undefined` for every other value. */
export function scalarAt(
  text: Buffer,
  start: number,
  end: number,
): string | number | null | undefined {
  if (text[start] === OPEN_BRACE || text[start] === OPEN_BRACKET) return undefined;
  const value: unknown = JSON.parse(text.toString('utf8', start, end));
  return typeof value === 'string' || typeof value === 'number' || value === null
    ? value
    : undefined;
}

const readsNothing: MemberReader = { names: [], member: () => NOT_JSON };

/** @returns the index in `names` of the member name that stands, quoted, between `start` and `end`; or -1 */
function findName(text: Buffer, start: number, end: number, names: readonly string[]): number {
  const length = end - start - 2;
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    if (name.length === length && hasAscii(text, start + 1, name)) return index;
  }
  for (let at = start; at < end; at += 1) {
    if (text[at] === BACKSLASH) return names.indexOf(stringAt(text, start, end) ?? '');
  }
  return -1;
}

function hasAscii(text: Buffer, start: number, ascii: string): boolean {
  for (let index = 0; index < ascii.length; index += 1) {
    if (text[start + index] !== ascii.charCodeAt(index)) return false;
  }
  return true;
}

/** 1 for the octets that a string can't simply go on over: the quote, the backslash and controls. */
const ENDS_RUN = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet < 0x20 || octet === QUOTE || octet === BACKSLASH ? 1 : 0,
);

function skipString(text: Buffer, start: number): number {
  if (text[start] !== QUOTE) return NOT_JSON;
  let at = start + 1;
  const { length } = text;
  while (at < length) {
    const octet = text[at] ?? 0;
    if (ENDS_RUN[octet] === 0) {
      at += 1;
    } else if (octet === QUOTE) {
      return at + 1;
    } else {
      at = octet === BACKSLASH ? skipEscape(text, at) : NOT_JSON;
      if (at < 0) return at;
    }
  }
  return NOT_JSON;
}

function skipEscape(text: Buffer, start: number): number {
  switch (text[start + 1] ?? 0) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return start + 2;
    case 0x75: // u
      for (let at = start + 2; at < start + 6; at += 1) {
        if (!isHexDigit(text[at])) return NOT_JSON;
      }
      return start + 6;
    default:
      return NOT_JSON;
  }
}

function skipWord(text: Buffer, start: number, word: string): number {
  return hasAscii(text, start, word) ? start + word.length : NOT_JSON;
}

function skipNumber(text: Buffer, start: number): number {
  let at = text[start] === 0x2d ? start + 1 : start;
  if (text[at] === 0x30) at += 1;
  else if ((at = skipDigits(text, at)) < 0) return NOT_JSON;
  if (text[at] === 0x2e && (at = skipDigits(text, at + 1)) < 0) return NOT_JSON;
  if (text[at] === 0x65 || text[at] === 0x45) {
    at += 1;
    if (text[at] === 0x2b || text[at] === 0x2d) at += 1;
    return skipDigits(text, at);
  }
  return at;
}

/** Skips one digit or more. */
function skipDigits(text: Buffer, start: number): number {
  let at = start;
  while (isDigit(text[at])) at += 1;
  return at === start ? NOT_JSON : at;
}

function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= 0x30 && octet <= 0x39;
}

function isHexDigit(octet: number | undefined): boolean {
  return (
    isDigit(octet) ||
    (octet !== undefined && ((octet >= 0x41 && octet <= 0x46) || (octet >= 0x61 && octet <= 0x66)))
  );
}

function isSpace(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09;
}
