/**
 * One pass over JSON text that finds what `JSON.parse` lets through and what other readers take in another
 * way: repeated names, halves of surrogate pairs, numbers without a finite value, and more structure than is
 * worth building. It does not check the grammar; whoever calls it lets `JSON.parse` do that afterwards, and
 * what the pass says holds only for text that `JSON.parse` accepts.
 */

/** What is wrong with a text, in words that repeat nothing of it. */
export type JsonProblem =
  | 'not UTF-8'
  | 'not JSON'
  | 'nested too deeply'
  | 'too many values'
  | 'a member occurs twice'
  | 'a member is named __proto__'
  | 'half of a surrogate pair'
  | 'a number without a finite value';

export interface JsonLimits {
  /** Open brackets at one time; at most {@link deepest}. */
  readonly maxDepth: number;
  /**
   * Objects, arrays, members and elements together. What takes a reader longer counts for more: a name beyond
   * the eighth of its object or written with an escape, a number with a large exponent.
   */
  readonly maxValues: number;
}

export interface JsonScan {
  readonly problem: JsonProblem | null;
  /**
   * Whether each number that is a member of the outermost object is an integer within ±(2^53-1), written
   * without a fraction, an exponent or a negative zero: the only writing that every reader takes alike.
   */
  readonly hasPlainTopNumbers: boolean;
}

/** The largest depth that a caller may allow. */
export const deepest = 64;

/** Up to so many names of an object are compared in place; a larger one gets a set. */
const NAMES_IN_PLACE = 8;
/** A reader may need the square of this many steps, where an attacker knows its hash function. */
const MOST_MEMBERS_OF_ONE_OBJECT = 10_000;
/** What a name in a set, and an escaped name, cost besides the one of their member (measured). */
const COST_OF_NAME_IN_SET = 5;
const COST_OF_ESCAPED_NAME = 10;
/** What a number costs that must be computed to know whether it is finite. */
const COST_OF_LARGE_NUMBER = 3;
/** After so many characters of a string without an escape, the engine's own search goes on. */
const SHORT_RUN = 48;
/** A number so short, with an exponent of two digits at most, is below 10^308. */
const SURELY_FINITE_LENGTH = 200;

// Kept between calls, since a pass never waits: one allocation less for each body. `deepest` frames of
// NAMES_IN_PLACE names, each with its first and last offset in the text.
const nameOffsets = new Int32Array((deepest + 1) * NAMES_IN_PLACE * 2);
const nameCounts = new Int32Array(deepest + 1);
const nameSets = new Array<Set<string> | null>(deepest + 1).fill(null);
const isObject = new Uint8Array(deepest + 1);

const PLAIN: JsonScan = Object.freeze({ problem: null, hasPlainTopNumbers: true });
const ODD_TOP_NUMBERS: JsonScan = Object.freeze({ problem: null, hasPlainTopNumbers: false });

/**
 * Passes over a JSON text (RFC 8259) of well-formed Unicode.
 *
 * Finds: a name twice in one object (compared after unescaping; RFC 7493, 2.3), the name `__proto__` (which
 * many programs copy onto a prototype), an escape that is half of a surrogate pair (RFC 7493, 2.1), a number
 * that no double holds (RFC 7493, 2.2), and anything beyond the limits. Takes time linear in the length, and
 * stops at the first finding.
 */
export function scanJson(text: string, limits: JsonLimits): JsonScan {
  try {
    return scan(text, limits);
  } finally {
    nameSets.fill(null);
  }
}

function scan(text: string, { maxDepth, maxValues }: JsonLimits): JsonScan {
  const { length } = text;
  let depth = 0;
  let values = 0;
  let expectsName = false;
  let result = PLAIN;
  // The next quote and backslash, found by search; valid until the pass is beyond them.
  let nextQuote = -1;
  let nextBackslash = -1;

  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    switch (code) {
      case 0x22: {
        // "
        const start = index + 1;
        let end = start;
        let searchFrom = start + SHORT_RUN;
        let isEscaped = false;
        for (;;) {
          if (end > searchFrom) {
            if (nextQuote < end) nextQuote = indexOrEnd(text.indexOf('"', end), length);
            if (nextBackslash < end) nextBackslash = indexOrEnd(text.indexOf('\\', end), length);
            end = Math.min(nextQuote, nextBackslash);
          }
          if (end >= length) return found('not JSON');
          const inside = text.charCodeAt(end);
          if (inside === 0x22) break;
          if (inside === 0x5c) {
            isEscaped = true;
            const escape = escapeLength(text, end);
            if (escape === 0) return found('half of a surrogate pair');
            end += escape;
            searchFrom = end + SHORT_RUN;
          } else {
            end += 1;
          }
        }
        if (expectsName) {
          expectsName = false;
          const problem = isEscaped
            ? addEscapedName(text, start, end, depth)
            : addName(text, start, end, depth);
          if (problem !== null) return found(problem);
          const count = nameCounts[depth] ?? 0;
          if (count > MOST_MEMBERS_OF_ONE_OBJECT) return found('too many values');
          if (isEscaped) values += COST_OF_ESCAPED_NAME;
          else if (count > NAMES_IN_PLACE) values += COST_OF_NAME_IN_SET;
        }
        index = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        values += 1;
        if (depth > maxDepth) return found('nested too deeply');
        if (values > maxValues) return found('too many values');
        expectsName = code === 0x7b;
        isObject[depth] = expectsName ? 1 : 0;
        nameCounts[depth] = 0;
        nameSets[depth] = null;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (depth === 0) return found('not JSON');
        nameSets[depth] = null;
        depth -= 1;
        expectsName = false;
        break;
      case 0x2c: // ,
        values += 1;
        if (values > maxValues) return found('too many values');
        expectsName = depth > 0 && isObject[depth] === 1;
        break;
      default:
        if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
          const end = endOfNumber(text, index);
          if (!isSurelyFinite(text, index, end)) {
            if (!Number.isFinite(Number(text.slice(index, end)))) {
              return found('a number without a finite value');
            }
            values += COST_OF_LARGE_NUMBER;
          }
          if (depth === 1 && isObject[1] === 1 && !isPlainInteger(text, index, end)) {
            result = ODD_TOP_NUMBERS;
          }
          index = end - 1;
        }
    }
  }
  return result;
}

