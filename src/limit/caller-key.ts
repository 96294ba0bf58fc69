/** Under which name a caller is counted. */

import type { Principal } from '../authenticate/principal.ts';

/**
 * The key of a client address: IPv4 as it is, of IPv6 the first 64 bits, which is the least that a site
 * gets (RFC 6177): whoever has one address of it has them all.
 *
 * @param address as `addressText` writes it
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back] = address.split('::');
  const groups = front === '' ? [] : front.split(':');
  if (back !== undefined) {
    const rest = back === '' ? [] : back.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * The key of a principal: provider, issuer and subject, so that all tokens of one subject count together.
 * Subjects without a name share the key of their issuer. Never the session: a client gets a new one for
 * the asking.
 */
export function principalKey({ provider, issuer, subject, findings }: Principal): string {
  if (findings.callerKey !== null) return findings.callerKey;
  const key = JSON.stringify(issuer === null ? [provider, null, subject] : [issuer, subject]);
  findings.callerKey = key;
  return key;
}
