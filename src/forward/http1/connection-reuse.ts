import type { Milliseconds } from '../../units.ts';
import type { AnswerHead } from './answer-head.ts';

/** A server closes by its own clock, and its last octets need time to come here. */
const KEEP_ALIVE_MARGIN_MS: Milliseconds = 1000;

/**
 * Decides how long a connection may be kept for another request after an answer. A `Keep-Alive: timeout=N`
 * shortens the time, less a second, so that the server is not the first to close.
 *
 * @param longestMs for how long an unused connection is kept at most
 * @returns 0: not at all
 */
export function keepForMs(head: AnswerHead, longestMs: Milliseconds): Milliseconds {
  if (!staysOpen(head)) return 0;
  const { headers } = head;
  let keptMs = longestMs;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'keep-alive') continue;
    const value = headers[index + 1] ?? '';
    if (value !== lastPromise.text) lastPromise = { text: value, promisedMs: promisedMs(value) };
    keptMs = Math.min(keptMs, lastPromise.promisedMs - KEEP_ALIVE_MARGIN_MS);
  }
  return Math.max(keptMs, 0);
}

/**
 * Whether the server leaves the connection open after an answer (RFC 9112, 9.3): with HTTP/1.1 unless
 * `Connection` says `close`, with HTTP/1.0 only where it says `keep-alive`.
 */
export function staysOpen({ isHttp10, headers }: AnswerHead): boolean {
  let isKept = !isHttp10;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'connection') continue;
    const value = headers[index + 1] ?? '';
    // As almost all servers write it that write it at all.
    if (value === 'keep-alive') {
      isKept = true;
      continue;
    }
    for (const option of value.toLowerCase().split(',')) {
      const token = option.trim();
      if (token === 'close') return false;
      if (token === 'keep-alive') isKept = true;
    }
  }
  return isKept;
}

/** A server says the same in every answer, and to read it takes longer than to compare it. */
let lastPromise = { text: '', promisedMs: Number.POSITIVE_INFINITY };

/** @returns infinity where the field names no time */
function promisedMs(keepAlive: string): Milliseconds {
  const [, seconds] = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(keepAlive) ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}
