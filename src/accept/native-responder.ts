import { answerHeadText } from './answer-head-text.ts';
import { atEndOfTurn, type Delayed } from '../timers/end-of-turn.ts';
import type { Bytes } from '../units.ts';
import type { HeaderFields } from './request-head.ts';
import type { AnswerHead, Responder } from './responder.ts';
import type { NativeResponse } from './native.ts';
import { statusLine } from './status-line.ts';

const NOTHING = (): void => undefined;

/** Largest first piece of a body that is copied and written a little later, with what comes in the meantime. */
const MAX_DELAYED_BYTES: Bytes = 16_384;

/**
 * Writes one answer to the native server.
 *
 * The native response must not be touched after it was completed or aborted (the native module throws
 * then), so every write first looks at `finished`. `onFinished` is called exactly once, whichever way
 * the answer ends.
 */
export class NativeResponder implements Responder, Delayed {
  aborted = false;
  started = false;
  finished = false;
  bodyBytes = 0;

  readonly #response: NativeResponse;
  readonly #onFinished: () => void;
  /** Decided per write: a process that drains tells its clients to come back on another connection. */
  readonly #closing: () => boolean;
  #abortCallback: () => void = NOTHING;
  #drainCallback: () => void = NOTHING;
  #head: AnswerHead | null = null;
  #headWritten = false;
  /** The first piece of the body, which waits for the end of the turn together with the head. */
  #delayed: Buffer | null = null;
  #isListening = false;
  /** A piece of a body with known length that the socket took only a part of. */
  #rest: Uint8Array | null = null;
  #restOffset = 0;
  #ending = false;
  /** The request's method is HEAD: its answer has no body (RFC 9110, 9.3.2). */
  readonly #isHead: boolean;

  constructor(
    response: NativeResponse,
    onFinished: () => void,
    closing: () => boolean,
    isHead: boolean,
  ) {
    this.#response = response;
    this.#onFinished = onFinished;
    this.#closing = closing;
    this.#isHead = isHead;
    response.onAborted(() => {
      if (this.finished) return;
      this.aborted = true;
      this.#abortCallback();
      this.#finish();
    });
  }

  send(status: number, headers: HeaderFields, body: string | Uint8Array): void {
    if (this.finished || this.started) return;
    this.started = true;
    this.#sendWhole(status, headers, body, false);
  }

  sendAndClose(status: number, headers: HeaderFields, body: string): void {
    if (this.finished || this.started) return;
    this.started = true;
    // Answered in the same turn, the native server would go on to what it takes for the next request in the
    // octets that it has. While an answer is owed it closes the connection over that instead.
    setImmediate(() => {
      if (!this.finished) this.#sendWhole(status, headers, body, true);
    });
  }

