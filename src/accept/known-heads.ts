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
  /**
   * Remembers a head that was found lawful, in place of another one, when it comes the second time.
   *
   * @returns what will be remembered of it; `null` for the first time, and for a head that is too large
   */
  add(
    head: RawHead,
    checked: Pick<KnownHead, 'path' | 'host' | 'authority' | 'isChunked'>,
  ): HeadFindings | null;
}

/**
 * Remembers the heads of requests. Clients send the same one again and again; to compare it takes a quarter of the
 * time of looking through it (bench/micro/accept/known-heads.ts), and what stages make of it need not be made again.
 *
 * @param maxHeaderBytes above which a head is refused: none is remembered that another length could bring there
 */
export function createKnownHeads(maxHeaderBytes: Bytes): KnownHeads {
  const known = new Array<KnownHead | null>(SLOTS).fill(null);
  /** Of those that came once: heads that never come again take no memory, and none the place of another. */
  const seen = new Int32Array(SLOTS);
  const mostBytes = Math.min(MOST_REMEMBERED_BYTES, maxHeaderBytes - LENGTH_DIGITS);
  return {
    find(method, target, query, headers) {
      const head = known[slotOf(hashOf(target, headers))] ?? null;
      return head !== null && isSame(head, method, target, query, headers) ? head : null;
    },
    add(head, { path, host, authority, isChunked }) {
      const { method, target, query, headers } = head;
      const hash = hashOf(target, headers);
      const slot = slotOf(hash);
      if (seen[slot] !== hash) {
        seen[slot] = hash;
        return null;
      }
      if (bytesOf(head) > mostBytes) return null;
      const findings = new HeadFindings();
      known[slot] = {
        method,
        target,
        query,
        headers,
        path,
        host,
        authority,
        isChunked,
        lengthAt: lengthAt(headers),
        findings,
      };
      return findings;
    },
  };
}

/** By what tells heads apart most often: how long the values are, how they end, and two characters inside. */
function hashOf(target: string, headers: HeaderFields): number {
  let hash = target.length;
  for (let index = 1; index < headers.length; index += 2) {
    const value = headers[index] ?? '';
    const { length } = value;
    if (length === 0 || isLength(headers[index - 1] ?? '')) continue;
    const inside =
      value.charCodeAt(length >> 1) ^ (value.charCodeAt(length - (length >> 3) - 1) << 7);
    hash = (Math.imul(hash, 31) + (inside << 3) + value.charCodeAt(length - 1) + length) | 0;
  }
  return hash;
}

function slotOf(hash: number): number {
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
