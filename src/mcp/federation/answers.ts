/** The JSON-RPC messages that a federation writes itself. */

import type { RequestId } from '../message.ts';

/** A response with this result. */
export function resultMessage(id: RequestId, result: Uint8Array | string): Buffer {
  const start = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
  return Buffer.concat([Buffer.from(start), Buffer.from(result), Buffer.from('}')]);
}

export function errorMessage(
  id: RequestId | null,
  code: number,
  message: string,
  data?: object,
): Buffer {
  const error = data === undefined ? { code, message } : { code, message, data };
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error }));
}

/** What a client is told of servers that do not answer: nothing about them. */
export const unavailable = Object.freeze({
  code: -32603,
  message: 'Internal error: upstream failed',
});