  begin(answer: AnswerHead): void {
    if (this.finished || this.started) return;
    this.started = true;
    this.#head = answer;
    if (answer.bodiless) {
      this.#response.cork(() => {
        this.#writeHead(answer);
        this.#endWithoutBody(answer.contentLength);
      });
      this.#finish();
      return;
    }
    // With a known length no octet may be added.
    if (answer.opening !== '' && answer.contentLength === null) {
      setImmediate(() => this.#open(answer));
    }
  }

  write(piece: Uint8Array): boolean {
    const head = this.#head;
    if (this.finished || head === null || this.#ending || piece.length === 0) return true;
    this.bodyBytes += piece.length;
    if (this.#delayed !== null) {
      this.onEndOfTurn();
    } else if (!this.#headWritten && isDelayable(piece, head)) {
      this.#delayed = Buffer.from(piece);
      atEndOfTurn(this);
      return true;
    }
    return this.#writePiece(piece, this.bodyBytes - piece.length, head);
  }

  onEndOfTurn(): void {
    const piece = this.#delayed;
    const head = this.#head;
    if (piece === null || head === null || this.finished) return;
    this.#delayed = null;
    if (this.#ending && head.contentLength === null) this.#endChunked(head, piece);
    else this.#writePiece(piece, 0, head);
  }

  /** @param offset octets of the body before this piece */
  #writePiece(piece: Uint8Array, offset: number, head: AnswerHead): boolean {
    let accepted = true;
    this.#response.cork(() => {
      this.#writeHead(head);
      accepted =
        head.contentLength === null
          ? this.#response.write(piece)
          : this.#writeOfKnownLength(piece, offset, head.contentLength);
      if (!accepted) this.#waitForRoom();
    });
    if (this.#rest !== null) this.#keepRest(this.#rest);
    return accepted;
  }

  /** A handler for each answer costs as much as its head, and few answers are too large for the socket. */
  #waitForRoom(): void {
    if (this.#isListening || this.#isFinished()) return;
    this.#isListening = true;
    this.#response.onWritable((offset) => this.#resume(offset));
  }

  end(): void {
    const head = this.#head;
    if (this.finished || head === null || this.#ending) return;
    this.#ending = true;
    if (head.contentLength !== null && head.contentLength > 0) {
      // The native server completes the answer itself when its last octet is written.
      if (this.bodyBytes < head.contentLength) this.cut();
      return;
    }
    if (this.#delayed === null) this.#endChunked(head, null);
  }

  /** In chunks also where the whole is known by chance: the framing shall tell nothing of times. */
  #endChunked(head: AnswerHead, rest: Uint8Array | null): void {
    this.#response.cork(() => {
      this.#writeHead(head);
      if (rest !== null) this.#response.write(rest);
      // Asked to close, the native server would write a header field into the body here.
      this.#response.end('');
    });
    this.#finish();
  }

  cut(): void {
    // What was taken before goes out: the client shall see that there was an answer.
    if (this.#delayed !== null) this.onEndOfTurn();
    if (this.finished) return;
    // close() runs the abort callback of the native response; the answer is over before that.
    this.#finish();
    this.#response.close();
    this.#abortCallback();
  }

  onAbort(callback: () => void): void {
    this.#abortCallback = callback;
    if (this.aborted) callback();
  }

  onDrain(callback: () => void): void {
    this.#drainCallback = callback;
  }

  #sendWhole(
    status: number,
    headers: HeaderFields,
    body: string | Uint8Array,
    mustClose: boolean,
  ): void {
    const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const bodiless = this.#isHead || status === 204 || status === 304;
    if (!bodiless) this.bodyBytes = bodyBytes;
    this.#response.cork(() => {
      this.#writeStatusAndFields(status, headers);
      if (bodiless && !mustClose) {
        if (this.#closing()) this.#response.writeHeader('connection', 'close');
        // A 204 has no Content-Length, not even one of 0 (RFC 9110, 8.6).
        this.#endWithoutBody(this.#isHead && status !== 204 ? bodyBytes : null);
      } else {
        // Asked to close, the native server writes `Connection: close` itself.
        this.#response.end(bodiless ? '' : body, mustClose || this.#closing());
      }
    });
    this.#finish();
  }

  #open(answer: AnswerHead): void {
    if (this.finished || this.#headWritten || this.#ending || this.#delayed !== null) return;
    this.#response.cork(() => {
      this.#writeHead(answer);
      this.#response.write(answer.opening);
    });
  }

  /** @param offset octets of the body that the socket has taken before */
  #writeOfKnownLength(piece: Uint8Array, offset: number, totalBytes: number): boolean {
    const result = this.#response.tryEnd(piece, totalBytes);
    if (result[1]) {
      this.#finish();
      return true;
    }
    if (!result[0]) {
      this.#rest = piece;
      this.#restOffset = offset;
    }
    return result[0];
  }

  /** The memory of what was written may be used again; what the socket did not take has to last. */
  #keepRest(rest: Uint8Array): void {
    const unsent = rest.subarray(this.#response.getWriteOffset() - this.#restOffset);
    this.#restOffset += rest.length - unsent.length;
    this.#rest = Buffer.from(unsent);
  }

  #resume(offset: number): boolean {
    if (this.finished) return true;
    const rest = this.#rest;
    if (rest !== null && this.#head?.contentLength != null) {
      this.#rest = null;
      const unsent = rest.subarray(offset - this.#restOffset);
      if (!this.#writeOfKnownLength(unsent, offset, this.#head.contentLength)) return false;
    }
    if (!this.#isFinished()) this.#drainCallback();
    return true;
  }

  /** Given a length, the native server would write the field, and wait for the octets for ever. */
  #endWithoutBody(contentLength: number | null): void {
    if (contentLength !== null) this.#response.writeHeader('content-length', String(contentLength));
    this.#response.endWithoutBody();
  }

  /** A getter the compiler does not narrow: writing may have finished the answer in between. */
  #isFinished(): boolean {
    return this.finished;
  }

  #writeHead(answer: AnswerHead): void {
    if (this.#headWritten) return;
    this.#headWritten = true;
    this.#writeStatusAndFields(answer.status, answer.headers);
    if (this.#closing()) this.#response.writeHeader('connection', 'close');
  }

  /**
   * The native server writes the status line as it is given, so that fields can stand behind it: one call for all
   * of them instead of one for each, which is 5 % of the CPU time of a request (`npm run bench -- --scenario tool`).
   */
  #writeStatusAndFields(status: number, headers: HeaderFields): void {
    const text = answerHeadText(status, headers);
    if (text !== null) {
      this.#response.writeStatus(text);
      return;
    }
    this.#response.writeStatus(statusLine(status));
    for (let index = 0; index + 1 < headers.length; index += 2) {
      const value = Buffer.from(headers[index + 1] ?? '', 'latin1');
      this.#response.writeHeader(headers[index] ?? '', value);
    }
  }

  #finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.#rest = null;
    this.#delayed = null;
    this.#onFinished();
  }
}

/** What is told to the native server to wait must not have to be paused in the midst: then nobody has to be told. */
function isDelayable({ length }: Uint8Array, { contentLength }: AnswerHead): boolean {
  return length <= MAX_DELAYED_BYTES && (contentLength === null || contentLength === length);
}
