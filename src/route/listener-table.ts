import type { ListenerRuntime } from '../runtime.ts';
import { createHostnameIndex } from './hostname.ts';

/** All listeners of one port. */
export interface ListenerTable {
  /**
   * The listener with the most specific hostname that covers the host, or `null`.
   *
   * @param host as `normaliseHost` returns it
   */
  find(host: string): ListenerRuntime | null;
}

/**
 * Prepares the listeners of one port for lookup (Gateway API, Listener.hostname). Where two have the same
 * hostname, the first one has it.
 *
 * @param listeners hostnames in lower case
 */
export function createListenerTable(listeners: readonly ListenerRuntime[]): ListenerTable {
  const byHostname = new Map<string | null, ListenerRuntime>();
  for (const listener of listeners) {
    if (!byHostname.has(listener.hostname)) byHostname.set(listener.hostname, listener);
  }
  const index = createHostnameIndex(byHostname);
  return { find: (host) => index.find(host) ?? null };
}

/**
 * Whether a request came in over a TLS connection that was opened for another listener than the one its
 * Host header leads to: the connection's certificate, and what was proven with it, is then not that
 * listener's (RFC 9110, 7.4; Gateway API, GEP-3567). Answered with 421.
 *
 * @param listener what {@link ListenerTable.find} returned for the Host header
 * @param scheme `http` requests have no server name and are never misdirected
 * @param serverName hostname of the listener whose certificate the connection got by SNI (RFC 6066, 3);
 *   `null` for the certificate of the listener without a hostname, which serves clients that sent no SNI,
 *   or a name that nothing else covers
 */
export function isMisdirected(
  listener: ListenerRuntime,
  scheme: 'http' | 'https',
  serverName: string | null,
): boolean {
  return scheme === 'https' && listener.hostname !== serverName;
}
