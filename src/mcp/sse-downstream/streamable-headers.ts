import type { HeaderFields } from '../../accept/request-head.ts';

/** What a request of Streamable HTTP says besides what the client's own request said. */
export interface StreamableFields {
  readonly accept: string;
  /** The upstream's own. */
  readonly sessionId: string | null;
  /** `null` leaves what the client sent. */
  readonly protocolVersion: string | null;
  readonly lastEventId: string | null;
}

const REPLACED: ReadonlySet<string> = new Set([
  'accept',
  // What is re-emitted as events must be readable.
  'accept-encoding',
  'last-event-id',
  'mcp-session-id',
]);

const ABOUT_BODY: ReadonlySet<string> = new Set(['content-type', 'mcp-method', 'mcp-name']);

/**
 * The header fields of a request of Streamable HTTP (MCP 2025-11-25), made of those of a message that the
 * client sent over HTTP+SSE.
 *
 * @param hasBody false leaves out the fields about the message, for GET and DELETE
 */
export function streamableHeaders(
  headers: HeaderFields,
  { accept, sessionId, protocolVersion, lastEventId }: StreamableFields,
  hasBody: boolean,
): HeaderFields {
  const fields: HeaderFields = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (REPLACED.has(name) || (!hasBody && ABOUT_BODY.has(name))) continue;
    if (name === 'mcp-protocol-version' && protocolVersion !== null) continue;
    fields.push(name, headers[index + 1] ?? '');
  }
  fields.push('accept', accept);
  if (sessionId !== null) fields.push('mcp-session-id', sessionId);
  if (protocolVersion !== null) fields.push('mcp-protocol-version', protocolVersion);
  if (lastEventId !== null) fields.push('last-event-id', lastEventId);
  return fields;
}
