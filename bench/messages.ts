/** What clients send, and what the upstream answers. */

export const TOOL = 'echo';

/** The request of the headline: 110 octets. */
export const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: TOOL, arguments: { message: 'hello from the bench' } },
});

export const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });

/** A call whose body has about this many octets. */
export function callOfBytes(bytes: number): string {
  const message = 'x'.repeat(Math.max(0, bytes - CALL.length));
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: TOOL, arguments: { message } },
  });
}

export const CALL_ANSWER = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text: 'Echo: hello from the bench' }], isError: false },
});

/** A list of tools; the headline's rule allows one of them, and one that lies in the middle. */
export function listAnswer(count: number): string {
  const tools = Array.from({ length: count }, (_, index) => ({
    name: index === count >> 1 ? TOOL : `tool_${index}`,
    description: `Does the thing number ${index} to the argument that it is given`,
    inputSchema: {
      type: 'object',
      properties: { message: { type: 'string', description: 'what to do it to' } },
      required: ['message'],
    },
  }));
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } });
}

/** Headers that MCP clients send with every POST. */
export const CLIENT_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
};

/** What ties requests to a session (MCP 2025-03-26 to 2025-11-25). */
export const SESSION_HEADER = 'mcp-session-id';
