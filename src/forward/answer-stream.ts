import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers';
import type { HeaderFields } from '../accept/request-head.ts';
import type { Exchange } from '../exchange.ts';
import type { RuleRuntime } from '../runtime.ts';
import { Refusal, type RefusalCode } from '../errors.ts';
import type { RunningAnswer } from '../streams/running-answer.ts';
import type { StreamEnding } from '../streams/stream-ending.ts';
import { answerHeaders } from './answer-headers.ts';
import type { ChosenBackend } from './backend-chooser.ts';
import { EventBoundary } from './event-boundary.ts';
import type { Upstream, UpstreamAnswer, UpstreamCall, UpstreamRequest } from './upstream.ts';

/**
 * An event stream may begin with a comment (WHATWG HTML, 9.2.5): it carries the answer's head to the client
 * when the upstream has no event to send yet.
 */
const SSE_OPENING = ':\n\n';
const SSE_COMMENT = Buffer.from(SSE_OPENING);

/** A longer timer of Node's would ring at once; nobody waits for 24 days. */
const LONGEST_TIMER_MS = 2_147_483_647;

const NOTHING: readonly Uint8Array[] = Object.freeze([]);

interface HeldHead {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly isEventStream: boolean;
}

/**
 * Carries one answer from the upstream to the client: each piece as it comes, no faster than the client
 * reads, ended on both sides as soon as either side ends.
 */
export class AnswerStream implements UpstreamAnswer, RunningAnswer {
  readonly #exchange: Exchange;
  readonly #rule: RuleRuntime;
  readonly #chosen: ChosenBackend;
  readonly #monotonicNow: () => number;
  #call: UpstreamCall | null = null;
  #timer: ReturnType<typeof startTimer> | null = null;
  #over = false;
  /** The head of an answer whose body is held back until it is filtered. */
  #heldHead: HeldHead | null = null;
  /** Of an event stream that comments may be put into. */
  #boundary: EventBoundary | null = null;
  /** The client has not taken yet what was written. */
  #isBehind = false;

  constructor(
    exchange: Exchange,
    rule: RuleRuntime,
    chosen: ChosenBackend,
    monotonicNow: () => number,
  ) {
    this.#exchange = exchange;
    this.#rule = rule;
    this.#chosen = chosen;
    this.#monotonicNow = monotonicNow;
  }

