import type { HeaderFields } from '../../accept/request-head.ts';
import { refusals, type RefusalCode } from '../../errors.ts';
import type {
  Upstream,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamRequest,
} from '../../forward/upstream.ts';
import type { RunningAnswer } from '../../streams/running-answer.ts';
import type { StreamEnding } from '../../streams/stream-ending.ts';
import type { Milliseconds } from '../../units.ts';
import type { AnswerOutcome } from '../answer-filter.ts';
import type { McpRequest } from '../message.ts';
import type { AnswerObserver } from '../tool-list-observer.ts';
import type { ErrorReader } from './error-reader.ts';
import { errorOfBody, jsonRpcError } from './json-rpc-error.ts';
import type { MessageReader } from './message-reader.ts';

/**
 * How it ended for the client: as the answer says; `failed`: the gate answered, since the upstream did not; `ended`
 * together with the right to it; `cancelled`: the client went away.
 */
export type PostOutcome = AnswerOutcome | 'failed' | 'ended' | 'cancelled';

export interface PostAnswerOptions {
  /** The request that is answered; `null` for a notification or a client's answer. */
  readonly request: McpRequest | null;
  readonly reader: MessageReader;
  /** Reads a good answer along, for the metrics; `null` where nobody has to. */
  readonly observer: AnswerObserver | null;
  /** Of an HTTP error. */
  readonly errorReader: ErrorReader;
  /** What the answer to the request said, once the reader has handed it on. */
  readonly answered: () => AnswerOutcome | null;
  /** Whether the client reads slower than messages come. */
  readonly isBackedUp: () => boolean;
  /** Takes the head of a good answer (2xx), before anything that is in it. */
  readonly onAccepted: (headers: HeaderFields) => void;
  /** Takes an answer of the gate's own. */
  readonly answer: (message: Buffer) => void;
  /** The upstream does not know the session any more (404). */
  readonly onSessionLost: () => void;
  /** Called once, when nothing more will come. */
  readonly onOver: (outcome: PostOutcome) => void;
  /** Called before that where the right to the answer has ended. */
  readonly onRevoked: (ending: StreamEnding) => void;
}

/**
 * The upstream's answer to one message that a client posted over HTTP+SSE: brings its messages to the stream, and
 * sees to it that a request is answered, if with an error.
 */
export class PostAnswer implements UpstreamAnswer, RunningAnswer {
  readonly #options: PostAnswerOptions;
  #call: UpstreamCall | null = null;
  #timer: NodeJS.Timeout | null = null;
  #errorStatus = 0;
  #isOver = false;

  constructor(options: PostAnswerOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return !this.#isOver;
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
    this.#end('cancelled');
  }

  revoke(ending: StreamEnding): void {
    if (this.#isOver) return;
    this.#call?.abort();
    this.#options.onRevoked(ending);
    const { kind, text } = ending.refusal;
    this.#answerOnce(kind.jsonRpcCode, text);
    this.#end('ended');
  }

  keepAlive(): void {
    // It is the client's stream that is kept alive.
  }

  resume(): void {
    this.#call?.resume();
  }

  onHead(status: number, headers: HeaderFields): void {
    if (this.#isOver) return;
    this.#stopTimer();
    if (status < 200 || status > 299) {
      this.#errorStatus = status;
      this.#options.errorReader.start(status, headers);
      return;
    }
    this.#options.onAccepted(headers);
    this.#options.observer?.onHead(status, headers);
    this.#options.reader.start(status, headers);
    this.#checkFault();
  }

  onData(piece: Uint8Array): boolean {
    if (this.#isOver) return true;
    const { reader, errorReader, observer, isBackedUp } = this.#options;
    if (this.#errorStatus === 0) {
      observer?.push(piece);
      reader.push(piece);
      this.#checkFault();
    } else {
      errorReader.push(piece);
    }
    return !isBackedUp();
  }

  onEnd(): void {
    if (this.#isOver) return;
    if (this.#errorStatus !== 0) {
      this.#endError();
      return;
    }
    const { reader, observer } = this.#options;
    observer?.end();
    reader.end();
    if (this.#checkFault()) return;
    this.#fail('UPSTREAM_PROTOCOL');
  }

  onFailure(code: RefusalCode): void {
    if (!this.#isOver) this.#fail(code);
  }

  /** The upstream has answered with an HTTP error. */
  #endError(): void {
    const { request, errorReader, answer, onSessionLost } = this.#options;
    const body = errorReader.end();
    if (body === null) {
      this.#fail('UPSTREAM_ANSWER_UNREADABLE');
    } else {
      if (request !== null) {
        const { jsonRpcCode } = refusals.UPSTREAM_PROTOCOL;
        const text = `upstream call failed: HTTP status ${this.#errorStatus}`;
        answer(errorOfBody(body, request.id) ?? jsonRpcError(request.id, jsonRpcCode, text));
      }
      this.#end('error');
    }
    if (this.#errorStatus === 404) onSessionLost();
  }

  #checkFault(): boolean {
    const { reader } = this.#options;
    if (reader.fault === null || this.#isOver) return this.#isOver;
    this.#call?.abort();
    this.#fail('UPSTREAM_ANSWER_UNREADABLE');
    return true;
  }

  /** Nothing more comes: a request that has no answer yet gets one of the gate's. */
  #fail(code: RefusalCode): void {
    const { jsonRpcCode, text } = refusals[code];
    this.#answerOnce(jsonRpcCode, text);
    this.#end(this.#options.request === null ? 'ok' : 'failed');
  }

  #answerOnce(code: number, text: string): void {
    const { request, answered, answer } = this.#options;
    if (request !== null && answered() === null) answer(jsonRpcError(request.id, code, text));
  }

  /** @param outcome where the answer did not come */
  #end(outcome: PostOutcome): void {
    this.#isOver = true;
    this.#stopTimer();
    this.#options.reader.stop();
    this.#options.onOver(this.#options.answered() ?? outcome);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
