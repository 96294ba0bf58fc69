/** How the Host header of a request is read. */

import { isIPv6 } from 'node:net';

export interface Host {
  /** Lower case, without port and trailing dot; IPv6 in brackets and in its shortest form. */
  readonly host: string;
  /** 1 to 65535, or `null` where none was given. */
  readonly port: number | null;
}

/** Longest name in DNS (RFC 1035, 2.3.4), without the trailing dot. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

const PORT = /^[0-9]{0,5}$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
/** Other ways to write an IPv4 address, which some resolvers read and others do not: `127.1`, `0x7f.1`. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * Reads the value of a Host header (RFC 9110, 7.2; RFC 3986, 3.2.2) strictly, so that every upstream
 * reads it the same.
 *
 * Accepted: a name of letters, digits, `-` and `_` in labels of at most 63 and 253 characters in all,
 * with one trailing dot allowed; an IPv4 address of four decimal numbers; an IPv6 address in brackets,
 * without a zone; each with an optional port (an empty one counts as none, as RFC 3986 allows).
 *
 * @returns the host and port; `null` for anything else: empty, user information, spaces, control or
 *   non-ASCII characters, commas, percent escapes, path characters, port 0 or above 65535
 */
export function normaliseHost(authority: string): Host | null {
  if (authority.startsWith('[')) return readIPv6(authority);
  const colon = authority.indexOf(':');
  const name = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? null : readPort(authority.slice(colon + 1));
  if (port === undefined) return null;
  const labels = name.endsWith('.') ? name.slice(0, -1) : name;
  // Before it is lower-cased: the Kelvin sign, for one, would become a plain k.
  const lastLabel = lastLabelOf(labels);
  if (lastLabel < 0) return null;
  const host = labels.toLowerCase();
  if (isDigit(host.charCodeAt(lastLabel)) && ENDS_IN_NUMBER.test(host) && !IPV4.test(host)) {
    return null;
  }
  return { host, port };
}

/** @returns `undefined` where the text is no port */
function readPort(digits: string): number | null | undefined {
  if (!PORT.test(digits)) return undefined;
  if (digits === '') return null;
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function readIPv6(authority: string): Host | null {
  const end = authority.indexOf(']');
  if (end < 0) return null;
  const address = authority.slice(1, end);
  const rest = authority.slice(end + 1);
  if (!isIPv6(address) || address.includes('%')) return null;
  if (rest !== '' && !rest.startsWith(':')) return null;
  const port = readPort(rest.slice(1));
  if (port === undefined) return null;
  return { host: new URL(`http://[${address}]`).hostname, port };
}

/** @returns where the last label begins, or -1 where the text is no name */
function lastLabelOf(name: string): number {
  if (name.length > MAX_NAME_LENGTH) return -1;
  let start = 0;
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index);
    if (code === 0x2e) {
      if (index === start) return -1;
      start = index + 1;
      continue;
    }
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
    if (!isLetter && !isDigit(code) && code !== 0x2d && code !== 0x5f) return -1;
    if (index - start >= MAX_LABEL_LENGTH) return -1;
  }
  return start < name.length ? start : -1;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
