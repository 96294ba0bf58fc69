const PREFIX = '=?base64?';
const SUFFIX = '?=';
/** What a header may hold as it is: visible ASCII, with spaces and tabs inside. */
const PLAIN = /^(?:[!-~](?:[ -~\t]*[!-~])?)?$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes the value of `Mcp-Name` (MCP 2026-07-28, value encoding): as it is, or between `=?base64?` and `?=` in
 * the one canonical base64 form (RFC 4648, 4) of UTF-8.
 *
 * @returns the value, or `null` for any other spelling
 */
export function decodeNameHeader(value: string): string | null {
  const trimmed = trimWhitespace(value);
  if (!PLAIN.test(trimmed)) return null;
  if (!trimmed.startsWith(PREFIX) || !trimmed.endsWith(SUFFIX)) return trimmed;
  if (trimmed.length < PREFIX.length + SUFFIX.length) return null;
  const base64 = trimmed.slice(PREFIX.length, -SUFFIX.length);
  const octets = Buffer.from(base64, 'base64');
  if (octets.toString('base64') !== base64) return null;
  try {
    return utf8.decode(octets);
  } catch {
    return null;
  }
}

/** Writes a value for `Mcp-Name`: as it is where a header may hold it, else in base64. */
export function encodeNameHeader(value: string): string {
  const isPlain = PLAIN.test(value) && !(value.startsWith(PREFIX) && value.endsWith(SUFFIX));
  return isPlain ? value : PREFIX + Buffer.from(value).toString('base64') + SUFFIX;
}

/** Takes optional whitespace (RFC 9110, 5.6.3) off both ends, and no other. */
export function trimWhitespace(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isWhitespace(value.charCodeAt(start))) start += 1;
  while (end > start && isWhitespace(value.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
