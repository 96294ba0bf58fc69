/** An HTTP server that does what a test scripts, and remembers what it was asked. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Scope } from './scope.ts';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The head as it came over the wire: request line and header lines. */
  readonly head: string;
  readonly body: string;
  /** Resolves with the `performance.now()` at which the connection was closed before an answer was complete. */
  readonly aborted: Promise<number>;
}

export type Script = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

export interface FakeUpstream {
  readonly port: number;
  /** All requests, in the order in which their bodies were complete. */
  readonly requests: readonly ReceivedRequest[];
  /** How many connections were ever accepted. */
  readonly connections: number;
  /** What to do with requests from now on. */
  script: Script;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

/** Answers with this JSON. */
export function json(value: unknown, status = 200): Script {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
}

/** Begins an event stream; the caller goes on with {@link event}. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
}

/** One server-sent event. */
export function event(data: string): string {
  return `event: message\ndata: ${data}\n\n`;
}

/** The answer to a JSON-RPC request. */
export const ok = { jsonrpc: '2.0', id: 1, result: {} } as const;

export async function startFakeUpstream(
  scope: Scope,
  script: Script = json(ok),
  tls?: { readonly certPem: string; readonly keyPem: string },
): Promise<FakeUpstream> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const aborted = new Promise<number>((resolve) => {
      response.once('close', () => {
        if (!response.writableFinished) resolve(performance.now());
      });
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.once('end', () => {
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        head: headOf(request),
        body: Buffer.concat(chunks).toString('utf8'),
        aborted,
      };
      requests.push(received);
      void upstream.script(received, response);
    });
  };
  const server: Server =
    tls === undefined
      ? createServer({ maxHeaderSize: 256 * 1024 }, listener)
      : createTlsServer({ cert: tls.certPem, key: tls.keyPem }, listener);
  // A gate may keep a connection for as long as it likes.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const upstream: FakeUpstream = {
    port: (server.address() as AddressInfo).port,
    requests,
    script,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  scope.after(() => upstream.close());
  return upstream;
}

function headOf(request: IncomingMessage): string {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    lines.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
  }
  return lines.join('\r\n');
}
