import { Refusal } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import type { Milliseconds } from '../../units.ts';
import { PASS, type Verdict } from '../../verdict.ts';
import { hashSessionId } from '../seal.ts';
import { acceptingUpstream, sendAccepted } from './accept-message.ts';
import { answersRequest, type MessageCarrier } from './message-carrier.ts';
import type { SseStream } from './sse-stream.ts';

/** A longer timer of Node's would ring at once; nobody waits for 24 days. */
const LONGEST_TIMER_MS: Milliseconds = 2_147_483_647;

/** Brings a posted message to a stream of this worker. */
export class StreamCarrier implements MessageCarrier {
  readonly #stream: SseStream;

  constructor(stream: SseStream) {
    this.#stream = stream;
  }

  /** @returns PASS; SESSION_UNKNOWN where the stream has ended, MESSAGES_IN_FLIGHT where it is busy */
  carry(exchange: Exchange): Verdict {
    const stream = this.#stream;
    const { message, upstream, answerFilter: filter, rule } = exchange;
    if (!stream.isOpen || message === null || upstream === null) {
      return new Refusal('SESSION_UNKNOWN');
    }
    if (stream.isBusy) return new Refusal('MESSAGES_IN_FLIGHT');
    const { upstreamSessionId } = stream;
    exchange.session =
      upstreamSessionId === null
        ? null
        : {
            upstreamId: upstreamSessionId,
            hash: hashSessionId(upstreamSessionId),
            needsReseal: false,
          };
    // What is filtered is the answer on the stream; the 202 holds nothing to hide.
    exchange.answerFilter = null;
    const timeoutMs = shorter(
      rule?.requestTimeoutMs ?? null,
      rule?.backendRequestTimeoutMs ?? null,
    );
    exchange.upstream = acceptingUpstream(upstream, (request) =>
      stream.post({ message, upstream, request, filter, timeoutMs }),
    );
    return PASS;
  }

  refuse(exchange: Exchange, refusal: Refusal): boolean {
    if (!this.#stream.isOpen || !answersRequest(exchange, refusal)) return false;
    this.#stream.refuse(refusal);
    sendAccepted(exchange);
    return true;
  }
}

function shorter(one: Milliseconds | null, other: Milliseconds | null): Milliseconds | null {
  const ms = Math.min(one ?? Infinity, other ?? Infinity);
  return ms <= LONGEST_TIMER_MS ? ms : null;
}
