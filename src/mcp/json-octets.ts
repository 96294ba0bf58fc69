/**
 * A strict reader of JSON (RFC 8259) that only finds where values end. It works on octets, so that what
 * stays can be handed on octet by octet, and it builds nothing.
 *
 * Every function takes the text and an index, and returns the index after what it read, or one of the
 * failures below. The text must have been found to be UTF-8.
 */

import type { MemberNames } from './member-names.ts';

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
const ZERO = 0x30;

/** So many digits fit a number exactly. */
const MAX_PLAIN_DIGITS = 15;

/** What an object's reader wants to know of its members: one for all texts, so that none is made for each. */
export interface MemberReader<Reading> {
  /** The names that are read; each may occur once. */
  readonly names: MemberNames;
  /**
   * Reads the value of one of the names.
   *
   * @param reading what {@link readObject} was given
   * @param name index into `names`
   * @param at index of the value's first octet
   * @returns the index after the value, or a failure
   */
  member(reading: Reading, name: number, at: number): number;
}

/** Skips white space. */
export function skipSpace(text: Buffer, start: number): number {
  let at = start;
  while (isSpace(text[at] ?? 0)) at += 1;
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
      return skipObject(text, at, depth);
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
export function readObject<Reading>(
  text: Buffer,
  start: number,
  depth: number,
  reader: MemberReader<Reading>,
  reading: Reading,
): number {
  if (depth >= maxJsonDepth) return NOT_JSON;
  let at = skipSpace(text, start + 1);
  if (text[at] === CLOSE_BRACE) return at + 1;
  let seen = 0;
  for (;;) {
    if (text[at] !== QUOTE) return NOT_JSON;
    const runEnd = skipRun(text, at + 1);
    let name: number;
    if (text[runEnd] === QUOTE) {
      name = reader.names.indexAt(text, at + 1, runEnd);
      at = runEnd + 1;
    } else {
      const nameStart = at;
      at = skipString(text, at);
      if (at < 0) return at;
      name = reader.names.indexOf(stringAt(text, nameStart, at) ?? '');
    }
    if (isBlank(text, at)) at = skipSpace(text, at);
    if (text[at] !== COLON) return NOT_JSON;
    at += 1;
    if (isBlank(text, at)) at = skipSpace(text, at);
    if (name < 0) {
      at = skipValue(text, at, depth + 1);
    } else {
      if ((seen & (1 << name)) !== 0) return MEMBER_TWICE;
      seen |= 1 << name;
      at = reader.member(reading, name, at);
    }
    if (at < 0) return at;
    if (isBlank(text, at)) at = skipSpace(text, at);
    if (text[at] === CLOSE_BRACE) return at + 1;
    if (text[at] !== COMMA) return NOT_JSON;
    at += 1;
    if (isBlank(text, at)) at = skipSpace(text, at);
  }
}

function skipObject(text: Buffer, start: number, depth: number): number {
  if (depth >= maxJsonDepth) return NOT_JSON;
  let at = skipSpace(text, start + 1);
  if (text[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    at = skipString(text, at);
    if (at < 0) return at;
    if (isBlank(text, at)) at = skipSpace(text, at);
    if (text[at] !== COLON) return NOT_JSON;
    at += 1;
    if (isBlank(text, at)) at = skipSpace(text, at);
    at = skipValue(text, at, depth + 1);
    if (at < 0) return at;
    if (isBlank(text, at)) at = skipSpace(text, at);
    if (text[at] === CLOSE_BRACE) return at + 1;
    if (text[at] !== COMMA) return NOT_JSON;
    at += 1;
    if (isBlank(text, at)) at = skipSpace(text, at);
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
    if (isBlank(text, at)) at = skipSpace(text, at);
    if (text[at] === CLOSE_BRACKET) return at + 1;
    if (text[at] !== COMMA) return NOT_JSON;
    at += 1;
    if (isBlank(text, at)) at = skipSpace(text, at);
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
  const first = text[start] ?? 0;
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return undefined;
  // Ids are counted up in almost every program. What has a sign, a fraction or an exponent goes the long way.
  if (isDigit(first) && end - start <= MAX_PLAIN_DIGITS) {
    let value = 0;
    let at = start;
    while (at < end && isDigit(text[at] ?? 0)) {
      value = value * 10 + (text[at] ?? 0) - ZERO;
      at += 1;
    }
    if (at === end) return value;
  }
  const value: unknown = JSON.parse(text.toString('utf8', start, end));
  return typeof value === 'string' || typeof value === 'number' || value === null
    ? value
    : undefined;
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
  for (;;) {
    at = skipRun(text, at);
    if (text[at] === QUOTE) return at + 1;
    if (text[at] !== BACKSLASH) return NOT_JSON;
    at = skipEscape(text, at);
    if (at < 0) return at;
  }
}

/** @returns the index of the first octet that is not simply a part of a string, or that of the text's end */
function skipRun(text: Buffer, start: number): number {
  let at = start;
  // The end of the text reads as a control, which ends the run as well.
  while (ENDS_RUN[text[at] ?? 0] === 0) at += 1;
  return at;
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
        if (!isHexDigit(text[at] ?? 0)) return NOT_JSON;
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
  if (text[at] === ZERO) at += 1;
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
  while (isDigit(text[at] ?? 0)) at += 1;
  return at === start ? NOT_JSON : at;
}

function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= 0x39;
}

function isHexDigit(octet: number): boolean {
  return isDigit(octet) || (octet >= 0x41 && octet <= 0x46) || (octet >= 0x61 && octet <= 0x66);
}

/** Whether an octet stands there that can be white space: asked first, since few texts have any. */
function isBlank(text: Buffer, at: number): boolean {
  return (text[at] ?? 0) <= 0x20;
}

function isSpace(octet: number): boolean {
  return octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09;
}
