/** Reads an answer without a socket, cut into pieces as a test wants them. */
import assert from 'node:assert/strict';
import { AnswerReader, type AnswerLimits } from '../../../src/forward/http1/answer-reader.ts';
import { LineMemory } from '../../../src/forward/http1/line-memory.ts';

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

/** Of all answers that any test has read before. */
const knownLines = new LineMemory();

/**
 * Reads it by a reader that knows nothing, and by one that remembers other answers: it must make no difference.
 *
 * @param text one character for each octet
 */
export function readWhole(text: string, options: ReadOptions = {}): ReadAnswer {
  const answer = readOnce(text, options, new LineMemory());
  assert.deepEqual(readOnce(text, options, knownLines), answer, 'whatever was read before');
  assert.deepEqual(readOnce(text, options, knownLines), answer, 'once it is known');
  return answer;
}

function readOnce(text: string, options: ReadOptions, known: LineMemory): ReadAnswer {
  const { method = 'GET', pieceLength = text.length, closes = false } = options;
  const reader = new AnswerReader({ ...limits, ...options.limits }, known);
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
  // One memory for all pieces, as on a connection: what is kept of a piece shows. Behind a piece stands what would go
  // on with it, and has not come yet.
  const memory = Buffer.alloc(Math.max(octets.length, 1));
  let at = 0;
  while (at < octets.length && !['complete', 'faulty'].includes(reader.state)) {
    const length = Math.min(octets.copy(memory, 0, at), Math.max(pieceLength, 1));
    const taken = reader.push(memory, 0, length);
    assert.ok(taken <= length, 'what has not come is not read');
    at += taken;
    memory.fill('!');
    if (answer.saidLast) assert.equal(reader.state, 'complete');
  }
  if (closes) reader.end();
  const { state, fault, keepForMs } = reader;
  const rest = state === 'complete' ? octets.toString('latin1', at) : '';
  return { ...answer, state, fault, keepForMs, rest };
}
