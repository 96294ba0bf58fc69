/** Origins of web pages (RFC 6454; WHATWG Fetch, 3.2) and the patterns of HTTPCORSFilter.allowOrigins. */

/** What a browser sends, apart from `null`: scheme, host and, where it is not the scheme's own, port. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
const WILDCARD = /^([a-z][a-z0-9+.-]*:\/\/)\*(.*)$/;
const HOST_PART = /^[a-z0-9_.-]+$/;
const OWN_PORT = /^(http:\/\/.*):80$|^(https:\/\/.*):443$/;

export interface AllowedOrigins {
  /** True where the list is `*`. */
  readonly any: boolean;
  /** Whether the list has the value of an Origin header, or covers it. Never true for malformed ones. */
  includes(origin: string): boolean;
}

/**
 * Prepares a list of origins.
 *
 * @param patterns `*`; an origin; or an origin whose host starts with `*`, which stands for one or more
 *   characters of a host name, dots included (`https://*.example.com` covers `https://a.b.example.com`,
 *   not `https://example.com`, and no other port). Case does not matter, nor does a scheme's own port.
 *   `null`, the origin of sandboxed pages and local files, is covered by `null` alone and not by `*`.
 */
export function compileAllowedOrigins(patterns: readonly string[]): AllowedOrigins {
  const any = patterns.includes('*');
  const exact = new Set<string>();
  const wildcards: { readonly start: string; readonly end: string }[] = [];
  for (const pattern of patterns) {
    const origin = normaliseOrigin(pattern);
    const [, start, end] = WILDCARD.exec(origin) ?? [];
    if (start !== undefined && end !== undefined) wildcards.push({ start, end });
    else exact.add(origin);
  }
  return {
    any,
    includes(value) {
      // Before it is lower-cased: the Kelvin sign, for one, would become a plain k.
      if (value !== 'null' && !ORIGIN.test(value)) return false;
      const origin = normaliseOrigin(value);
      if (exact.has(origin)) return true;
      if (origin === 'null') return false;
      return any || wildcards.some(({ start, end }) => isBetween(origin, start, end));
    },
  };
}

function isBetween(origin: string, start: string, end: string): boolean {
  if (!origin.startsWith(start) || !origin.endsWith(end)) return false;
  return HOST_PART.test(origin.slice(start.length, origin.length - end.length));
}

function normaliseOrigin(origin: string): string {
  const lower = origin.toLowerCase();
  const [, http, https] = OWN_PORT.exec(lower) ?? [];
  return http ?? https ?? lower;
}
