import { isUtf8 } from 'node:buffer';

/**
 * Finds where a JSON value ends, for the writing that nearly all clients use, without building it. What is not
 * surely lawful is not refused here but left to the reader that knows all of JSON: an answer of
 * {@link NOT_PLAIN} says nothing of the text.
 *
 * A value whose end is found is one that `readJson` takes (RFC 8259, no member twice, whole surrogate pairs, finite
 * numbers), whatever stands behind it, if {@link isUtf8Text} says so too.
 */

/** What stands for an end that was not found. */
export const NOT_PLAIN = -1;

/** Objects and arrays around a value, its own outermost one included. */
const MAX_DEPTH = 16;
/** Names of an object are compared with each other; more are the business of a reader that has sets. */
const MAX_NAMES = 16;
/** So many digits, without an exponent, are below 10^308. */
const MAX_NUMBER_LENGTH = 200;

/** Longest text that is looked at: of one long string the engine's own parser takes no more time than this does. */
export const MAX_PLAIN_OCTETS = 16_384;

/**
 * The text, and a zero behind it, which is part of no value: nothing reads further. One array for all texts, since
 * a pass never waits: the compiler knows where a constant array lies, and each access costs a fraction of one to an
 * array that is handed in (measured: a third less time for a call).
 */
const octets = Buffer.alloc(MAX_PLAIN_OCTETS + 1);

/** What an octet is inside of a string: visible ASCII or the space, an octet beyond ASCII, or the end of plain text. */
const STOP = 0;
const ASCII = 1;
const HIGH = 2;
const octetClass = new Uint8Array(256);
octetClass.fill(ASCII, 0x20, 0x7f);
octetClass.fill(HIGH, 0x80);
octetClass[0x22] = STOP;
octetClass[0x5c] = STOP;

/** What may stand behind a backslash, but for the `u`, whose four digits may be half of a surrogate pair. */
const isShortEscape = new Uint8Array(256);
for (const character of '"\\/bfnrt') isShortEscape[character.charCodeAt(0)] = 1;

/** Whether a string of the text has octets beyond ASCII. */
let hasHighOctets = false;

/** Words that texts are compared with, each behind its length: in a constant array too. */
const words = new Uint8Array(256);
let wordsEnd = 0;

// Kept between calls too: where the names of the objects that are open begin and end.
const nameOffsets = new Int32Array(MAX_DEPTH * MAX_NAMES * 2);

const TRUE = plainWord('true');
const FALSE = plainWord('false');
const NULL = plainWord('null');
/** A name that many programs copy onto a prototype. */
const PROTO = plainWord('__proto__');

/** Takes a text of at most {@link MAX_PLAIN_OCTETS}, in which all offsets are until the next one is taken. */
export function takeText(text: Uint8Array): void {
  octets.set(text);
  octets[text.length] = 0;
  hasHighOctets = false;
}

/** Whether a text is UTF-8, of which all values were passed over since it was taken. */
export function isUtf8Text(text: Uint8Array): boolean {
  return !hasHighOctets || isUtf8(text);
}

/** @returns what stands between the quotes of a plain string */
export function stringBetween(start: number, end: number): string {
  return octets.toString('latin1', start, end);
}

export function octetAt(offset: number): number {
  return octets[offset] ?? 0;
}

/**
 * Where the value that begins at `start` ends.
 *
 * @param start of its first octet, with no space in front
 * @returns the offset behind it, or {@link NOT_PLAIN}
 */
export function endOfPlainValue(start: number): number {
  return endOfValue(start, 0);
}

/**
 * Where a string ends that has no escape and nothing but visible ASCII and spaces in it, so that its octets are its
 * characters.
 *
 * @param start behind its first quote
 * @returns the offset of its last quote, or {@link NOT_PLAIN}
 */
export function endOfPlainString(start: number): number {
  const at = skipAscii(start);
  return octetAt(at) === 0x22 ? at : NOT_PLAIN;
}

/** The same for any string but one with control characters or `\u` escapes. */
function endOfString(start: number): number {
  let at = skipAscii(start);
  while (octetAt(at) !== 0x22) {
    if (octetClass[octetAt(at)] === HIGH) {
      hasHighOctets = true;
      at = skipAscii(at + 1);
    } else {
      if (octetAt(at) !== 0x5c || isShortEscape[octetAt(at + 1)] !== 1) return NOT_PLAIN;
      at = skipAscii(at + 2);
    }
  }
  return at;
}

/** A loop by itself: inside of another one it takes twice the time. */
function skipAscii(start: number): number {
  let at = start;
  while (octetClass[octetAt(at)] === ASCII) at += 1;
  return at;
}

/** @returns the offset of the next octet that is not insignificant whitespace (RFC 8259, 2) */
export function skipSpace(start: number): number {
  // Most texts have none: so small, the compiler puts it in everywhere.
  return octetAt(start) > 0x20 ? start : skipMoreSpace(start);
}

function skipMoreSpace(start: number): number {
  let at = start;
  for (;;) {
    const octet = octets[at];
    if (octet !== 0x20 && octet !== 0x0a && octet !== 0x0d && octet !== 0x09) return at;
    at += 1;
  }
}

