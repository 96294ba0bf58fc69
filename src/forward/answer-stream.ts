import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers';
import type { HeaderFields } from '../accept/request-head.ts';
import type { Exchange } from '../exchange.ts';
import type { RuleRuntime } from '../runtime.ts';
import { Refusal, type RefusalCode } from '../errors.ts';
import { answerHeaders } from './answer-headers.ts';
import type { ChosenBackend } from './backend-chooser.ts';
import type { UpstreamAnswer, UpstreamCall, UpstreamRequest } from './upstream.ts';

/**
 * An event stream may begin with a comment (WHATWG HTML, 9.2.5): it carries the answer's head to the client
 * when the upstream has no event to send yet.
 */
const SSE_OPENING = ':\n\n';

/** A longer timer of Node's would ring at once; nobody waits for 24 days. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Carries one answer from the upstream to the client: each piece as it comes, no faster than the client
 * reads, ended on both sides as soon as either side ends.
 */
export class AnswerStream implements UpstreamAnswer {
  readonly #exchange: Exchange;
  readonly #rule: RuleRuntime;
  readonly #chosen: ChosenBackend;
  readonly #monotonicNow: () => number;
  #call: UpstreamCall | null = null;
  #timer: ReturnType<typeof startTimer> | null = null;
  #over = false;

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
   * @param timeoutMs bounds the time to the head of the answer; `null`: no limit
   */
  start(request: UpstreamRequest, timeoutMs: number | null): void {
    const { responder } = this.#exchange;
    responder.onAbort(() => this.#abort());
    responder.onDrain(() => this.#call?.resume());
    if (timeoutMs !== null && timeoutMs <= LONGEST_TIMER_MS) {
      this.#timer = startTimer(() => {
        this.#call?.abort();
        this.onFailure('UPSTREAM_TIMEOUT', `no answer within ${Math.round(timeoutMs)} ms`);
      }, timeoutMs);
    }
    this.#call = this.#chosen.upstream.request(request, this);
    if (responder.aborted) this.#call.abort();
  }

  onHead(status: number, upstreamHeaders: HeaderFields): void {
    if (this.#over) return;
    this.#stopTimer();
    const exchange = this.#exchange;
    const { head, responder } = exchange;
    exchange.upstreamAnsweredAtMonotonicMs = this.#monotonicNow();
    exchange.status = status;
    const { cors, filters } = this.#rule;
    const { headers, contentLength, isEventStream } = answerHeaders(upstreamHeaders, cors !== null);
    exchange.isEventStream = isEventStream;
    if (cors !== null) headers.push(...cors.responseHeaders(head));
    filters.modifyResponseHeaders?.(headers);
    this.#chosen.filters.modifyResponseHeaders?.(headers);
    const bodiless = head.method === 'HEAD' || status === 204 || status === 304;
    responder.begin({
      status,
      headers,
      contentLength: status === 204 ? null : contentLength,
      bodiless,
      opening: isEventStream ? SSE_OPENING : '',
    });
  }

  onData(piece: Uint8Array): boolean {
    return this.#over || this.#exchange.responder.write(piece);
  }

  onEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#exchange.responder.end();
  }

  onFailure(code: RefusalCode, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#exchange.fail(new Refusal(code, { detail }));
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
