/**
 * Values of log lines. A line is printable ASCII and a value can be told from what stands around it, so
 * that nothing a client sends can end a line, or look like another field.
 */

/** Who chose a value decides what may stand without quotes. */
export type ValueOrigin =
  /** Our own words: letters, digits, spaces and common punctuation need no quotes. */
  | 'ours'
  /** A client's, or anybody's: a space needs them too. */
  | 'foreign';

/** Stands at the end of a value that was cut. */
const cutMark = '...';

const inOurs = 1;
const inForeign = 2;
const inString = 4;

/** By character code: in which kinds of value a character may stand as it is. */
const allowed = new Uint8Array(128);
for (let code = 0x20; code < 0x7f; code += 1) {
  const character = String.fromCharCode(code);
  allowed[code] =
    (/[A-Za-z0-9 ():.`'\-,/_]/.test(character) ? inOurs : 0) |
    (/[^ "=\\]/.test(character) ? inForeign : 0) |
    (/[^"\\]/.test(character) ? inString : 0);
}

/** Plain loop: values are short, and every request has a dozen of them. */
function consistsOf(value: string, kind: number): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code > 0x7e || ((allowed[code] ?? 0) & kind) === 0) return false;
  }
  return true;
}

/**
 * Writes a value for the text form: as it is where that is safe, else as a JSON string in ASCII.
 *
 * @param limit most characters of the result; a longer value is cut, and ends in `...`
 */
export function encodeValue(value: string, origin: ValueOrigin, limit: number): string {
  const kind = origin === 'ours' ? inOurs : inForeign;
  if (value !== '' && value.length <= limit && consistsOf(value, kind)) return value;
  return encodeString(value, limit);
}

/**
 * Writes a field of the text form, or nothing where there is no value.
 *
 * @param start what stands before the value; ours
 */
export function textField(
  start: string,
  value: string | null,
  origin: ValueOrigin,
  maxLength: number,
): string {
  return value === null ? '' : start + encodeValue(value, origin, maxLength);
}

/**
 * Writes a JSON string (RFC 8259) that holds nothing but printable ASCII.
 *
 * @param limit most characters of the result, quotes included; a longer value is cut and ends in `...`
 */
export function encodeString(value: string, limit: number): string {
  if (value.length + 2 <= limit && consistsOf(value, inString)) return `"${value}"`;
  const room = limit - 2 - cutMark.length;
  let text = '';
  let fitting = '';
  for (let index = 0; index < value.length; index += 1) {
    text += encodeUnit(value, index);
    if (text.length <= room) fitting = text;
    if (text.length + 2 > limit) return `"${fitting}${cutMark}"`;
  }
  return `"${text}"`;
}

function encodeUnit(value: string, index: number): string {
  const code = value.charCodeAt(index);
  if (code === 0x22 || code === 0x5c) return `\\${value.charAt(index)}`;
  if (code >= 0x20 && code <= 0x7e) return value.charAt(index);
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
