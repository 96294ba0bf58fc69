/**
 * What of a URL may stand in a log or on a page: a query, a fragment and user information (RFC 3986, 3.2.1) may hold
 * a secret.
 *
 * @returns scheme, authority and path; for what is no URL nothing of it
 */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return '[not a URL]';
  const { origin, protocol, host, pathname, search } = new URL(text);
  const start = origin === 'null' ? `${protocol}//${host}` : origin;
  return `${start}${pathname}${search === '' ? '' : '?[redacted]'}`;
}
