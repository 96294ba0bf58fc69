import type { Bytes } from '../../units.ts';
import { readLength } from '../content-length.ts';
import type { AnswerHead } from './answer-head.ts';

/** ASCII only: `i` without `u` does not fold other letters. */
const CHUNKED = /^chunked$/i;

/** Where the body of an answer ends (RFC 9112, 6.3). */
export type BodyFraming =
  | { readonly kind: 'none' | 'chunked' | 'until-close' }
  | { readonly kind: 'length'; readonly lengthBytes: Bytes }
  | { readonly kind: 'fault'; readonly fault: string };

const NONE: BodyFraming = { kind: 'none' };
const CHUNKS: BodyFraming = { kind: 'chunked' };
const UNTIL_CLOSE: BodyFraming = { kind: 'until-close' };

/**
 * Whether an answer says where a body ends, which an interim one must not (RFC 9110, 8.6; RFC 9112, 6.1).
 */
export function hasFraming({ headers }: Pick<AnswerHead, 'headers'>): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name === 'content-length' || name === 'transfer-encoding') return true;
  }
  return false;
}

/**
 * Decides where the body of an answer ends (RFC 9112, 6.3). Refuses what could be read in two ways: both
 * Content-Length and Transfer-Encoding, either of them twice (even if they agree), a length that is not all
 * digits, a transfer coding other than `chunked` alone, and one in HTTP/1.0 or in an answer that must not
 * have it (6.1).
 *
 * @param head of a final answer
 * @param requestMethod an answer to HEAD has no body whatever its fields say
 */
export function bodyFraming(head: AnswerHead, requestMethod: string): BodyFraming {
  const { status, isHttp10, headers } = head;
  let length: number | null = null;
  let coding: string | null = null;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name === 'content-length') {
      if (length !== null) return fault('two Content-Length fields');
      length = readLength(headers[index + 1] ?? '');
      if (length < 0) return fault('a Content-Length that is no number');
    } else if (name === 'transfer-encoding') {
      if (coding !== null) return fault('two Transfer-Encoding fields');
      coding = headers[index + 1] ?? '';
      if (coding !== 'chunked' && !CHUNKED.test(coding))
        return fault('a transfer coding other than chunked');
    }
  }
  if (coding !== null) {
    if (length !== null) return fault('both Content-Length and Transfer-Encoding');
    if (isHttp10) return fault('a transfer coding in HTTP/1.0');
    if (status === 204) return fault('a transfer coding in an answer without a body');
  }
  if (requestMethod === 'HEAD' || status === 204 || status === 304) return NONE;
  if (coding !== null) return CHUNKS;
  if (length === null) return UNTIL_CLOSE;
  return length === 0 ? NONE : { kind: 'length', lengthBytes: length };
}

function fault(why: string): BodyFraming {
  return { kind: 'fault', fault: why };
}
