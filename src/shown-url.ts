import { parseUrl } from './parse-url.ts';

/**
 * What of a URL may stand in a log or on a page: a query, a fragment and user information (RFC 3986, 3.2.1) may hold
 * a secret.
 *
 * @returns scheme, authority and path; for what is no URL nothing of it
 */
export function shownUrl(text: string): string {
  const url = parseUrl(text);
  if (url === null) return '[not a URL]';
  const { protocol, host, pathname, search } = url;
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?[redacted]'}`;
}
