/**
 * Servers of both generations of the official SDK that guard nothing: whoever asks for the tool, prompt or resource
 * `secret` gets it, and that is counted. Generation 1 serves with a session and without one, to whoever asks.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  McpServer as Server2,
  ResourceTemplate as Template2,
} from '@modelcontextprotocol/server';
import {
  McpServer as Server1,
  ResourceTemplate as Template1,
} from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CompleteRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Scope } from '../harness/scope.ts';

/** Stands in every answer that tells or lists what is secret, and in no other. */
export const LOOT = 'VAULT-CONTENT';

export interface VaultServer {
  readonly port: number;
  /** How often something secret was done or told. */
  readonly executions: number;
}

/** What a session was opened with is gone when it ends; a test ends before that. */
const capabilities = {
  tools: {},
  prompts: {},
  resources: { subscribe: true },
  completions: {},
} as const;

/** Fills either server; both classes have the same methods, but their overloads cannot be told at once. */
function furnish(
  server: Server1 | Server2,
  Template: typeof Template1 | typeof Template2,
  count: () => void,
): void {
  const target = server as Server2;
  const loot = () => {
    count();
    return LOOT;
  };
  const template = (pattern: string) =>
    new (Template as typeof Template2)(pattern, { list: undefined });
  const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
  const prompted = (text: string) => ({
    messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }],
  });
  const open = { description: 'open to some' };
  const closed = { description: LOOT };
  target.registerTool('echo', open, () => said('echoed'));
  target.registerTool('secret', closed, () => said(loot()));
  target.registerPrompt('greet', open, () => prompted('greeted'));
  target.registerPrompt('secret', closed, () => prompted(loot()));
  target.registerResource('open', 'test://open', open, ({ href }) => ({
    contents: [{ uri: href, text: 'opened' }],
  }));
  target.registerResource('closed', 'test://secret/x', closed, ({ href }) => ({
    contents: [{ uri: href, text: loot() }],
  }));
  target.registerResource('open-many', template('test://open/{id}'), open, ({ href }) => ({
    contents: [{ uri: href, text: 'opened' }],
  }));
  target.registerResource('closed-many', template('test://secret/{id}'), closed, ({ href }) => ({
    contents: [{ uri: href, text: loot() }],
  }));
}

const isSecret = (what: unknown) => JSON.stringify(what).includes('secret');

/** Generation 2: both eras, without sessions. */
export async function startVault2(scope: Scope): Promise<VaultServer> {
  let executions = 0;
  const count = (): void => void (executions += 1);
  const handler = createMcpHandler(() => {
    const server = new Server2({ name: 'vault', version: '1.0.0' }, { capabilities });
    furnish(server, Template2, count);
    server.server.setRequestHandler('completion/complete', ({ params }) => {
      if (isSecret(params.ref)) count();
      return { completion: { values: [isSecret(params.ref) ? LOOT : 'completed'] } };
    });
    server.server.setRequestHandler('resources/subscribe', ({ params }) => {
      if (isSecret(params.uri)) count();
      return {};
    });
    server.server.setRequestHandler('resources/unsubscribe', () => ({}));
    return server;
  });
  const listener = toNodeHandler(handler);
  scope.after(() => handler.close());
  const port = await listen(scope, (request, response) => {
    // The SDK's type of a request does not allow for exactOptionalPropertyTypes.
    void listener(request as Parameters<typeof listener>[0], response);
  });
  return {
    port,
    get executions() {
      return executions;
    },
  };
}

/** Generation 1: legacy alone. */
export async function startVault1(scope: Scope): Promise<VaultServer> {
  let executions = 0;
  const count = (): void => void (executions += 1);
  const sessions = new Map<string, StreamableHTTPServerTransport>();

  async function open(isSession: boolean): Promise<StreamableHTTPServerTransport> {
    const server = new Server1({ name: 'vault', version: '1.0.0' }, { capabilities });
    furnish(server, Template1, count);
    server.server.setRequestHandler(CompleteRequestSchema, ({ params }) => {
      if (isSecret(params.ref)) count();
      return { completion: { values: [isSecret(params.ref) ? LOOT : 'completed'] } };
    });
    server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      if (isSecret(params.uri)) count();
      return {};
    });
    server.server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport(
      isSession
        ? {
            sessionIdGenerator: () => randomUUID(),
            onsessioninitialized: (id) => void sessions.set(id, transport),
          }
        : {},
    );
    // The transport's own type does not allow for exactOptionalPropertyTypes.
    await server.connect(transport);
    return transport;
  }

  const port = await listen(scope, (request, response) => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (id !== undefined && known === undefined) {
      response.writeHead(404).end();
      return;
    }
    // Whoever means to begin a session says so; the header is the test's own.
    const asked = request.headers['x-open-session'] !== undefined;
    Promise.resolve(known ?? open(asked))
      .then((transport) => transport.handleRequest(request, response))
      .catch(() => response.destroy());
  });
  return {
    port,
    get executions() {
      return executions;
    },
  };
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
