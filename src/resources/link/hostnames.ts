/**
 * Which of a route's hostnames a listener serves (Gateway API, HTTPRoute.spec.hostnames). A wildcard
 * stands for one or more whole labels: `*.example.com` covers `a.example.com` and `a.b.example.com`,
 * but not `example.com`.
 */

/**
 * Narrows a route's hostnames to a listener's hostname.
 *
 * @param listenerHostname exact name, `*.suffix`, or `null` for any
 * @param routeHostnames the same forms; empty for any
 * @returns lower-case names, empty for any; `null` where listener and route have nothing in common
 */
export function intersectHostnames(
  listenerHostname: string | null,
  routeHostnames: readonly string[],
): readonly string[] | null {
  const listener = listenerHostname === null ? null : canonical(listenerHostname);
  if (routeHostnames.length === 0) return listener === null ? [] : [listener];

  const common = new Set<string>();
  for (const routeHostname of routeHostnames) {
    const route = canonical(routeHostname);
    const both = listener === null ? route : intersection(listener, route);
    if (both !== null) common.add(both);
  }
  return common.size === 0 ? null : [...common];
}

/** Whether a hostname, exact or a wildcard, lies within another one. Both are lower case. */
export function coversHostname(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  return outer.startsWith('*.') && inner.endsWith(outer.slice(1)) && inner.length >= outer.length;
}

function intersection(one: string, other: string): string | null {
  if (coversHostname(one, other)) return other;
  if (coversHostname(other, one)) return one;
  return null;
}

function canonical(hostname: string): string {
  return hostname.toLowerCase();
}
