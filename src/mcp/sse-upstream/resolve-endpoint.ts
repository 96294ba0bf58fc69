import { parseUrl } from '../../parse-url.ts';

/** Longest endpoint that a server may name, in characters: it travels in the ids of its requests. */
export const maxEndpointLength = 512;

/** What a URI may be written with (RFC 3986, 2): no white space, control, backslash or octet beyond ASCII. */
const URI = /^[!#-;=?-Z[\]_a-z~%]+$/;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const HTTP_SCHEME = /^https?:\/\/[^/?]/i;

/** The path and query to POST to, or why the server's choice is not followed. */
export type EndpointReading =
  | { readonly path: string; readonly problem: null }
  | { readonly path: null; readonly problem: EndpointProblem };

export type EndpointProblem =
  | 'empty'
  | 'too long'
  | 'not a URI'
  | 'not of the same origin'
  | 'with a fragment'
  | 'with userinfo';

/**
 * Resolves what the `endpoint` event of HTTP+SSE says (MCP 2024-11-05, Transports) against the address of
 * its stream. The endpoint must be of the same origin (RFC 6454): requests carry what the target may
 * know, and nobody else.
 *
 * @param data of the event: a relative or absolute reference (RFC 3986, 4.1)
 * @param streamUrl the absolute URL of the stream
 */
export function resolveEndpoint(data: string, streamUrl: string): EndpointReading {
  if (data === '') return refused('empty');
  if (data.length > maxEndpointLength) return refused('too long');
  if (!URI.test(data)) return refused('not a URI');
  if (data.includes('#')) return refused('with a fragment');
  // `http:path` is read in different ways; so is anything that is absolute in another scheme.
  if (SCHEME.test(data) && !HTTP_SCHEME.test(data)) return refused('not of the same origin');
  const url = parseUrl(data, streamUrl);
  if (url === null) return refused('not a URI');
  if (url.username !== '' || url.password !== '') return refused('with userinfo');
  if (url.origin !== new URL(streamUrl).origin) return refused('not of the same origin');
  // Two slashes at the start of a request target can be read as an authority.
  if (url.pathname.startsWith('//')) return refused('not a URI');
  const path = url.pathname + url.search;
  return path.length > maxEndpointLength ? refused('too long') : { path, problem: null };
}

function refused(problem: EndpointProblem): EndpointReading {
  return { path: null, problem };
}
