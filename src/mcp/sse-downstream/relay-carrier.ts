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
  readonly session = null;
  readonly #relay: PostRelay;
  readonly #workerId: string;
  readonly #body: Buffer;

  /** @param body as the client sent it: what this worker's stages put in (names, ids), the holder puts in itself */
  constructor(relay: PostRelay, workerId: string, body: Buffer) {
    this.#relay = relay;
    this.#workerId = workerId;
    this.#body = body;
  }

  whenReady(): null {
    return null;
  }

  carry(exchange: Exchange): Verdict {
    this.#relay.send(exchange, this.#workerId, this.#body);
    return ANSWERED;
  }

  answer(exchange: Exchange): void {
    this.#relay.send(exchange, this.#workerId, this.#body);
  }

  /** Relays only what the holder refuses by itself: rates and loads are counted here, and not once more there. */
  refuse(exchange: Exchange, refusal: Refusal): boolean {
    const { reason } = refusal.kind;
    if (reason !== 'Authorization' && reason !== 'NotFound') return false;
    if (!answersRequest(exchange, refusal)) return false;
    this.#relay.send(exchange, this.#workerId, this.#body);
    return true;
  }
}
