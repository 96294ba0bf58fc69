import type { HeaderFields } from '../../accept/request-head.ts';

/** Fields of Streamable HTTP alone, and about the octets of a body that may be another now. */
const NOT_FOR_SSE: ReadonlySet<string> = new Set([
  'content-digest',
  'content-type',
  'digest',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-session-id',
]);

/** Fields about a body and about an answer that is not read here. */
const NOT_FOR_STREAM: ReadonlySet<string> = new Set([
  ...NOT_FOR_SSE,
  'accept',
  'accept-encoding',
  'content-encoding',
  'content-language',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'range',
]);

/** The header fields that a client's request opens the server's event stream with. */
export function streamHeaders(headers: HeaderFields): HeaderFields {
  return [...without(headers, NOT_FOR_STREAM), 'accept', 'text/event-stream'];
}

/** The header fields of a message for the server's endpoint. */
export function messageHeaders(headers: HeaderFields): HeaderFields {
  return [...without(headers, NOT_FOR_SSE), 'content-type', 'application/json'];
}

/** The header fields of a server's refusal as the client gets them: ids of sessions are the gate's to give. */
export function refusalHeaders(headers: HeaderFields): HeaderFields {
  return without(headers, REFUSAL);
}

const REFUSAL: ReadonlySet<string> = new Set(['content-length', 'mcp-session-id']);

function without(headers: HeaderFields, names: ReadonlySet<string>): HeaderFields {
  const kept: HeaderFields = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!names.has(name)) kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}
