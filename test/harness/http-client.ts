/** An HTTP client that hides nothing: one connection a request, raw header list, no redirects. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Agent } from 'node:http';

export interface RequestOptions {
  readonly port: number;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Present: HTTPS, with this server name (SNI) and these authorities. */
  readonly tls?: { readonly serverName: string; readonly ca: string };
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A request whose answer's head has arrived; the body is for the caller to read. */
export interface OpenAnswer {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

/** Sends a request and resolves as soon as the head of the answer is there. */
export function open(options: RequestOptions): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const request = begin(options);
    request.once('error', reject);
    request.once('response', (response) => {
      request.off('error', reject);
      request.on('error', () => undefined);
      resolve({ request, response });
    });
    request.end(options.body);
  });
}

/** Creates a request without sending its body. */
export function begin(options: RequestOptions): ClientRequest {
  const headers: Record<string, string | readonly string[]> = { ...options.headers };
  if (options.body !== undefined && headers['transfer-encoding'] === undefined)
    headers['content-length'] = String(Buffer.byteLength(options.body));
  const common = {
    host: '127.0.0.1',
    port: options.port,
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    path: options.path ?? '/mcp',
    headers: headers as Record<string, string | string[]>,
    agent: options.agent ?? false,
  };
  if (options.tls === undefined) return httpRequest(common);
  const tls: SecureContextOptions & { servername: string } = {
    ca: options.tls.ca,
    servername: options.tls.serverName,
  };
  return httpsRequest({ ...common, ...tls, agent: false });
}

/** Sends a request and reads the whole answer. */
export async function send(options: RequestOptions): Promise<Answer> {
  const { response } = await open(options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

/** `send` for an MCP message: the headers that the transport demands, and a bearer token if given. */
export function sendMcp(
  port: number,
  message: unknown,
  options: Partial<RequestOptions> & { readonly token?: string } = {},
): Promise<Answer> {
  return send({
    port,
    ...options,
    body: JSON.stringify(message),
    headers: { ...mcpHeaders(options.token), ...options.headers },
  });
}

export function mcpHeaders(token?: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

/** The first message of a legacy MCP session. */
export const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
} as const;

/** A message that fake upstreams answer; real ones would want a session first. */
export const ping = { jsonrpc: '2.0', id: 1, method: 'ping' } as const;

/**
 * Writes octets as they are and returns all that comes back until the other side closes or is silent for
 * `idleMs`.
 */
export function sendRaw(port: number, octets: string | Uint8Array, idleMs = 500): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(octets));
    let received = '';
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    socket.once('error', (error) => {
      if (received === '' && (error as NodeJS.ErrnoException).code !== 'ECONNRESET') reject(error);
    });
    socket.once('close', () => resolve(received));
  });
}
