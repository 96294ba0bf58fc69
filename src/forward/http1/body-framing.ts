import type { Bytes } from '../../units.ts';
import type { AnswerHead } from './answer-head.ts';

/** Fifteen digits fit a number exactly; no answer is that long. */
const MAX_DIGITS = 15;
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

/**
 * Reads a Content-Length, which is digits and nothing else. Without a regular expression, which takes longer than all
 * the rest of the decision.
 *
 * @returns -1 for a text that is none, or has more digits than fit
 */
export function readLength(text: string): Bytes {
  if (text.length === 0 || text.length > MAX_DIGITS) return -1;
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function fault(why: string): BodyFraming {
  return { kind: 'fault', fault: why };
}