  /**
   * Sends the request.
   *
   * @param upstream the one of the chosen backend, or what stands for several
   * @param timeoutMs bounds the time until the client's answer begins; `null`: no limit
   */
  start(upstream: Upstream, request: UpstreamRequest, timeoutMs: number | null): void {
    const { responder } = this.#exchange;
    this.#exchange.answer = this;
    responder.onAbort(() => this.#abort());
    responder.onDrain(() => {
      this.#isBehind = false;
      this.#call?.resume();
    });
    if (timeoutMs !== null && timeoutMs <= LONGEST_TIMER_MS) {
      this.#timer = startTimer(() => {
        this.#call?.abort('timeout');
        this.onFailure('UPSTREAM_TIMEOUT', `no answer within ${Math.round(timeoutMs)} ms`);
      }, timeoutMs);
    }
    this.#call = upstream.request(request, this);
    if (responder.aborted) this.#call.abort();
  }

  get isRunning(): boolean {
    const { responder } = this.#exchange;
    return responder.started && !responder.finished;
  }

  onHead(status: number, upstreamHeaders: HeaderFields): void {
    if (this.#over) return;
    const exchange = this.#exchange;
    exchange.upstreamAnsweredAtMonotonicMs = this.#monotonicNow();
    exchange.answerObserver?.onHead(status, upstreamHeaders);
    const mode = exchange.answerFilter?.onHead(status, upstreamHeaders) ?? 'pass';
    // A held answer has not begun for the client, who would wait for ever if its body never ended.
    if (mode !== 'json') this.#stopTimer();
    if (mode === 'fault') {
      this.#refuseAnswer();
      return;
    }
    const { headers, contentLength, isEventStream } = answerHeaders(
      upstreamHeaders,
      this.#rule.cors !== null,
      mode !== 'pass',
    );
    const head = { status, headers, isEventStream };
    if (mode === 'json') this.#heldHead = head;
    else this.#begin(head, mode === 'events' ? null : contentLength);
  }

  onData(piece: Uint8Array, isLast = false): boolean {
    if (this.#over) return true;
    const { answerFilter, answerObserver } = this.#exchange;
    answerObserver?.push(piece);
    if (answerFilter === null) return this.#write(piece);
    return this.#writeAll(answerFilter.push(piece, isLast));
  }

  onEnd(): void {
    if (this.#over) return;
    this.#stopTimer();
    const { answerFilter, answerObserver, responder } = this.#exchange;
    answerObserver?.end();
    const rest = answerFilter?.end() ?? NOTHING;
    if (this.#heldHead !== null && answerFilter?.fault === null) {
      this.#begin(this.#heldHead, lengthOf(rest));
    }
    this.#writeAll(rest);
    if (this.#isOver()) return;
    this.#over = true;
    responder.end();
  }

  onFailure(code: RefusalCode, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#exchange.fail(new Refusal(code, { detail }));
  }

  revoke(ending: StreamEnding): void {
    const exchange = this.#exchange;
    if (this.#over || exchange.responder.finished) return;
    this.#abort();
    exchange.streamEnd = ending.reason;
    if (exchange.isEventStream) {
      exchange.refusal = ending.refusal;
      exchange.responder.end();
    } else {
      exchange.fail(ending.refusal);
    }
  }

  keepAlive(): void {
    if (this.#over || this.#isBehind || this.#boundary?.isBetweenEvents !== true) return;
    this.#exchange.responder.write(SSE_COMMENT);
  }

  #write(piece: Uint8Array): boolean {
    this.#boundary?.see(piece);
    const accepted = this.#exchange.responder.write(piece);
    if (!accepted) this.#isBehind = true;
    return accepted;
  }

  #begin({ status, headers, isEventStream }: HeldHead, contentLength: number | null): void {
    const exchange = this.#exchange;
    const { head, responder } = exchange;
    exchange.status = status;
    exchange.isEventStream = isEventStream;
    if (isEventStream && contentLength === null) this.#boundary = new EventBoundary();
    exchange.backend?.mcp?.sealSession(exchange, headers);
    const { cors, filters } = this.#rule;
    if (cors !== null) headers.push(...cors.responseHeaders(head));
    filters.modifyResponseHeaders?.(headers);
    this.#chosen.filters.modifyResponseHeaders?.(headers);
    responder.begin({
      status,
      headers,
      contentLength: status === 204 ? null : contentLength,
      bodiless: head.method === 'HEAD' || status === 204 || status === 304,
      opening: isEventStream ? SSE_OPENING : '',
    });
  }

  /** @returns false when the client reads slower than this */
  #writeAll(pieces: readonly Uint8Array[]): boolean {
    if (this.#exchange.answerFilter?.fault != null) {
      this.#refuseAnswer();
      return true;
    }
    let accepted = true;
    for (const piece of pieces) accepted = this.#write(piece) && accepted;
    return accepted;
  }

  /** What can't be read can't be shown: it might name what the caller may not see. */
  #refuseAnswer(): void {
    this.#call?.abort();
    this.onFailure('UPSTREAM_ANSWER_UNREADABLE', this.#exchange.answerFilter?.fault ?? '');
  }

  /** A method, so that the compiler does not assume what a call may have changed. */
  #isOver(): boolean {
    return this.#over;
  }

  #abort(): void {
    this.#over = true;
    this.#stopTimer();
    this.#call?.abort();
  }

  #stopTimer(): void {
    if (this.#timer !== null) stopTimer(this.#timer);
    this.#timer = null;
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}
