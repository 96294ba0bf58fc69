import type { RequestId } from './message.ts';

/** A message that cannot be let through: a value, as a refusal is, but in the words of JSON-RPC. */
export interface MessageFault {
  readonly kind: 'fault';
  /** HTTP status. */
  readonly status: 400 | 404 | 415;
  /** JSON-RPC error code. */
  readonly code: FaultCode;
  /** For client and log. Repeats nothing of the message. */
  readonly message: string;
  /** Of the request; `null` where it could not be read or the message is no request. */
  readonly id: RequestId | null;
}

/** JSON-RPC 2.0, section 5.1, and -32020 `HeaderMismatch` of MCP 2026-07-28. */
export type FaultCode = -32700 | -32600 | -32601 | -32602 | -32020;

/** An answer in full. */
export interface RenderedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Makes a fault; HTTP 400, as MCP asks for where a POST cannot be accepted. */
export function fault(code: FaultCode, message: string, id: RequestId | null): MessageFault {
  return { kind: 'fault', status: 400, code, message, id };
}

/** A request whose parameters can't be taken. */
export function invalidParams(problem: string, id: RequestId | null): MessageFault {
  return fault(-32602, `Invalid params: ${problem}`, id);
}

/** A method that the revision of the request does not have; modern revisions ask for HTTP 404 with it. */
export function methodNotFound(id: RequestId | null): MessageFault {
  return { kind: 'fault', status: 404, code: -32601, message: 'Method not found', id };
}

/** A body in a form that is not understood (RFC 9110, 15.5.16). */
export function unsupportedMediaType(message: string): MessageFault {
  return { kind: 'fault', status: 415, code: -32600, message, id: null };
}

/** The HTTP answer to a fault: a JSON-RPC error with the request's id. */
export function renderFault({ status, code, message, id }: MessageFault): RenderedAnswer {
  return jsonAnswer(status, { jsonrpc: '2.0', id, error: { code, message } });
}

export function jsonAnswer(status: number, value: object): RenderedAnswer {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}
