import { headerValue, type RequestHead } from '../../accept/request-head.ts';

/** What a request asks for in the terms of HTTP+SSE (MCP 2024-11-05). */
export type SseRequest =
  /** GET: the stream on which all messages come. */
  | { readonly kind: 'open' }
  /** POST: a message for the server; `sessionId` as the client sent it, empty where it did so twice. */
  | { readonly kind: 'message'; readonly sessionId: string };

/** The query parameter that names the stream, as the official SDKs spell it. */
export const SESSION_PARAMETER = 'sessionId';

const LAST_SEGMENT = '/sse';

/**
 * Tells HTTP+SSE from Streamable HTTP: the last segment of the path is `sse`, and the request is a POST with
 * a `sessionId` in its query, or a GET without `Mcp-Session-Id` that accepts an event stream.
 *
 * @returns `null` for Streamable HTTP
 */
export function readSseRequest(head: RequestHead): SseRequest | null {
  if (!head.path.endsWith(LAST_SEGMENT)) return null;
  if (head.method === 'POST') return readMessageRequest(head.query);
  if (head.method !== 'GET' || headerValue(head.headers, 'mcp-session-id') !== undefined) {
    return null;
  }
  return acceptsEvents(head) ? { kind: 'open' } : null;
}

function readMessageRequest(query: string | null): SseRequest | null {
  if (query === null) return null;
  const found = query.split('&').filter((pair) => nameOf(pair) === SESSION_PARAMETER);
  const [first] = found;
  if (first === undefined) return null;
  const sessionId = found.length === 1 ? first.slice(SESSION_PARAMETER.length + 1) : '';
  return { kind: 'message', sessionId };
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=');
  return end < 0 ? pair : pair.slice(0, end);
}

/** Accept may stand in several fields (RFC 9110, 5.3). */
function acceptsEvents({ headers }: RequestHead): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'accept') continue;
    const ranges = (headers[index + 1] ?? '').toLowerCase().split(',');
    if (ranges.some((range) => range.split(';', 1)[0]?.trim() === 'text/event-stream')) return true;
  }
  return false;
}
