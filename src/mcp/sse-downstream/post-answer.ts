import type { HeaderFields } from '../../accept/request-head.ts';
import { refusals, type RefusalCode } from '../../errors.ts';
import type {
  Upstream,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamRequest,
} from '../../forward/upstream.ts';
import type { Bytes, Milliseconds } from '../../units.ts';
import { GrowingBytes } from '../growing-bytes.ts';
import type { McpRequest } from '../message.ts';
import { errorOfBody, jsonRpcError } from './json-rpc-error.ts';
import type { MessageReader } from './message-reader.ts';

/** Largest body of an HTTP error that is looked at. */
const MAX_ERROR_BYTES: Bytes = 65_536;

export interface PostAnswerOptions {
  /** The request that is answered; `null` for a notification or a client's answer. */
  readonly request: McpRequest | null;
  readonly reader: MessageReader;
  /** Whether the reader has handed on the answer to the request. */
  readonly isAnswered: () => boolean;
  /** Whether the client reads slower than messages come. */
  readonly isBackedUp: () => boolean;
  /** Takes the head of a good answer (2xx), before anything that is in it. */
  readonly onAccepted: (headers: HeaderFields) => void;
  /** Takes an answer of the gate's own. */
  readonly answer: (message: Buffer) => void;
  /** The upstream does not know the session any more (404). */
  readonly onSessionLost: () => void;
  /** Called once, when nothing more will come. */
  readonly onOver: () => void;
}

/**
 * The upstream's answer to one message that a client posted over HTTP+SSE: brings its messages to the stream, and
 * sees to it that a request is answered, if with an error.
 */
export class PostAnswer implements UpstreamAnswer {
  readonly #options: PostAnswerOptions;
  #call: UpstreamCall | null = null;
  #timer: NodeJS.Timeout | null = null;
  #errorStatus = 0;
  #errorBody: GrowingBytes | null = null;
  #isOver = false;

  constructor(options: PostAnswerOptions) {
    this.#options = options;
  }

  /** @param timeoutMs bounds the time to the head of the answer; `null`: no limit */
  start(upstream: Upstream, request: UpstreamRequest, timeoutMs: Milliseconds | null): void {
    if (this.#isOver) return;
    if (timeoutMs !== null) {
      this.#timer = setTimeout(() => {
        this.#call?.abort();
        this.onFailure('UPSTREAM_TIMEOUT');
      }, timeoutMs);
    }
    this.#call = upstream.request(request, this);
  }

  /** The client is gone. */
  abort(): void {
    if (this.#isOver) return;
    this.#call?.abort();
    this.#end();
  }

  resume(): void {
    this.#call?.resume();
  }

  onHead(status: number, headers: HeaderFields): void {
    if (this.#isOver) return;
    this.#stopTimer();
    if (status < 200 || status > 299) {
      this.#errorStatus = status;
      this.#errorBody = new GrowingBytes();
      return;
    }
    this.#options.onAccepted(headers);
    this.#options.reader.start(status, headers);
    this.#checkFault();
  }

  onData(piece: Uint8Array): boolean {
    if (this.#isOver) return true;
    const { reader, isBackedUp } = this.#options;
    if (this.#errorBody === null) {
      reader.push(piece);
      this.#checkFault();
    } else if (this.#errorBody.length + piece.length <= MAX_ERROR_BYTES) {
      this.#errorBody.append(piece);
    }
    return !isBackedUp();
  }

  onEnd(): void {
    if (this.#isOver) return;
    const { request, reader, answer } = this.#options;
    if (this.#errorBody === null) {
      reader.end();
      if (this.#checkFault()) return;
      if (request !== null) {
        this.#answerOnce('UPSTREAM_PROTOCOL');
      }
    } else if (request !== null) {
      const error = errorOfBody(this.#errorBody.take(), request.id);
      const { jsonRpcCode } = refusals.UPSTREAM_PROTOCOL;
      const text = `upstream call failed: HTTP status ${this.#errorStatus}`;
      answer(error ?? jsonRpcError(request.id, jsonRpcCode, text));
    }
    this.#end();
    if (this.#errorStatus === 404) this.#options.onSessionLost();
  }

  onFailure(code: RefusalCode): void {
    if (this.#isOver) return;
    this.#answerOnce(code);
    this.#end();
  }

  #checkFault(): boolean {
    const { reader } = this.#options;
    if (reader.fault === null || this.#isOver) return this.#isOver;
    this.#call?.abort();
    this.#answerOnce('UPSTREAM_ANSWER_UNREADABLE');
    this.#end();
    return true;
  }

  #answerOnce(code: RefusalCode): void {
    const { request, isAnswered, answer } = this.#options;
    if (request === null || isAnswered()) return;
    const { jsonRpcCode, text } = refusals[code];
    answer(jsonRpcError(request.id, jsonRpcCode, text));
  }

  #end(): void {
    this.#isOver = true;
    this.#stopTimer();
    this.#options.reader.stop();
    this.#options.onOver();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