function found(problem: JsonProblem): JsonScan {
  return { problem, hasPlainTopNumbers: false };
}

function indexOrEnd(index: number, length: number): number {
  return index === -1 ? length : index;
}

/** @returns the length of the escape at a backslash, both halves of a pair as one; 0 for half of a pair */
function escapeLength(text: string, index: number): number {
  if (text.charCodeAt(index + 1) !== 0x75) return 2;
  const half = surrogateHalf(text, index);
  if (half === null) return 6;
  return half === 'high' && surrogateHalf(text, index + 6) === 'low' ? 12 : 0;
}

/** What the six characters from `index` are, if they are a `\u` escape of a surrogate. */
function surrogateHalf(text: string, index: number): 'high' | 'low' | null {
  if (text.charCodeAt(index) !== 0x5c || text.charCodeAt(index + 1) !== 0x75) return null;
  if ((text.charCodeAt(index + 2) | 0x20) !== 0x64) return null;
  const second = text.charCodeAt(index + 3) | 0x20;
  // An upper-case letter becomes lower case; the digits 8 and 9 have that bit already.
  if (second === 0x38 || second === 0x39 || second === 0x61 || second === 0x62) return 'high';
  return second >= 0x63 && second <= 0x66 ? 'low' : null;
}

/** Notes a name without escapes; its offsets are enough for as long as the object is small. */
function addName(text: string, start: number, end: number, depth: number): JsonProblem | null {
  if (end - start === PROTO.length && text.startsWith(PROTO, start)) {
    return 'a member is named __proto__';
  }
  const count = nameCounts[depth] ?? 0;
  const frame = depth * NAMES_IN_PLACE * 2;
  const set = nameSets[depth] ?? null;
  if (set !== null || count === NAMES_IN_PLACE) {
    return addToSet(set ?? openSet(text, depth), text.slice(start, end), depth);
  }
  for (let offset = frame; offset < frame + count * 2; offset += 2) {
    if (isSame(text, nameOffsets[offset] ?? 0, nameOffsets[offset + 1] ?? 0, start, end)) {
      return 'a member occurs twice';
    }
  }
  nameOffsets[frame + count * 2] = start;
  nameOffsets[frame + count * 2 + 1] = end;
  nameCounts[depth] = count + 1;
  return null;
}

function addEscapedName(
  text: string,
  start: number,
  end: number,
  depth: number,
): JsonProblem | null {
  let name: unknown;
  try {
    name = JSON.parse(text.slice(start - 1, end + 1));
  } catch {
    return 'not JSON';
  }
  if (typeof name !== 'string') return 'not JSON';
  if (name === PROTO) return 'a member is named __proto__';
  return addToSet(nameSets[depth] ?? openSet(text, depth), name, depth);
}

const PROTO = '__proto__';

function addToSet(set: Set<string>, name: string, depth: number): JsonProblem | null {
  set.add(name);
  const count = nameCounts[depth] ?? 0;
  if (set.size === count) return 'a member occurs twice';
  nameCounts[depth] = count + 1;
  return null;
}

/** Moves the names of the object at this depth from their offsets to a set. */
function openSet(text: string, depth: number): Set<string> {
  const set = new Set<string>();
  const frame = depth * NAMES_IN_PLACE * 2;
  const end = frame + (nameCounts[depth] ?? 0) * 2;
  for (let offset = frame; offset < end; offset += 2) {
    set.add(text.slice(nameOffsets[offset], nameOffsets[offset + 1]));
  }
  nameSets[depth] = set;
  return set;
}

function isSame(text: string, aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart;
  if (bEnd - bStart !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (text.charCodeAt(aStart + index) !== text.charCodeAt(bStart + index)) return false;
  }
  return true;
}

function endOfNumber(text: string, start: number): number {
  let index = start + 1;
  for (;;) {
    const code = text.charCodeAt(index);
    const isPart =
      (code >= 0x30 && code <= 0x39) ||
      code === 0x2e ||
      (code | 0x20) === 0x65 ||
      code === 0x2d ||
      code === 0x2b;
    if (!isPart) return index;
    index += 1;
  }
}

/** Short, and without an exponent of three digits. */
function isSurelyFinite(text: string, start: number, end: number): boolean {
  if (end - start > SURELY_FINITE_LENGTH) return false;
  for (let index = start; index < end - 3; index += 1) {
    if ((text.charCodeAt(index) | 0x20) === 0x65) return false;
  }
  return true;
}

/** The writing of {@link JsonScan.hasPlainTopNumbers}. */
function isPlainInteger(text: string, start: number, end: number): boolean {
  const number = text.slice(start, end);
  return PLAIN_INTEGER.test(number) && Number.isSafeInteger(Number(number));
}

const PLAIN_INTEGER = /^(?:0|-?[1-9][0-9]{0,15})$/;
