/** Reads an answer without a socket, cut into pieces as a test wants them. */
import assert from 'node:assert/strict';
import { AnswerReader, type AnswerLimits } from '../../../src/forward/http1/answer-reader.ts';

export interface ReadAnswer {
  /** `head` and so on where the octets ended too early. */
  readonly state: string;
  readonly fault: string;
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
  /** The last piece was said to be it. */
  readonly saidLast: boolean;
  readonly keepForMs: number;
  /** What came after a complete answer. */
  readonly rest: string;
}

const limits: AnswerLimits = { maxHeaderBytes: 2000, maxHeaderFields: 20, idleTimeoutMs: 4000 };

export interface ReadOptions {
  readonly method?: string;
  readonly pieceLength?: number;
  readonly limits?: Partial<AnswerLimits>;
  /** The connection ends after the octets. */
  readonly closes?: boolean;
}

/** @param text one character for each octet */
export function readWhole(text: string, options: ReadOptions = {}): ReadAnswer {
  const { method = 'GET', pieceLength = text.length, closes = false } = options;
  const reader = new AnswerReader({ ...limits, ...options.limits });
  const octets = Buffer.from(text, 'latin1');
  const answer = { status: 0, headers: [] as readonly string[], body: '', saidLast: false };
  reader.begin(method, {
    onHead(status, headers) {
      answer.status = status;
      answer.headers = headers;
    },
    onData(piece, isLast) {
      assert.equal(answer.saidLast, false, 'a piece after the last one');
      answer.saidLast = isLast;
      answer.body += Buffer.from(piece).toString('latin1');
      return true;
    },
  });
  // One memory for all pieces, as on a connection: what is kept of a piece shows.
  const memory = Buffer.alloc(Math.max(pieceLength, 1));
  let at = 0;
  while (at < octets.length && !['complete', 'faulty'].includes(reader.state)) {
    const length = octets.copy(memory, 0, at, Math.min(at + pieceLength, octets.length));
    at += reader.push(memory, 0, length);
    memory.fill('!');
    if (answer.saidLast) assert.equal(reader.state, 'complete');
  }
  if (closes) reader.end();
  const { state, fault, keepForMs } = reader;
  const rest = state === 'complete' ? octets.toString('latin1', at) : '';
  return { ...answer, state, fault, keepForMs, rest };
}
