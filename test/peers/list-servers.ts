/**
 * Servers of the official SDKs on 127.0.0.1 that have lists: generation 2, both eras and stateless; and
 * generation 1, with sessions, whose tools/list waits until it is told to answer.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { McpServer as Sdk1Server } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Scope } from '../harness/scope.ts';

const tools = ['echo', 'secret', 'sum'].map((name) => ({
  name,
  description: `The tool ${name}`,
  inputSchema: { type: 'object' as const },
}));

/** @returns the URL of its MCP endpoint */
export async function startSdk2ListServer(scope: Scope): Promise<string> {
  const publicHint = { ttlMs: 60_000, cacheScope: 'public' } as const;
  const handler = createMcpHandler(() => {
    const mcpServer = new McpServer(
      { name: 'lists', version: '1.0.0' },
      {
        capabilities: { tools: {}, prompts: {}, resources: {} },
        cacheHints: {
          'tools/list': publicHint,
          'prompts/list': publicHint,
          'resources/list': publicHint,
          'resources/templates/list': publicHint,
        },
      },
    );
    const { server } = mcpServer;
    server.setRequestHandler('tools/list', () => ({ tools, nextCursor: 'page-2' }));
    server.setRequestHandler('prompts/list', () => ({
      prompts: [{ name: 'greet' }, { name: 'secret' }],
    }));
    server.setRequestHandler('resources/list', () => ({
      resources: [
        { name: 'open', uri: 'test://open' },
        { name: 'closed', uri: 'test://secret' },
      ],
    }));
    server.setRequestHandler('resources/templates/list', () => ({
      resourceTemplates: [
        { name: 'open', uriTemplate: 'test://open/{id}' },
        { name: 'closed', uriTemplate: 'test://secret/{id}' },
      ],
    }));
    return mcpServer;
  });
  const listener = toNodeHandler(handler);
  scope.after(() => handler.close());
  return listen(scope, (request, response) => {
    // The SDK's type of a request does not allow for exactOptionalPropertyTypes.
    void listener(request as Parameters<typeof listener>[0], response);
  });
}

/** A session of {@link startSlowSdk1Server}, and the means to let its tools/list go on. */
export interface SlowSdk1Server {
  readonly url: string;
  /** Resolves once tools/list has been asked for. */
  readonly listAsked: Promise<void>;
  /** Resolves once tools/call has been asked for; it is never answered. */
  readonly callAsked: Promise<void>;
  answerList(): void;
}

export async function startSlowSdk1Server(
  scope: Scope,
  enableJsonResponse: boolean,
): Promise<SlowSdk1Server> {
  let tellAsked = (): void => undefined;
  let tellCalled = (): void => undefined;
  let answerList = (): void => undefined;
  const listAsked = new Promise<void>((resolve) => (tellAsked = resolve));
  const callAsked = new Promise<void>((resolve) => (tellCalled = resolve));
  const mayAnswer = new Promise<void>((resolve) => (answerList = resolve));
  const server = new Sdk1Server(
    { name: 'slow', version: '1.0.0' },
    { capabilities: { tools: {} } },
  );
  server.server.setRequestHandler(ListToolsRequestSchema, async () => {
    tellAsked();
    await mayAnswer;
    return { tools };
  });
  server.server.setRequestHandler(CallToolRequestSchema, () => {
    tellCalled();
    return new Promise(() => undefined);
  });
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    enableJsonResponse,
  });
  await server.connect(transport);
  scope.after(() => server.close());
  const url = await listen(scope, (request, response) => {
    void transport.handleRequest(request, response);
  });
  return { url, listAsked, callAsked, answerList: () => answerList() };
}

async function listen(scope: Scope, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}
