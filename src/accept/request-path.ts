/**
 * The one spelling of a request's path.
 *
 * Rules decide on the text of the path, and servers behind the gate decode, merge and cut it each in its
 * own way. So a path that two servers could read differently is refused, and of several spellings with one
 * meaning only one is left. What comes out is what rules see and what is forwarded.
 */

export type NormalisedPath =
  | { readonly ok: true; readonly path: string }
  | {
      readonly ok: false;
      /** For the log; names no part of the path. */
      readonly why: string;
    };

const PLAIN = 1;
const ENCODED_WHEN_RAW = 2;

/**
 * By ASCII code. PLAIN: pchar of RFC 3986, 3.3, and `/`, without `;`. ENCODED_WHEN_RAW: not allowed in a
 * URI, but sent by browsers and harmless. 0: never raw in a path.
 */
const kinds = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/") {
  kinds[character.charCodeAt(0)] = PLAIN;
}
for (const character of '"<>[]^`{|}') kinds[character.charCodeAt(0)] = ENCODED_WHEN_RAW;

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

/** Delimiters that some server acts on after it has decoded them, with the words for the log. */
const refusedWhenEncoded: ReadonlyMap<number, string> = new Map([
  [SLASH, 'an encoded slash'],
  [0x5c, 'an encoded backslash'],
  [0x3b, 'an encoded semicolon'],
  [0x3f, 'an encoded question mark'],
  [0x23, 'an encoded number sign'],
]);

const DOUBLE_ENCODED = /%25[0-9A-Fa-f]{2}/;

/**
 * Brings a request's path into its one spelling (RFC 3986, 6.2.2), or refuses it (400).
 *
 * Refused as they are:
 * - a path that does not start with `/` (the absolute form and `*` of RFC 9112, 3.2, too);
 * - control characters, spaces, characters beyond ASCII, raw or as `%00`-`%1F` and `%7F`: they cut or
 *   forge what a server or a log reads (an encoded space, `%20`, is accepted);
 * - `\`, raw or encoded: some servers read it as `/`;
 * - `#` and `?`, raw or encoded: a server that puts a decoded path back into a URL would cut it there;
 * - `%2F`: a slash for some servers, a character of the segment for others;
 * - `;`, raw or encoded: servlet containers take it and what follows out of the segment, so `/admin;x`
 *   is `/admin` there, and `/..;/` climbs;
 * - `%` without two hexadecimal digits, and escapes that are not well-formed UTF-8 (overlong forms of `.`
 *   and `/` among them);
 * - `%25` before two hexadecimal digits: a second decoding would yield another path;
 * - `.` and `..` as a whole segment, spelled in any way: some servers resolve them, some don't;
 * - empty segments (`//`): some servers merge them. One trailing slash is accepted and kept.
 *
 * Brought into one spelling:
 * - escapes of characters that may stand in a path as they are (`%61`, `%2D`, `%40`) are decoded;
 * - all other escapes get upper-case digits;
 * - `"<>[]^{|}` and the backtick, which URIs don't allow but browsers send, are encoded.
 *
 * @param rawPath as sent, without `?` and the query
 */
export function normalisePath(rawPath: string): NormalisedPath {
  if (rawPath.charCodeAt(0) !== SLASH) {
    return { ok: false, why: 'the path does not start with a slash' };
  }
  for (let index = 0; index < rawPath.length; index += 1) {
    const code = rawPath.charCodeAt(index);
    if (code >= 128 || kinds[code] !== PLAIN) return rewrite(rawPath);
  }
  return checkSegments(rawPath);
}

/** The way of paths with escapes, and of those that will be refused for a character. */
function rewrite(rawPath: string): NormalisedPath {
  let path = '';
  let hasBytesBeyondAscii = false;
  for (let index = 0; index < rawPath.length; index += 1) {
    const code = rawPath.charCodeAt(index);
    if (code !== PERCENT) {
      const kind = code < 128 ? kinds[code] : 0;
      if (kind === PLAIN) path += rawPath.charAt(index);
      else if (kind === ENCODED_WHEN_RAW) path += escape(code);
      else return refused(describe(code));
      continue;
    }
    const byte =
      hexDigit(rawPath.charCodeAt(index + 1)) * 16 + hexDigit(rawPath.charCodeAt(index + 2));
    if (Number.isNaN(byte)) return refused('an incomplete percent escape');
    const delimiter = refusedWhenEncoded.get(byte);
    if (delimiter !== undefined) return refused(delimiter);
    if (byte < 0x20 || byte === 0x7f) return refused('an encoded control character');
    if (byte >= 128) hasBytesBeyondAscii = true;
    path += kinds[byte] === PLAIN ? String.fromCharCode(byte) : escape(byte);
    index += 2;
  }
  if (DOUBLE_ENCODED.test(path)) return refused('a percent escape within a percent escape');
  if (hasBytesBeyondAscii && !isWellFormed(path)) return refused('escapes that are not UTF-8');
  return checkSegments(path);
}

/** @param path every character is in its one spelling */
function checkSegments(path: string): NormalisedPath {
  for (let slash = 0; slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const next = path.charCodeAt(slash + 1);
    if (next === SLASH) return refused('an empty segment');
    if (next === DOT) {
      const afterDots = path.charCodeAt(slash + 2) === DOT ? slash + 3 : slash + 2;
      if (afterDots === path.length || path.charCodeAt(afterDots) === SLASH) {
        return refused('a dot segment');
      }
    }
  }
  return { ok: true, path };
}

function isWellFormed(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function escape(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** @returns NaN for anything else, the end of the text included */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return Number.NaN;
}

function describe(code: number): string {
  if (code === 0x20) return 'a space';
  if (code === 0x5c) return 'a backslash';
  if (code === 0x3b) return 'a semicolon';
  if (code === 0x23) return 'a number sign';
  if (code === 0x3f) return 'a question mark';
  return code >= 128 ? 'a character beyond ASCII' : 'a control character';
}

function refused(what: string): NormalisedPath {
  return { ok: false, why: `the path contains ${what}` };
}
