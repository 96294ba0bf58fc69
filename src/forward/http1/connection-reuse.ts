import type { Milliseconds } from '../../units.ts';
import type { AnswerHead } from './parse-head.ts';

/** A server closes by its own clock, and its last octets need time to come here. */
const KEEP_ALIVE_MARGIN_MS: Milliseconds = 1000;

/**
 * Decides how long a connection may be kept for another request after an answer (RFC 9112, 9.3).
 *
 * HTTP/1.1 keeps it unless `Connection` says `close`; HTTP/1.0 keeps it only where `Connection` says
 * `keep-alive`. A `Keep-Alive: timeout=N` shortens the time, less a second, so that the server is not the
 * first to close.
 *
 * @param longestMs for how long an unused connection is kept at most
 * @returns 0: not at all
 */
export function keepForMs(head: AnswerHead, longestMs: Milliseconds): Milliseconds {
  let mayKeep = !head.isHttp10;
  let keptMs = longestMs;
  let closes = false;
  const { headers } = head;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name === 'connection') {
      for (const option of (headers[index + 1] ?? '').toLowerCase().split(',')) {
        const token = option.trim();
        if (token === 'close') closes = true;
        else if (token === 'keep-alive') mayKeep = true;
      }
    } else if (name === 'keep-alive') {
      keptMs = Math.min(keptMs, promisedMs(headers[index + 1] ?? '') - KEEP_ALIVE_MARGIN_MS);
    }
  }
  return mayKeep && !closes ? Math.max(keptMs, 0) : 0;
}

/** @returns infinity where the field names no time */
function promisedMs(keepAlive: string): Milliseconds {
  const [, seconds] = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(keepAlive) ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}
