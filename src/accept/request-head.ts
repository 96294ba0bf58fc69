/**
 * The head of a request as the stages see it: copied out of the native server, which frees its own
 * copy when its callback returns.
 */

/**
 * Header fields of one message: name and value in turn, in the order received. Names are lower case,
 * as the native server hands them over. A flat list costs one allocation and keeps repeated fields.
 */
export type HeaderFields = string[];

export interface RequestHead {
  /** As sent: methods are case-sensitive (RFC 9110, 9.1). */
  readonly method: string;
  /** The path in its one spelling (see `request-path.ts`), without the query; starts with `/`. */
  readonly path: string;
  /** What stood behind the first `?`, as sent, without it; `null` where there was no `?`. */
  readonly query: string | null;
  readonly headers: HeaderFields;
  /** The Host header without its port, lower case. */
  readonly host: string;
  /** The Host header as sent. */
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** The client's IP address as text. */
  readonly remoteAddress: string;
  /** The client's port, or `null` where the native server does not tell. */
  readonly remotePort: number | null;
}

/**
 * The value of a header field that occurs at most once.
 *
 * @param name lower case
 * @returns the first value, or `undefined`
 */
export function headerValue(headers: HeaderFields, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}
