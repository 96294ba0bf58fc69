/** What must happen to a hostile request. */
export type Outcome =
  /** Answered with one of these statuses by the gate; nothing goes up. */
  | { readonly kind: 'refused'; readonly statuses: readonly number[] }
  /** Nothing goes up; the connection is closed, with an answer of 4xx or 5xx or without one. */
  | { readonly kind: 'dropped' }
  /** Exactly one request goes up, and its first line and body are these. */
  | { readonly kind: 'forwarded' | 'at-most-once'; readonly line: string; readonly body: string };

/** Some builds of the native server drop it, others hand it on: then as exactly this one request. */
export const atMostOnce = (line: string, body = ''): Outcome => ({
  kind: 'at-most-once',
  line,
  body,
});

export interface HostileRow {
  readonly name: string;
  /** Each character one octet. */
  readonly octets: string;
  readonly outcome: Outcome;
  /** No header line that goes up may match. */
  readonly neverUp?: RegExp;
}

export const refused = (...statuses: readonly number[]): Outcome => ({
  kind: 'refused',
  statuses: statuses.length === 0 ? [400] : statuses,
});
export const dropped: Outcome = { kind: 'dropped' };
export const forwarded = (line: string, body = ''): Outcome => ({ kind: 'forwarded', line, body });

/** A GET of the open route with further header lines. */
export const get = (target: string, lines = ''): string =>
  `GET ${target} HTTP/1.1\r\nhost: gate.test\r\n${lines}\r\n`;

/** A POST of the open route. */
export const post = (lines: string, body: string): string =>
  `POST /open/x HTTP/1.1\r\nhost: gate.test\r\n${lines}\r\n${body}`;
