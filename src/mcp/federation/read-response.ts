import { isUtf8 } from 'node:buffer';
import { findValues } from '../find-values.ts';
import { scalarAt } from '../json-octets.ts';
import type { RequestId } from '../message.ts';
import { envelopeTree } from './message-trees.ts';

/** A JSON-RPC response of a target; results and errors as the octets that stand there. */
export type TargetResponse =
  | { readonly kind: 'result'; readonly result: Buffer }
  | {
      readonly kind: 'error';
      readonly code: number;
      readonly message: string;
      readonly raw: Buffer;
    }
  /** A message that is no response to this request. */
  | { readonly kind: 'other' }
  | { readonly kind: 'unreadable' };

const errorTree = { members: { code: { label: 'code' }, message: { label: 'message' } } };

/**
 * Reads a message of a target as the response to the request with this id.
 */
export function readResponse(message: Buffer, expectedId: RequestId): TargetResponse {
  const found = isUtf8(message) ? findValues(message, envelopeTree) : -1;
  if (typeof found === 'number') return { kind: 'unreadable' };
  const octets = (label: string): Buffer | null => {
    const value = found.find((candidate) => candidate.label === label);
    return value === undefined ? null : message.subarray(value.start, value.end);
  };
  const idValue = found.find(({ label }) => label === 'id');
  const id = idValue === undefined ? null : scalarAt(message, idValue.start, idValue.end);
  const error = octets('error');
  if (octets('method') !== null) return { kind: 'other' };
  if (error !== null) {
    return id === expectedId || id === null ? readError(error) : { kind: 'other' };
  }
  const result = octets('result');
  return result === null || id !== expectedId ? { kind: 'other' } : { kind: 'result', result };
}

function readError(raw: Buffer): TargetResponse {
  const found = findValues(raw, errorTree);
  if (typeof found === 'number') return { kind: 'unreadable' };
  const text = (label: string): unknown => {
    const value = found.find((candidate) => candidate.label === label);
    return value === undefined
      ? undefined
      : (JSON.parse(raw.toString('utf8', value.start, value.end)) as unknown);
  };
  const code = text('code');
  const message = text('message');
  return {
    kind: 'error',
    code: typeof code === 'number' ? code : -32603,
    message: typeof message === 'string' ? message : '',
    raw,
  };
}
