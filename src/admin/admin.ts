import type { SocketAddress } from '../options.ts';
import type { AdminTokenCheck } from './admin-token.ts';
import { servePages, type PageServer } from './http-server.ts';
import { PAGE_HEADERS } from './page-headers.ts';
import { answerAdmin, type AdminState } from './pages.ts';

/**
 * Opens the admin port.
 *
 * @param hasToken `null` where the deployment has no token
 * @returns the server, or an Error where the address can't be opened
 */
export function serveAdmin(
  address: SocketAddress,
  state: AdminState,
  hasToken: AdminTokenCheck | null,
): Promise<PageServer | Error> {
  const onLoopback = isLoopback(address.host);
  return servePages('admin', address, (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    const answer = answerAdmin(
      {
        method: request.method ?? '',
        path,
        headers: request.headers,
        overLoopback: onLoopback && isLoopback(request.socket.remoteAddress ?? ''),
      },
      state,
      hasToken,
    );
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
}

/**
 * Opens the metrics port. It asks for no token, as scrapers expect: the page holds numbers under names of the
 * configuration, and nothing that a client sent. It is a port of its own so that it can be opened to a scraper
 * while the admin port stays closed.
 *
 * @param text makes the page in the Prometheus exposition format; its failure is answered with 503
 * @returns the server, or an Error where the address can't be opened
 */
export function serveMetrics(
  address: SocketAddress,
  text: () => Promise<{ readonly contentType: string; readonly body: string }>,
): Promise<PageServer | Error> {
  return servePages('metrics', address, (request, response) => {
    const [path] = (request.url ?? '/').split('?');
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, PLAIN).end('see /metrics\n');
      return;
    }
    text().then(
      ({ contentType, body }) => {
        response.writeHead(200, { ...PAGE_HEADERS, 'content-type': contentType }).end(body);
      },
      () => {
        response.writeHead(503, PLAIN).end('metrics are not available\n');
      },
    );
  });
}

const PLAIN = { ...PAGE_HEADERS, 'content-type': 'text/plain' };

/** @param address of either family; an IPv4 address in IPv6 notation too */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