/**
 * Notes a word to compare with, of ASCII; for the start of the process.
 *
 * @returns what {@link isWordAt} takes
 */
export function plainWord(text: string): number {
  const word = wordsEnd;
  words[word] = text.length;
  for (let index = 0; index < text.length; index += 1) {
    words[word + 1 + index] = text.charCodeAt(index);
  }
  wordsEnd += 1 + text.length;
  return word;
}

/** @returns the offset behind a word that stands at `start`, or {@link NOT_PLAIN} */
export function endOfWord(start: number, word: number): number {
  const end = start + (words[word] ?? 0);
  return isWordAt(start, end, word) ? end : NOT_PLAIN;
}

/** Whether a word stands at `start`; `end` is where it would have to end. */
export function isWordAt(start: number, end: number, word: number): boolean {
  const length = words[word] ?? 0;
  if (end - start !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (octets[start + index] !== words[word + 1 + index]) return false;
  }
  return true;
}

function endOfValue(start: number, depth: number): number {
  switch (octetAt(start)) {
    case 0x22: {
      // "
      const end = endOfString(start + 1);
      return end === NOT_PLAIN ? NOT_PLAIN : end + 1;
    }
    case 0x7b: // {
      return endOfObject(start, depth);
    case 0x5b: // [
      return endOfArray(start, depth);
    case 0x74: // t
      return endOfWord(start, TRUE);
    case 0x66: // f
      return endOfWord(start, FALSE);
    case 0x6e: // n
      return endOfWord(start, NULL);
    default:
      return endOfNumber(start);
  }
}

function endOfObject(start: number, depth: number): number {
  if (depth === MAX_DEPTH) return NOT_PLAIN;
  let at = skipSpace(start + 1);
  if (octets[at] === 0x7d) return at + 1;
  for (let count = 0; count < MAX_NAMES; count += 1) {
    if (octets[at] !== 0x22) return NOT_PLAIN;
    const nameStart = at + 1;
    const nameEnd = endOfPlainString(nameStart);
    if (nameEnd === NOT_PLAIN) return NOT_PLAIN;
    if (!isNewName(nameStart, nameEnd, depth, count)) return NOT_PLAIN;
    at = skipSpace(nameEnd + 1);
    if (octets[at] !== 0x3a) return NOT_PLAIN;
    at = endOfValue(skipSpace(at + 1), depth + 1);
    if (at === NOT_PLAIN) return NOT_PLAIN;
    at = skipSpace(at);
    if (octets[at] === 0x7d) return at + 1;
    if (octets[at] !== 0x2c) return NOT_PLAIN;
    at = skipSpace(at + 1);
  }
  return NOT_PLAIN;
}

function endOfArray(start: number, depth: number): number {
  if (depth === MAX_DEPTH) return NOT_PLAIN;
  let at = skipSpace(start + 1);
  if (octets[at] === 0x5d) return at + 1;
  for (;;) {
    at = endOfValue(at, depth + 1);
    if (at === NOT_PLAIN) return NOT_PLAIN;
    at = skipSpace(at);
    if (octets[at] === 0x5d) return at + 1;
    if (octets[at] !== 0x2c) return NOT_PLAIN;
    at = skipSpace(at + 1);
  }
}

/** Notes the name of a member; no other of the `count` names of its object may be the same, nor `__proto__`. */
function isNewName(start: number, end: number, depth: number, count: number): boolean {
  if (isWordAt(start, end, PROTO)) return false;
  const frame = depth * MAX_NAMES * 2;
  const next = frame + count * 2;
  for (let offset = frame; offset < next; offset += 2) {
    const otherStart = nameOffsets[offset] ?? 0;
    const otherEnd = nameOffsets[offset + 1] ?? 0;
    if (isSame(otherStart, otherEnd, start, end)) return false;
  }
  nameOffsets[next] = start;
  nameOffsets[next + 1] = end;
  return true;
}

function isSame(aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart;
  if (bEnd - bStart !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (octets[aStart + index] !== octets[bStart + index]) return false;
  }
  return true;
}

/** Of a number (RFC 8259, 6) without its exponent: where one follows, what is around the number does not go on. */
function endOfNumber(start: number): number {
  let at = octets[start] === 0x2d ? start + 1 : start;
  const integerStart = at;
  at = skipDigits(at);
  if (at === integerStart) return NOT_PLAIN;
  if (octets[integerStart] === 0x30 && at > integerStart + 1) return NOT_PLAIN;
  if (octets[at] === 0x2e) {
    const fractionStart = at + 1;
    at = skipDigits(fractionStart);
    if (at === fractionStart) return NOT_PLAIN;
  }
  return at - start > MAX_NUMBER_LENGTH ? NOT_PLAIN : at;
}

function skipDigits(start: number): number {
  let at = start;
  for (;;) {
    const octet = octets[at] ?? 0;
    if (octet < 0x30 || octet > 0x39) return at;
    at += 1;
  }
}
