/**
 * Quotes text that came from a client or another server, so that it is safe in a log line, an answer and
 * a terminal.
 *
 * @param maxChars how much of the text is kept, in UTF-16 code units before escaping
 * @returns a JSON string literal (RFC 8259, 7) of printable ASCII only
 */
export function quoteUntrusted(text: string, maxChars: number): string {
  return escapeNonPrintable(JSON.stringify(text.slice(0, maxChars)));
}

/**
 * Writes everything but printable ASCII and the line feed as `\uXXXX`. JSON text stays the same JSON.
 */
export function escapeNonPrintable(text: string): string {
  return text.replace(
    /[^\n\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
