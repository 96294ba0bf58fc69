/** The closed lists of what labels of MCP metrics may say. */

/** How a request ended, see {@link outcomeOf}. */
export type McpOutcome =
  'ok' | 'error' | 'tool_error' | 'denied' | 'refused' | 'failed' | 'ended' | 'cancelled';

/** What an event stream is for. `sse`: the one of the HTTP+SSE transport (MCP 2024-11-05). */
export const streamKinds = ['get', 'listen', 'call', 'sse'] as const;
export type StreamKind = (typeof streamKinds)[number];

/** A name that is written into a label: what servers call their tools, and short. */
export function isLabelledTool(name: string): boolean {
  return /^[\w./:-]{1,128}$/.test(name);
}
