/**
 * An MCP server with the names that the conformance suite asks for, on 127.0.0.1: legacy clients get sessions
 * whose streams can be resumed, modern ones are served request by request.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { classifyInboundRequest, createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import type { Scope } from '../../harness/scope.ts';
import { MemoryEventStore } from './event-store.ts';
import { addInputTools, stateCodec } from './input-tools.ts';
import { addPrompts } from './prompts.ts';
import { addResources } from './resources.ts';
import { addTasks, addTools, type ChangeNotifier } from './tools.ts';

const publicHint = { ttlMs: 60_000, cacheScope: 'public' } as const;

function createMcpServer(era: 'legacy' | 'modern', changes: ChangeNotifier): McpServer {
  const server = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        logging: {},
        completions: {},
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
      },
      cacheHints: {
        'tools/list': publicHint,
        'prompts/list': publicHint,
        'resources/list': publicHint,
        'resources/templates/list': publicHint,
      },
      requestState: { verify: (state, context) => stateCodec.verify(state, context) },
    },
  );
  addTools(server, changes);
  addInputTools(server);
  if (era === 'modern') addTasks(server);
  addPrompts(server);
  addResources(server);
  return server;
}

/** @returns the URL of its MCP endpoint */
export async function startConformanceServer(scope: Scope): Promise<string> {
  const modern = createMcpHandler(
    (): McpServer =>
      createMcpServer('modern', {
        toolsChanged: () => modern.notify.toolsChanged(),
        promptsChanged: () => modern.notify.promptsChanged(),
      }),
    { legacy: 'reject' },
  );
  const serveModern = toNodeHandler(modern);
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();

  async function openSession(): Promise<NodeStreamableHTTPServerTransport> {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new MemoryEventStore(),
      retryInterval: 50,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const server: McpServer = createMcpServer('legacy', {
      toolsChanged: () => server.sendToolListChanged(),
      promptsChanged: () => server.sendPromptListChanged(),
    });
    await server.connect(transport);
    return transport;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const body = parse(text);
    if (isModern(request, body)) {
      await serveModern(request as Parameters<typeof serveModern>[0], response, body);
      return;
    }
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (id !== undefined && known === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}',
      );
      return;
    }
    await (known ?? (await openSession())).handleRequest(request, response, body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(async () => {
    await modern.close();
    for (const transport of sessions.values()) await transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

/** Whatever does not belong to a session goes to the modern side, with its refusals. */
function isModern(request: IncomingMessage, body: unknown): boolean {
  if (request.method !== 'POST' || body === undefined) return false;
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const version = header('mcp-protocol-version');
  const method = header('mcp-method');
  const name = header('mcp-name');
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
  });
  return outcome.kind !== 'legacy';
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
