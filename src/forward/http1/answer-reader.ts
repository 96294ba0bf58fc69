import type { Bytes, Milliseconds } from '../../units.ts';
import { MAX_INTERIM_ANSWERS } from '../upstream-limits.ts';
import type { UpstreamAnswer } from '../upstream.ts';
import { bodyFraming, hasFraming } from './body-framing.ts';
import { ChunkScanner } from './chunk-scanner.ts';
import { keepForMs, staysOpen } from './connection-reuse.ts';
import { FAULTY, HeadScanner, INCOMPLETE, type HeadLimits } from './head-scanner.ts';
import { LineMemory } from './line-memory.ts';

export interface AnswerLimits extends HeadLimits {
  /** For how long an unused connection is kept at most. */
  readonly idleTimeoutMs: Milliseconds;
}

/** Who takes what was read. */
export interface AnswerSink extends Pick<UpstreamAnswer, 'onHead'> {
  /** As {@link UpstreamAnswer.onData}: the owner of a reader that is `complete` tells its sink so at once. */
  onData(piece: Uint8Array, isLast: boolean): boolean;
}

/**
 * Where the reader is: in a head, or in a body that ends after a length, with its last chunk or with the
 * connection. `complete`: the answer was read to its end. `faulty`: it can't be read. `stopped`: nothing is
 * to be read, as before the first answer.
 */
export type ReaderState =
  'stopped' | 'head' | 'length' | 'chunked' | 'until-close' | 'complete' | 'faulty';

/**
 * Reads answers of HTTP/1.1 and HTTP/1.0, one at a time, from octets that come in pieces of any size. It knows
 * nothing of sockets. Strict: what the grammar does not have, and what could be read in two ways, makes it
 * `faulty`; nothing is guessed.
 */
export class AnswerReader {
  readonly #limits: AnswerLimits;
  readonly #head: HeadScanner;
  readonly #chunks: ChunkScanner;
  #sink: AnswerSink | null = null;
  #requestMethod = '';
  #interimAnswers = 0;
  #leftBytes: Bytes = 0;
  state: ReaderState = 'stopped';
  /** While `faulty`: why, for the log. */
  fault = '';
  #isPaused = false;
  /** Once `complete`: how long the connection may be kept for another request; 0: not at all. */
  keepForMs: Milliseconds = 0;

  /** @param known what was learned of the lines of the same server before */
  constructor(limits: AnswerLimits, known = new LineMemory()) {
    this.#limits = limits;
    this.#head = new HeadScanner(limits, known);
    this.#chunks = new ChunkScanner(limits, known);
  }

  /** Expects the answer to a request of this method. */
  begin(requestMethod: string, sink: AnswerSink): void {
    this.#requestMethod = requestMethod;
    this.#sink = sink;
    this.#interimAnswers = 0;
    this.#isPaused = false;
    this.keepForMs = 0;
    this.#beginHead();
  }

  /** The sink has asked for a pause; `push` takes it back. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Expects nothing more, and reports nothing more. */
  stop(): void {
    this.state = 'stopped';
    this.#sink = null;
  }

  /**
   * Takes the next octets. The sink gets views of them.
   *
   * @returns the index of the first octet that was not taken: less than `end` only after a pause, or when
   *   the answer is complete, faulty or was stopped by its sink
   */
  push(bytes: Buffer, start: number, end: number): number {
    let at = start;
    this.#isPaused = false;
    while (at < end && !this.isPaused) {
      switch (this.state) {
        case 'head':
          at = this.#readHead(bytes, at, end);
          break;
        case 'length':
          at = this.#readLength(bytes, at, end);
          break;
        case 'chunked':
          at = this.#readChunks(bytes, at, end);
          break;
        case 'until-close':
          this.#handOn(bytes, at, end, false);
          at = end;
          break;
        case 'complete':
        case 'faulty':
        case 'stopped':
          return at;
      }
    }
    return at;
  }

  /** The connection is closed: completes a body that ends with it. */
  end(): void {
    if (this.state === 'until-close') this.state = 'complete';
  }

  #beginHead(): void {
    this.state = 'head';
    this.#head.beginHead();
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const scanned = this.#head.scan(bytes, start, end);
    if (scanned === FAULTY) {
      this.#refuse(this.#head.fault ?? '');
      return start;
    }
    if (scanned === INCOMPLETE) return end;
    this.#takeHead();
    return scanned;
  }

  #takeHead(): void {
    const head = this.#head;
    const { status } = head;
    if (status < 200) {
      this.#takeInterim(head);
      return;
    }
    const framing = bodyFraming(head, this.#requestMethod);
    switch (framing.kind) {
      case 'fault':
        this.#refuse(framing.fault);
        return;
      case 'none':
        this.state = 'complete';
        break;
      case 'length':
        this.state = 'length';
        this.#leftBytes = framing.lengthBytes;
        break;
      case 'chunked':
        this.state = 'chunked';
        this.#chunks.begin();
        break;
      case 'until-close':
        this.state = 'until-close';
        break;
    }
    if (framing.kind !== 'until-close') {
      this.keepForMs = keepForMs(head, this.#limits.idleTimeoutMs);
    }
    this.#sink?.onHead(status, head.takeHeaders());
  }

  #takeInterim(head: HeadScanner): void {
    this.#interimAnswers += 1;
    if (head.status === 101) this.#refuse('a switch of protocols that nobody asked for');
    else if (hasFraming(head)) this.#refuse('an interim answer with a body');
    else if (!staysOpen(head)) this.#refuse('an interim answer that ends the connection');
    else if (this.#interimAnswers > MAX_INTERIM_ANSWERS) this.#refuse('too many interim answers');
    else this.#beginHead();
  }

  #readLength(bytes: Buffer, start: number, end: number): number {
    const pieceEnd = Math.min(end, start + this.#leftBytes);
    this.#leftBytes -= pieceEnd - start;
    if (this.#leftBytes === 0) this.state = 'complete';
    this.#handOn(bytes, start, pieceEnd, this.#leftBytes === 0);
    return pieceEnd;
  }

  #readChunks(bytes: Buffer, start: number, end: number): number {
    const chunks = this.#chunks;
    switch (chunks.step(bytes, start, end)) {
      case 'data':
        this.#handOn(bytes, chunks.dataStart, chunks.dataEnd, false);
        break;
      case 'more':
        break;
      case 'end':
        this.state = 'complete';
        break;
      case 'fault':
        this.#refuse(chunks.fault);
        return start;
    }
    return chunks.at;
  }

  #handOn(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    if (this.#sink?.onData(bytes.subarray(start, end), isLast) === false) this.#isPaused = true;
  }

  #refuse(fault: string): void {
    this.fault = fault;
    this.state = 'faulty';
  }
}
