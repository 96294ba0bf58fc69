/**
 * Servers of the official SDKs for federations: one of generation 1 with sessions and many pages of tools, which can
 * be killed and started again on its port; and one of generation 2, for both eras or for the modern one alone.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { McpServer as Sdk1Server } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema,
  isInitializeRequest,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Scope } from '../harness/scope.ts';

export interface Restartable {
  readonly port: number;
  /** Closes the port and cuts every connection; all sessions are lost. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

export interface RestartableServer extends Restartable {
  /** How many sessions were opened since the first start. */
  readonly sessions: number;
}

/**
 * Generation 1, with sessions: `toolCount` tools named `tool-0`, `tool-1`, in pages of `pageSize`. Each answers with
 * its name and the arguments.
 */
export async function startPagedServer(
  scope: Scope,
  toolCount: number,
  pageSize: number,
): Promise<RestartableServer> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  let sessions = 0;

  const createSession = async (): Promise<StreamableHTTPServerTransport> => {
    const server = new Sdk1Server(
      { name: 'paged', version: '1.0.0' },
      { capabilities: { tools: { listChanged: true } }, instructions: 'Has many tools.' },
    );
    server.server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
      const start = Number(params?.cursor ?? 0);
      const end = Math.min(start + pageSize, toolCount);
      const tools = Array.from({ length: end - start }, (_, index) => ({
        name: `tool-${start + index}`,
        inputSchema: { type: 'object' as const },
      }));
      return end < toolCount ? { tools, nextCursor: String(end) } : { tools };
    });
    server.server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
      content: [{ type: 'text', text: `${params.name} ${JSON.stringify(params.arguments ?? {})}` }],
    }));
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => {
        sessions += 1;
        transports.set(id, transport);
      },
    });
    await server.connect(transport);
    return transport;
  };

  const http = (): Server =>
    createServer((request, response) => {
      void (async () => {
        const body = await readJsonBody(request);
        const id = request.headers['mcp-session-id'];
        const known = typeof id === 'string' ? transports.get(id) : undefined;
        if (known === undefined && !isInitializeRequest(body)) {
          response.writeHead(404, { 'content-type': 'application/json' });
          const error = { code: -32001, message: 'Session not found' };
          response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
          return;
        }
        const transport = known ?? (await createSession());
        await transport.handleRequest(request, response, body);
      })();
    });

  const server = await restartable(scope, http, () => transports.clear());
  return {
    port: server.port,
    get sessions() {
      return sessions;
    },
    kill: () => server.kill(),
    start: () => server.start(),
  };
}

/** Generation 2, stateless: tools `greet` and `secret`, and the resource `test://open`. */
export async function startSdk2Server(
  scope: Scope,
  options: { readonly modernOnly: boolean },
): Promise<Restartable> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'sdk2', version: '1.0.0' }, { instructions: 'Greets.' });
      const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] });
      server.registerTool('greet', {}, () => text('hello from generation 2'));
      server.registerTool('secret', {}, () => text('SECRET'));
      server.registerTool('ask', {}, (context) => {
        const { action, content } =
          (context.mcpReq.inputResponses?.who as Record<string, unknown> | undefined) ?? {};
        if (action === 'accept') return text(`you are ${JSON.stringify(content)}`);
        const requestedSchema = {
          type: 'object',
          properties: { name: { type: 'string' } },
        } as const;
        return inputRequired({
          inputRequests: {
            who: inputRequired.elicit({ message: 'Who are you?', requestedSchema }),
          },
        });
      });
      server.registerResource('open', 'test://open', {}, (uri) => ({
        contents: [{ uri: uri.href, text: 'open' }],
      }));
      return server;
    },
    options.modernOnly ? { legacy: 'reject' } : {},
  );
  scope.after(() => handler.close());
  const listener = toNodeHandler(handler);
  const http = (): Server =>
    createServer((request, response) => {
      // The SDK's type of a request does not allow for exactOptionalPropertyTypes.
      void listener(request as Parameters<typeof listener>[0], response);
    });
  return restartable(scope, http, () => undefined);
}

/** @param forget loses what the server remembers */
async function restartable(
  scope: Scope,
  http: () => Server,
  forget: () => void,
): Promise<Restartable> {
  let running = await listen(http(), 0);
  const port = (running.address() as AddressInfo).port;
  const kill = async (): Promise<void> => {
    forget();
    if (!running.listening) return;
    const closed = new Promise((resolve) => running.close(resolve));
    running.closeAllConnections();
    await closed;
  };
  scope.after(kill);
  return {
    port,
    kill,
    async start() {
      running = await listen(http(), port);
    },
  };
}

function listen(server: Server, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
