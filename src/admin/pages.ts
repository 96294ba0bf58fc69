import type { IncomingHttpHeaders } from 'node:http';
import type { AdminTokenCheck } from './admin-token.ts';

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
  /** Whether the connection came from this machine. */
  readonly fromLoopback: boolean;
}

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'content-type': 'application/json; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const PAGES = ['/healthz/live', '/healthz/ready', '/config', '/status'];

/**
 * Answers a request to the admin port. Health is told to anybody who can connect. Everything else needs the
 * deployment's token; where it has none, the request must come from this machine, and under a name of this
 * machine, so that no web page can read it through a name that it made point here (DNS rebinding).
 *
 * @param hasToken `null` where the deployment has no token
 * @returns 200, or 503 while not ready; 401 without the token (RFC 6750), 403 to other machines, 404 for
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
  if (request.path === '/healthz/ready') {
    const readiness = state.readiness();
    return json(readiness.ready ? 200 : 503, readiness);
  }
  if (hasToken !== null && !hasToken(request.headers.authorization)) {
    const challenge = { 'www-authenticate': 'Bearer realm="postern admin"' };
    return json(401, { error: 'this page needs the admin token as a bearer token' }, challenge);
  }
  if (hasToken === null && !(request.fromLoopback && isLocalName(request.headers.host ?? ''))) {
    return json(403, {
      error:
        'without POSTERN_ADMIN_TOKEN this page is only for this machine, under the name localhost or a loopback address',
    });
  }
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
    headers: { ...HEADERS, ...headers },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}
