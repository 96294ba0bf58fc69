import { Refusal } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import type { Milliseconds } from '../../units.ts';
import { PASS, type Verdict } from '../../verdict.ts';
import { hashSessionId } from '../seal.ts';
import { acceptingUpstream, sendAccepted } from './accept-message.ts';
import { answersRequest, type MessageCarrier } from './message-carrier.ts';
import type { OpenedSession } from '../session.ts';
import type { PostOutcome } from './post-answer.ts';
import type { SseStream } from './sse-stream.ts';

/** A longer timer of Node's would ring at once; nobody waits for 24 days. */
const LONGEST_TIMER_MS: Milliseconds = 2_147_483_647;

/** Who is told of the requests whose answers go to streams. */
export interface Deliveries {
  /** The answer is under way; it is in `exchange.answer`, and may be revoked there. */
  readonly onCarried: (exchange: Exchange) => unknown;
  /** Called once for each, when nothing more comes. */
  readonly onDelivered: (exchange: Exchange, outcome: PostOutcome) => void;
}

/** Brings a posted message to a stream of this worker. */
export class StreamCarrier implements MessageCarrier {
  readonly #stream: SseStream;
  readonly #deliveries: Deliveries;

  constructor(stream: SseStream, deliveries: Deliveries) {
    this.#stream = stream;
    this.#deliveries = deliveries;
  }

  get session(): OpenedSession | null {
    const { upstreamSessionId: upstreamId } = this.#stream;
    return upstreamId === null
      ? null
      : { sealed: null, upstreamId, hash: hashSessionId(upstreamId), needsReseal: false };
  }

  whenReady(): Promise<void> | null {
    return this.#stream.whenReady();
  }

  /** @returns PASS; SESSION_UNKNOWN where the stream has ended, MESSAGES_IN_FLIGHT where it is busy */
  carry(exchange: Exchange): Verdict {
    const stream = this.#stream;
    const { message, upstream, answerFilter: filter, answerObserver: observer, rule } = exchange;
    if (!stream.isOpen || message === null || upstream === null) {
      return new Refusal('SESSION_UNKNOWN');
    }
    if (stream.isBusy) return new Refusal('MESSAGES_IN_FLIGHT');
    // What is filtered is the answer on the stream; the 202 holds nothing to hide.
    exchange.answerFilter = null;
    exchange.answerObserver = null;
    const timeoutMs = shorter(
      rule?.requestTimeoutMs ?? null,
      rule?.backendRequestTimeoutMs ?? null,
    );
    const isRequest = message.kind === 'request';
    const { onCarried, onDelivered } = this.#deliveries;
    exchange.upstream = acceptingUpstream(upstream, (request) => {
      exchange.isCarried = isRequest;
      const answer = stream.post({
        message,
        upstream,
        request,
        filter,
        observer,
        timeoutMs,
        onSessionOpened: () => (exchange.hasOpenedSession = true),
        onRevoked: ({ reason, refusal }) => {
          exchange.streamEnd = reason;
          exchange.refusal = refusal;
        },
        onOver: (outcome) => {
          if (isRequest) onDelivered(exchange, outcome);
        },
      });
      if (!isRequest || !answer.isRunning) return;
      // In the place of the 202, which is over at once.
      exchange.answer = answer;
      onCarried(exchange);
    });
    return PASS;
  }

  answer(exchange: Exchange, message: Buffer): void {
    this.#stream.send(message);
    sendAccepted(exchange);
  }

  refuse(exchange: Exchange, refusal: Refusal): boolean {
    if (!this.#stream.isOpen || !answersRequest(exchange, refusal)) return false;
    this.answer(exchange, Buffer.from(refusal.body));
    return true;
  }
}

function shorter(one: Milliseconds | null, other: Milliseconds | null): Milliseconds | null {
  const ms = Math.min(one ?? Infinity, other ?? Infinity);
  return ms <= LONGEST_TIMER_MS ? ms : null;
}
