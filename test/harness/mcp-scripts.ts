/** The least that an MCP server of each era has to say, as scripts for a fake upstream. */
import { json, type ReceivedRequest, type Script } from './fake-upstream.ts';

export const MODERN_VERSION = '2026-07-28';

export interface ScriptedServer {
  readonly tools: readonly string[];
  /** More capabilities than tools. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  /** Answers what it likes itself, and says whether it did. */
  readonly more?: (request: ReceivedRequest, response: Parameters<Script>[1]) => boolean;
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

function readBody(body: string): Message {
  return body === '' ? {} : (JSON.parse(body) as Message);
}

/** A server with sessions (MCP 2025-11-25) and no stream of its own; it answers a call with the tool's name. */
export function legacyScript({ tools, capabilities = {}, more }: ScriptedServer): Script {
  let sessions = 0;
  return (request, response) => {
    if (more?.(request, response) === true) return;
    const { id, method, params } = readBody(request.body);
    if (request.method !== 'POST') {
      response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
    } else if (method === 'server/discover') {
      const error = { code: -32000, message: 'Bad Request: not initialized' };
      json({ jsonrpc: '2.0', id: null, error }, 400)(request, response);
    } else if (id === undefined) {
      response.writeHead(202).end();
    } else {
      if (method === 'initialize')
        response.setHeader('mcp-session-id', `session-${(sessions += 1)}`);
      const introduction = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {}, ...capabilities },
        serverInfo: { name: 'legacy', version: '1' },
      };
      const result = method === 'initialize' ? introduction : resultOf(method, params, tools);
      json({ jsonrpc: '2.0', id, result })(request, response);
    }
  };
}

/** A server without sessions (MCP 2026-07-28) that knows no `initialize`; it answers a call with the tool's name. */
export function modernScript({ tools, capabilities = {}, more }: ScriptedServer): Script {
  return (request, response) => {
    if (more?.(request, response) === true) return;
    const { id, method, params } = readBody(request.body);
    if (request.method !== 'POST') {
      response.writeHead(405).end();
    } else if (method === 'initialize') {
      const error = { code: -32601, message: 'Method not found' };
      json({ jsonrpc: '2.0', id, error }, 404)(request, response);
    } else {
      const introduction = {
        supportedVersions: [MODERN_VERSION],
        capabilities: { tools: {}, ...capabilities },
      };
      const said = method === 'server/discover' ? introduction : resultOf(method, params, tools);
      const result = { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...said };
      json({ jsonrpc: '2.0', id, result })(request, response);
    }
  };
}

function resultOf(
  method: string | undefined,
  params: Message['params'],
  tools: readonly string[],
): object {
  if (method === 'tools/list') {
    return { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) };
  }
  return method === 'tools/call'
    ? { content: [{ type: 'text', text: `called ${params?.name ?? ''}` }] }
    : {};
}

/** A request of a modern client, and the header fields that repeat it. */
export function modernRequest(
  id: number,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
): { readonly message: object; readonly headers: Readonly<Record<string, string>> } {
  const { name } = params;
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  };
  return {
    message: { jsonrpc: '2.0', id, method, params: { ...params, _meta } },
    headers: {
      'mcp-protocol-version': MODERN_VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
  };
}
