/**
 * The servers of both generations of the MCP TypeScript SDK, called without a socket: what they make of a
 * request is the measure of what the gate makes of it.
 */
import { classifyInboundRequest, createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';

export type Serve = (
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
) => Promise<Response>;

/** How generation 2 sorts a request: the function that its server itself begins with. */
export function classify(headers: Readonly<Record<string, string>>, body: unknown) {
  const version = headers['mcp-protocol-version'];
  const method = headers['mcp-method'];
  const name = headers['mcp-name'];
  return classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
  });
}

/** What both have: `echo`, and `secret` and `test://secret/x` whose answers say SECRET. */
export function furnish(server: McpServer | McpServer1): void {
  const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] });
  // Both classes have the same methods; their overloads cannot be told to the compiler at once.
  const target = server as McpServer;
  target.registerTool('echo', {}, () => text('hello'));
  target.registerTool('secret', {}, () => text('SECRET'));
  target.registerPrompt('greet', {}, () => ({ messages: [] }));
  target.registerPrompt('secret', {}, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'SECRET' } }],
  }));
  target.registerResource('open', 'test://open', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'open' }],
  }));
  target.registerResource('secret', 'test://secret/x', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'SECRET' }],
  }));
}

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'sdk2', version: '1.0.0' });
  furnish(server);
  return server;
});

/** Generation 2: both eras, without sessions. */
export const sdk2: Serve = (headers, body) => handler.fetch(post(headers, body));

/** Generation 1: legacy, without sessions. */
export const sdk1: Serve = async (headers, body) => {
  const server = new McpServer1({ name: 'sdk1', version: '1.0.0' });
  furnish(server);
  const transport = new WebStandardStreamableHTTPServerTransport({});
  await server.connect(transport);
  return transport.handleRequest(post(headers, body));
};

function post(headers: Readonly<Record<string, string>>, body: Uint8Array): Request {
  return new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: Buffer.from(body),
  });
}
