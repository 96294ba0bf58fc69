/** The servers of {@link furnish} on 127.0.0.1, each kept as its SDK keeps it. */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { McpServer as Sdk1Server } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Scope } from '../harness/scope.ts';
import { furnish } from './sdk-servers.ts';

/** Generation 2: both eras, without sessions. @returns its port; the path is any */
export async function startSdk2SecretServer(scope: Scope): Promise<number> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'sdk2', version: '1.0.0' });
    furnish(server);
    return server;
  });
  scope.after(() => handler.close());
  const listener = toNodeHandler(handler);
  return listen(scope, (request, response) => {
    // The SDK's type of a request does not allow for exactOptionalPropertyTypes.
    void listener(request as Parameters<typeof listener>[0], response);
  });
}

/** Generation 1: legacy, one session after the other. @returns its port; the path is any */
export async function startSdk1SecretServer(
  scope: Scope,
  enableJsonResponse: boolean,
): Promise<number> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return listen(scope, (request, response) => {
    const known = transports.get(String(request.headers['mcp-session-id']));
    if (known !== undefined) {
      void known.handleRequest(request, response);
      return;
    }
    const server = new Sdk1Server({ name: 'sdk1', version: '1.0.0' });
    furnish(server);
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse,
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    scope.after(() => server.close());
    void server
      .connect(transport as Parameters<typeof server.connect>[0])
      .then(() => transport.handleRequest(request, response));
  });
}

async function listen(scope: Scope, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
