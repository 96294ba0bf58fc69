import type { Refusal } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import { ANSWERED, type Verdict } from '../../verdict.ts';
import { answersRequest, type MessageCarrier } from './message-carrier.ts';
import type { PostRelay } from './post-relay.ts';

/**
 * Brings a posted message to the worker that holds its stream. It has been decided on here, so that the log and
 * the metrics of this worker know of it; what counts is what the holder decides.
 */
export class RelayCarrier implements MessageCarrier {
  readonly #relay: PostRelay;
  readonly #workerId: string;

  constructor(relay: PostRelay, workerId: string) {
    this.#relay = relay;
    this.#workerId = workerId;
  }

  carry(exchange: Exchange): Verdict {
    this.#relay.send(exchange, this.#workerId);
    return ANSWERED;
  }

  refuse(exchange: Exchange, refusal: Refusal): boolean {
    if (!answersRequest(exchange, refusal)) return false;
    this.#relay.send(exchange, this.#workerId);
    return true;
  }
}
