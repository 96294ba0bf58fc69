import { isJsonObject, readJson } from '../../json/read-json.ts';
import type { RequestId } from '../message.ts';
import { messageLimits } from '../message-limits.ts';

/** A JSON-RPC error that the gate itself answers a request with (JSON-RPC 2.0, section 5.1). */
export function jsonRpcError(id: RequestId, code: number, message: string): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }));
}

/**
 * The error in the body of an upstream's HTTP error, as the answer to a request. Nothing but a code and a message
 * comes through: a body that could not be filtered holds nothing else for the client.
 *
 * @returns `null` where the body holds no JSON-RPC error
 */
export function errorOfBody(body: Uint8Array, id: RequestId): Buffer | null {
  const { value } = readJson(body, messageLimits);
  if (!isJsonObject(value) || !isJsonObject(value.error)) return null;
  const { code, message } = value.error;
  if (!Number.isSafeInteger(code) || typeof code !== 'number') return null;
  return typeof message === 'string' ? jsonRpcError(id, code, message) : null;
}
