/** Hostnames of listeners and routes: which hosts they cover, and which one wins. */

/**
 * Whether a hostname of a listener or a route covers a host (Gateway API, Hostname).
 *
 * @param pattern lower case: an exact name; `*.suffix`, which covers one or more labels before the suffix
 *   but not the suffix itself; or `null` for any host
 * @param host as `normaliseHost` returns it
 */
export function hostnameMatches(pattern: string | null, host: string): boolean {
  if (pattern === null) return true;
  if (!pattern.startsWith('*.')) return pattern === host;
  return host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/**
 * Orders hostnames for sorting, the most specific first: exact ones before wildcards, wildcards before
 * any host, and the longer first (Gateway API, HTTPRoute hostnames).
 *
 * @returns below 0 where `a` is the more specific, 0 where they are equally so
 */
export function compareSpecificity(a: string | null, b: string | null): number {
  const rank = (pattern: string | null): number =>
    pattern === null ? 2 : pattern.startsWith('*.') ? 1 : 0;
  return rank(a) - rank(b) || (b?.length ?? 0) - (a?.length ?? 0);
}

export interface HostnameIndex<T> {
  /** The value of the most specific hostname that covers the host, or `undefined`. */
  find(host: string): T | undefined;
}

/**
 * Prepares the search for the most specific hostname: one look into a map, and one for each label
 * of the host where wildcards exist.
 *
 * @param values by hostname, lower case; the key `null` covers any host
 */
export function createHostnameIndex<T>(values: ReadonlyMap<string | null, T>): HostnameIndex<T> {
  const exact = new Map<string, T>();
  const bySuffix = new Map<string, T>();
  for (const [pattern, value] of values) {
    if (pattern?.startsWith('*.')) bySuffix.set(pattern.slice(1), value);
    else if (pattern !== null) exact.set(pattern, value);
  }
  const anyHost = values.get(null);
  return {
    find(host) {
      const found = exact.size === 0 ? undefined : exact.get(host);
      if (found !== undefined) return found;
      if (bySuffix.size > 0) {
        for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
          const value = bySuffix.get(host.slice(dot));
          if (value !== undefined) return value;
        }
      }
      return anyHost;
    },
  };
}
