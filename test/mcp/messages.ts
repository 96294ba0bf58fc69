/** Bodies and headers of MCP messages, for the tests of this folder. */
import type { HeaderFields } from '../../src/accept/request-head.ts';
import type { MessageFault } from '../../src/mcp/fault.ts';
import type { McpMessage, McpRequest } from '../../src/mcp/message.ts';
import { readMessage } from '../../src/mcp/read-message.ts';

export const VERSION = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
export const modernMeta = { [VERSION]: '2026-07-28', [CAPABILITIES]: {} };

export function read(body: string | object | Uint8Array): McpMessage | MessageFault {
  if (body instanceof Uint8Array) return readMessage(body);
  return readMessage(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

export function call(method: string, params?: object, id: unknown = 7): object {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
}

export function modernCall(method: string, params: object = {}, id: unknown = 7): object {
  return call(method, { ...params, _meta: modernMeta }, id);
}

/** A request that the reader must take. */
export function request(body: string | object): McpRequest {
  const message = read(body);
  if (message.kind !== 'request') throw new Error(`no request: ${JSON.stringify(message)}`);
  return message;
}

export function message(body: string | object): McpMessage {
  const result = read(body);
  if (result.kind === 'fault') throw new Error(`a fault: ${result.message}`);
  return result;
}

/** A message with all that is built when it is asked for, as a plain object. */
export function built<T extends McpMessage | MessageFault>(message: T): T {
  if (message.kind !== 'request') return message;
  const { object, params } = message;
  const tool = object?.type === 'tool' ? { ...object, arguments: object.arguments } : object;
  return { ...message, params, object: tool };
}

export function fields(headers: Readonly<Record<string, string>>): HeaderFields {
  return Object.entries(headers).flat();
}
