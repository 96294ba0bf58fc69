import type { Milliseconds } from '../../units.ts';
import type { AnswerHead } from './parse-head.ts';

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
    keptMs = Math.min(keptMs, promisedMs(headers[index + 1] ?? '') - KEEP_ALIVE_MARGIN_MS);
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
    for (const option of (headers[index + 1] ?? '').toLowerCase().split(',')) {
      const token = option.trim();
      if (token === 'close') return false;
      if (token === 'keep-alive') isKept = true;
    }
  }
  return isKept;
}

/** @returns infinity where the field names no time */
function promisedMs(keepAlive: string): Milliseconds {
  const [, seconds] = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(keepAlive) ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}
