import type { HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { UpstreamAnswer } from '../../forward/upstream.ts';
import { commentEvent, eventOf } from './event-text.ts';

const STREAM_HEADERS: HeaderFields = [
  'content-type',
  'text/event-stream',
  'cache-control',
  'no-cache, no-transform',
  'x-accel-buffering',
  'no',
];

/**
 * The answer to one request of a client, as the federation gives it: one JSON message, or a stream of events whose
 * last one is the response. It ends once; what comes later is dropped.
 */
export class ClientAnswer {
  readonly #answer: UpstreamAnswer;
  readonly #sessionText: () => string | null;
  readonly #onOver: () => void;
  #newSession: string | null = null;
  isStream = false;
  isOver = false;

  /** @param sessionText what the session has become, where the client should learn of it */
  constructor(answer: UpstreamAnswer, sessionText: () => string | null, onOver: () => void) {
    this.#answer = answer;
    this.#sessionText = sessionText;
    this.#onOver = onOver;
  }

  /** The session that this answer opens. */
  setSession(text: string): void {
    this.#newSession = text;
  }

  beginStream(): void {
    if (this.isStream || this.isOver) return;
    this.isStream = true;
    this.#answer.onHead(200, this.#withSession([...STREAM_HEADERS]));
  }

  /** @returns false when the client reads slower than this */
  event(message: Uint8Array): boolean {
    if (this.isOver) return true;
    this.beginStream();
    return this.#answer.onData(eventOf(message));
  }

  comment(): boolean {
    return this.isOver || !this.isStream || this.#answer.onData(commentEvent);
  }

  /** Ends the answer with its response, under this status where nothing was sent yet. */
  respond(status: number, message: Uint8Array): void {
    if (this.isOver) return;
    if (this.isStream) {
      this.event(message);
      this.end();
    } else {
      this.send(status, ['content-type', 'application/json'], message);
    }
  }

  /** Sends an answer without a message, or with one that is handed on as it is. */
  send(status: number, headers: HeaderFields, body: Uint8Array | null): void {
    if (this.isOver) return;
    this.isOver = true;
    const fields = body === null ? headers : [...headers, 'content-length', String(body.length)];
    this.#answer.onHead(status, this.#withSession(fields));
    if (body !== null) this.#answer.onData(body);
    this.#answer.onEnd();
    this.#onOver();
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#answer.onEnd();
    this.#onOver();
  }

  fail(code: RefusalCode, detail: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#answer.onFailure(code, detail);
    this.#onOver();
  }

  #withSession(headers: HeaderFields): HeaderFields {
    const text = this.#newSession ?? this.#sessionText();
    return text === null ? headers : [...headers, 'mcp-session-id', text];
  }
}
