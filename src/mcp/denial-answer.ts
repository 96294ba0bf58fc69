import { jsonAnswer, type RenderedAnswer } from './fault.ts';
import type { McpMessage, McpObject, McpRequest } from './message.ts';

/**
 * How a policy's denial looks to the client:
 * - `hide`: as what it asked for looks where it does not exist: the upstream is asked for a name that nothing has;
 * - `unknown`: much the same in words of our own, and the upstream is not asked;
 * - `forbidden`: HTTP 403, for all to see;
 * - `tool_error`: a tool's own failure, which a model reads. For tools alone; the rest is forbidden.
 */
export type OnDeny = 'hide' | 'unknown' | 'forbidden' | 'tool_error';

/** HTTP's own code; JSON-RPC leaves all outside -32768 to -32000 to the application. */
const FORBIDDEN = 403;
const INVALID_PARAMS = -32602;
const METHOD_NOT_FOUND = -32601;

/**
 * The answer to a message that a policy denied. Notifications and client responses have no answer in JSON-RPC:
 * they get HTTP 403 and an error without an id, whatever the mode.
 *
 * `unknown` words it as the official SDK servers do (HTTP 200, -32602), but for tools, where it is
 * `Unknown tool: NAME`; servers differ in words, framing and headers. `hide` says the same where the upstream
 * can't be asked: for a method nobody knows, a list of resources, a name too long to be hidden.
 */
export function denialAnswer(message: McpMessage, onDeny: OnDeny): RenderedAnswer {
  if (message.kind !== 'request') {
    const error = { code: FORBIDDEN, message: 'Forbidden: denied by policy' };
    return jsonAnswer(403, { jsonrpc: '2.0', error });
  }
  if (onDeny === 'hide' || onDeny === 'unknown') return hidden(message);
  const text = forbiddenText(message);
  if (onDeny === 'tool_error' && message.object?.type === 'tool') return toolError(message, text);
  return errorAnswer(403, message, { code: FORBIDDEN, message: text });
}

function hidden(request: McpRequest): RenderedAnswer {
  if (request.object === null) {
    // The modern revision asks for 404 here (MCP 2026-07-28, Streamable HTTP); legacy clients take it for the
    // end of their session.
    const status = request.era === 'modern' ? 404 : 200;
    return errorAnswer(status, request, { code: METHOD_NOT_FOUND, message: 'Method not found' });
  }
  return errorAnswer(200, request, { code: INVALID_PARAMS, ...notFound(request.object) });
}

function notFound(object: McpObject): { readonly message: string; readonly data?: object } {
  switch (object.type) {
    case 'tool':
      return { message: `Unknown tool: ${object.name}` };
    case 'prompt':
      return { message: `Prompt ${object.name} not found` };
    case 'resource':
      return { message: `Resource not found: ${object.uri}`, data: { uri: object.uri } };
    case 'resources':
      return { message: 'Resource not found' };
    case 'completion':
      return object.ref.type === 'prompt'
        ? { message: `Prompt ${object.ref.name} not found` }
        : { message: `Resource template ${object.ref.uri} not found` };
    case 'task':
      return { message: 'Task not found' };
  }
}

function toolError(request: McpRequest, text: string): RenderedAnswer {
  const result = { content: [{ type: 'text', text }], isError: true };
  return jsonAnswer(200, {
    jsonrpc: '2.0',
    id: request.id,
    result: request.era === 'modern' ? { ...result, resultType: 'complete' } : result,
  });
}

function forbiddenText({ method, object }: McpRequest): string {
  const name = object === null ? null : displayName(object);
  const subject = name === null ? method : `${method} '${name}'`;
  return `Forbidden: policy denied ${subject}`;
}

function displayName(object: McpObject): string | null {
  switch (object.type) {
    case 'tool':
    case 'prompt':
      return object.name;
    case 'resource':
      return object.uri;
    case 'task':
    case 'resources':
    case 'completion':
      return null;
  }
}

function errorAnswer(status: number, { id }: McpRequest, error: object): RenderedAnswer {
  return jsonAnswer(status, { jsonrpc: '2.0', id, error });
}
