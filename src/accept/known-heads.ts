import { HeadFindings } from '../head-findings.ts';
import type { Bytes } from '../units.ts';
import { LINE_OVERHEAD_BYTES } from './check-head.ts';
import type { HeaderFields } from './request-head.ts';

/** A power of two. */
const SLOTS = 512;
/** All lines of a head that is remembered: bounds the memory of all of them. */
const MOST_REMEMBERED_BYTES: Bytes = 8192;
/** Content-Length, of up to fifteen digits, is not compared. */
const LENGTH_DIGITS = 15;

/** What a client sends before the body, as the native server hands it over. */
export interface RawHead {
  readonly method: string;
  /** As sent, without the query. */
  readonly target: string;
  readonly query: string | null;
  readonly headers: HeaderFields;
}

/** A head that was found lawful. */
export interface KnownHead extends RawHead {
  /** The path in its one spelling. */
  readonly path: string;
  readonly host: string;
  readonly authority: string;
  /** A body follows, where no Content-Length says it. */
  readonly isChunked: boolean;
  /** Where the value of Content-Length stands in `headers`; -1 where there is none. */
  readonly lengthAt: number;
  readonly findings: HeadFindings;
}

export interface KnownHeads {
  /** @returns one that is the same but for the value of Content-Length, which has to be looked at anew */
  find(
    method: string,
    target: string,
    query: string | null,
    headers: HeaderFields,
  ): KnownHead | null;
  /** Remembers a head that was found lawful, in place of another one. */
  add(head: RawHead & Pick<KnownHead, 'path' | 'host' | 'authority' | 'isChunked'>): KnownHead;
}

/**
 * Remembers the heads of requests. Clients send the same one again and again; to compare it takes a tenth of the
 * time of looking through it (bench/micro/accept/known-heads.ts), and what stages make of it need not be made again.
 *
 * @param maxHeaderBytes above which a head is refused: none is remembered that another length could bring there
 */
export function createKnownHeads(maxHeaderBytes: Bytes): KnownHeads {
  const known = new Array<KnownHead | null>(SLOTS).fill(null);
  const mostBytes = Math.min(MOST_REMEMBERED_BYTES, maxHeaderBytes - LENGTH_DIGITS);
  return {
    find(method, target, query, headers) {
      const head = known[slotOf(target, headers)] ?? null;
      return head !== null && isSame(head, method, target, query, headers) ? head : null;
    },
    add(head) {
      const { method, target, query, headers, path, host, authority, isChunked } = head;
      const added: KnownHead = {
        method,
        target,
        query,
        headers,
        path,
        host,
        authority,
        isChunked,
        lengthAt: lengthAt(headers),
        findings: new HeadFindings(),
      };
      if (bytesOf(head) <= mostBytes) known[slotOf(target, headers)] = added;
      return added;
    },
  };
}

/** By what tells heads apart most often: how long the values are, how they end, and two characters inside. */
function slotOf(target: string, headers: HeaderFields): number {
  let hash = target.length;
  for (let index = 1; index < headers.length; index += 2) {
    const value = headers[index] ?? '';
    const { length } = value;
    if (length === 0 || isLength(headers[index - 1] ?? '')) continue;
    const inside =
      value.charCodeAt(length >> 1) ^ (value.charCodeAt(length - (length >> 3) - 1) << 7);
    hash = (Math.imul(hash, 31) + (inside << 3) + value.charCodeAt(length - 1) + length) | 0;
  }
  return (hash ^ (hash >>> 9) ^ (hash >>> 18)) & (SLOTS - 1);
}

function isSame(
  known: KnownHead,
  method: string,
  target: string,
  query: string | null,
  headers: HeaderFields,
): boolean {
  const { lengthAt } = known;
  const other = known.headers;
  if (headers.length !== other.length) return false;
  for (let index = 0; index < headers.length; index += 1) {
    if (headers[index] !== other[index] && index !== lengthAt) return false;
  }
  return method === known.method && target === known.target && query === known.query;
}

function lengthAt(headers: HeaderFields): number {
  for (let index = 0; index < headers.length; index += 2) {
    if (isLength(headers[index] ?? '')) return index + 1;
  }
  return -1;
}

function isLength(name: string): boolean {
  return name.length === 14 && name === 'content-length';
}

function bytesOf({ target, query, headers }: RawHead): Bytes {
  let bytes = target.length + (query?.length ?? 0);
  for (const text of headers) bytes += text.length + LINE_OVERHEAD_BYTES / 2;
  return bytes;
}
