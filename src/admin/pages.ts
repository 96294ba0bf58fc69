import type { IncomingHttpHeaders } from 'node:http';
import type { AdminTokenCheck } from './admin-token.ts';
import { PAGE_HEADERS } from './page-headers.ts';

/** What the admin pages show; each function is asked when its page is. */
export interface AdminState {
  readonly readiness: () => Readiness;
  /** The plan in force without its secrets. */
  readonly config: () => unknown;
  /** Conditions of every resource, workers, key sets, the last reload. */
  readonly status: () => unknown;
}

export interface Readiness {
  readonly ready: boolean;
  /** What is missing, or worth knowing, one sentence each. */
  readonly details: readonly string[];
}

export interface AdminRequest {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether the connection came from this machine, to a port that only this machine can reach. */
  readonly overLoopback: boolean;
}

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const PAGES = ['/healthz/live', '/healthz/ready', '/config', '/status'];

/**
 * Answers a request to the admin port.
 *
 * Whoever can connect is told whether the process lives and whether it is ready, a yes or no: the kubelet probes
 * the address of the pod, over the network, and can hold no secret that a manifest does not show. Why it is not
 * ready names resources, and is told like everything else: to whoever has the deployment's token. Where there is
 * no token, it is told to this machine, if the port is open on a loopback address (on another one a proxy or a
 * port mapping can make a stranger look local), and under a name of this machine, so that no web page can read it
 * through a name that it made point here (DNS rebinding).
 *
 * @param hasToken `null` where the deployment has no token
 * @returns 200, or 503 while not ready; 401 without the token (RFC 6750), 403 to others than this machine, 404 for
 *   other paths, 405 for other methods
 */
export function answerAdmin(
  request: AdminRequest,
  state: AdminState,
  hasToken: AdminTokenCheck | null,
): AdminAnswer {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return json(405, { error: 'only GET and HEAD are answered here' }, { allow: 'GET, HEAD' });
  }
  if (request.path === '/healthz/live') return json(200, { live: true });
  const mayRead = hasToken === null ? isLocal(request) : hasToken(request.headers.authorization);
  if (request.path === '/healthz/ready') {
    const readiness = state.readiness();
    const { ready } = readiness;
    return json(ready ? 200 : 503, mayRead ? readiness : { ready });
  }
  if (!mayRead) return hasToken === null ? forbidden() : unauthorized();
  switch (request.path) {
    case '/config':
      return json(200, state.config());
    case '/status':
      return json(200, state.status());
    case '/':
      return json(200, { pages: PAGES });
    default:
      return json(404, { error: 'no such page', pages: PAGES });
  }
}

function unauthorized(): AdminAnswer {
  const challenge = { 'www-authenticate': 'Bearer realm="postern admin"' };
  return json(401, { error: 'this page needs the admin token as a bearer token' }, challenge);
}

function forbidden(): AdminAnswer {
  return json(403, {
    error:
      'without POSTERN_ADMIN_TOKEN this page is only for this machine, on a loopback address, under the name localhost or that address',
  });
}

function isLocal({ overLoopback, headers }: AdminRequest): boolean {
  return overLoopback && isLocalName(headers.host ?? '');
}

/** @param authority of the Host header */
function isLocalName(authority: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(authority);
}

function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): AdminAnswer {
  return {
    status,
    headers: { ...PAGE_HEADERS, 'content-type': 'application/json; charset=utf-8', ...headers },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}
