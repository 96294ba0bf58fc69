import { headerValue, type RequestHead } from '../accept/request-head.ts';
import type { CompiledCors } from './cors.ts';
import { hostnameMatches } from './hostname.ts';

/** Decides which web pages may send requests to a rule (MCP, Streamable HTTP, Security Warning). */
export interface PageGuard {
  /** @returns why the request's page may not, in words for the log; `null` where it may, or no page sent it */
  refuse(head: RequestHead): string | null;
}

export interface PageGuardOptions {
  /** The rule's filter: its origins may. */
  readonly cors: CompiledCors | null;
  /** Hostnames that lead to the rule; empty where any does. */
  readonly hostnames: readonly string[];
  /** Whether the port listens on a loopback address. */
  readonly isLoopback: boolean;
}

interface Origin {
  /** Lower case, without port; IPv6 in brackets. */
  readonly host: string;
  /** With the port, unless it is the scheme's own. */
  readonly authority: string;
}

const ORIGIN = /^(https?):\/\/([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/i;
const LOOPBACK_IPV4 = /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/;
const OWN_PORTS = /:(?:80|443)?$/;

/**
 * Prepares the guard of one rule. Only browsers send `Origin`; requests without one pass.
 *
 * A page may send requests where its origin is one of the CORS filter's; the host and port that the request
 * is for; a host under one of the hostnames that lead here, on any port; or a loopback one, where the port
 * listens on loopback. `null` (sandboxed pages, local files) may only where the CORS filter says so.
 *
 * On a loopback port whose rule has no hostnames a page's request must be for a loopback host, whatever the
 * CORS filter says: a name of somebody's own that leads here (DNS rebinding) makes his page same-origin.
 */
export function createPageGuard({ cors, hostnames, isLoopback }: PageGuardOptions): PageGuard {
  const onlyLoopbackHosts = isLoopback && hostnames.length === 0;
  return {
    refuse(head) {
      const value = headerValue(head.headers, 'origin');
      if (value === undefined) return null;
      if (onlyLoopbackHosts && !isLoopbackHost(head.host)) {
        return 'a web page sent it for a host that is not loopback, as DNS rebinding does';
      }
      if (cors !== null && cors.responseHeaders(head).length > 0) return null;
      const origin = readOrigin(value);
      const isAllowed =
        origin !== null &&
        (origin.authority === head.authority.toLowerCase().replace(OWN_PORTS, '') ||
          hostnames.some((name) => hostnameMatches(name, origin.host)) ||
          (isLoopback && isLoopbackHost(origin.host)));
      return isAllowed ? null : 'the page is of an origin that is not allowed here';
    },
  };
}

/** Whether a host is this machine by its name or address (RFC 6761, 6.3; RFC 1122, 3.2.1.3). */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || LOOPBACK_IPV4.test(host);
}

/** @returns `null` for `null` and all that browsers don't send */
function readOrigin(value: string): Origin | null {
  // Before it is lower-cased: the Kelvin sign, for one, would become a plain k.
  const [, scheme, rawHost, port] = ORIGIN.exec(value) ?? [];
  if (scheme === undefined || rawHost === undefined) return null;
  const host = rawHost.toLowerCase();
  const ownPort = scheme.toLowerCase() === 'https' ? '443' : '80';
  const isShown = port !== undefined && port !== ownPort;
  return { host, authority: isShown ? `${host}:${port}` : host };
}
