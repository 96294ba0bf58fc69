/** What resources may say about header fields (RFC 9110, section 5). */

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
const value = /^[\t\x20-\x7e]*$/;

/**
 * Fields that belong to one connection (RFC 9110, 7.6.1), or frame or address the message. The gate
 * writes them itself, so that no resource may.
 */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Checks the name of a header field that a resource sets, adds or removes.
 *
 * @returns what is wrong with it and what would be right, or `null`
 */
export function headerNameProblem(name: string): string | null {
  if (!token.test(name)) {
    return `"${printable(name)}" is not a header name; use letters, digits and - (RFC 9110)`;
  }
  const lowerCase = name.toLowerCase();
  if (lowerCase === 'host') {
    return 'the header "host" may not be changed by a filter; use URLRewrite.hostname';
  }
  if (framing.has(lowerCase)) {
    return `the header "${lowerCase}" belongs to the connection and may not be changed`;
  }
  return null;
}

/**
 * Checks the value of a header field that a resource sets or adds.
 *
 * @returns what is wrong, never with the value itself, which may be a secret; or `null`
 */
export function headerValueProblem(text: string): string | null {
  if (!value.test(text)) {
    return 'the value holds a line break or another character that is not visible ASCII';
  }
  if (text !== text.trim()) return 'the value begins or ends with white space';
  return null;
}

/** Text that is safe to show in a message: control characters escaped, and bounded. */
export function printable(text: string): string {
  const shown = text.length > 64 ? `${text.slice(0, 64)}...` : text;
  return JSON.stringify(shown).slice(1, -1);
}
