import type { HeaderFields } from '../../accept/request-head.ts';
import type { AnswerHead, Responder } from '../../accept/responder.ts';
import type { Bytes } from '../../units.ts';

/** Largest body that is brought back: the answers to a POST of HTTP+SSE are a few words. */
const MAX_BODY_BYTES: Bytes = 65_536;

/**
 * Collects the answer to a POST that another worker has the client of, and hands it over whole. The client's end
 * can't be seen from here.
 */
export class RelayResponder implements Responder {
  readonly aborted = false;
  started = false;
  finished = false;
  bodyBytes = 0;
  readonly #onAnswer: (status: number, headers: HeaderFields, body: string) => void;
  #head: AnswerHead | null = null;
  #pieces: Uint8Array[] = [];

  /** @param onAnswer called at most once; never where the answer was cut or is too large */
  constructor(onAnswer: (status: number, headers: HeaderFields, body: string) => void) {
    this.#onAnswer = onAnswer;
  }

  send(status: number, headers: HeaderFields, body: string | Uint8Array): void {
    if (this.finished || this.started) return;
    this.started = true;
    this.finished = true;
    this.#onAnswer(status, headers, Buffer.from(body).toString('utf8'));
  }

  sendAndClose(status: number, headers: HeaderFields, body: string): void {
    this.send(status, headers, body);
  }

  begin(answer: AnswerHead): void {
    if (this.finished || this.started) return;
    this.started = true;
    this.#head = answer;
    if (answer.bodiless) this.end();
  }

  write(piece: Uint8Array): boolean {
    if (this.finished) return true;
    this.bodyBytes += piece.length;
    if (this.bodyBytes > MAX_BODY_BYTES) this.cut();
    else this.#pieces.push(Buffer.from(piece));
    return true;
  }

  end(): void {
    if (this.finished || this.#head === null) return;
    this.finished = true;
    const { status, headers } = this.#head;
    this.#onAnswer(status, headers, Buffer.concat(this.#pieces).toString('utf8'));
  }

  cut(): void {
    this.finished = true;
    this.#pieces = [];
  }

  onAbort(): void {
    // Nobody tells this worker that the client is gone.
  }

  onDrain(): void {
    // Every piece is taken at once.
  }
}
