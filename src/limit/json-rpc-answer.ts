import type { McpMessage } from '../mcp/message.ts';

/** HTTP's own code; JSON-RPC leaves all outside -32768 to -32000 to the application. */
const TOO_MANY_REQUESTS = 429;

/**
 * The body of a 429 to an MCP message: a JSON-RPC error, with the request's id where the message is one.
 *
 * @param message `null` where the body was not read: then `null` is returned, and the catalogue's text stands
 */
export function jsonRpcAnswer(
  message: McpMessage | null,
  text: string,
): { readonly contentType: string; readonly body: string } | null {
  if (message === null) return null;
  const error = { code: TOO_MANY_REQUESTS, message: text };
  const id = message.kind === 'request' ? { id: message.id } : {};
  const body = JSON.stringify({ jsonrpc: '2.0', ...id, error });
  return { contentType: 'application/json', body };
}
