import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { SocketAddress } from '../options.ts';

export interface PageServer {
  /** Where it listens: the port the system picked where port 0 was asked for. */
  readonly address: SocketAddress;
  close(): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Serves one of the two side ports (admin, metrics) with bounds on what a caller can hold up.
 *
 * @param name for the error
 * @returns the server, or an Error that names the address where it can't be opened
 */
export function servePages(
  name: string,
  { host, port }: SocketAddress,
  handler: Handler,
): Promise<PageServer | Error> {
  const server: Server = createServer(
    {
      requestTimeout: 10_000,
      headersTimeout: 5_000,
      maxHeaderSize: 16_384,
      keepAliveTimeout: 5_000,
    },
    handler,
  );
  server.maxConnections = 256;
  return new Promise((resolve) => {
    // Also after it was opened, when nobody waits for the answer any more: an accept may fail.
    server.on('error', (error) => {
      resolve(new Error(`cannot open the ${name} port on ${host} port ${port}: ${error.message}`));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
      resolve({
        address: { host, port: boundPort },
        close() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
