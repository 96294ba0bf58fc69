import type { UpstreamCall } from '../../forward/upstream.ts';

/**
 * The requests to targets that serve one request of a client: they end with it, and go on reading when the client
 * has caught up.
 */
export class CallScope implements UpstreamCall {
  readonly #calls = new Set<UpstreamCall>();
  readonly #endings = new Set<() => void>();
  /** The client is gone, or has its answer: nothing more may be sent to a target for it. */
  isOver = false;

  add(call: UpstreamCall): void {
    if (this.isOver) call.abort();
    else this.#calls.add(call);
  }

  delete(call: UpstreamCall): void {
    this.#calls.delete(call);
  }

  /** Calls back when the scope is over; at once if it is. */
  onOver(callback: () => void): void {
    if (this.isOver) callback();
    else this.#endings.add(callback);
  }

  /** Takes back what {@link onOver} was given. */
  forget(callback: () => void): void {
    this.#endings.delete(callback);
  }

  abort(): void {
    this.isOver = true;
    for (const call of this.#calls) call.abort();
    this.#calls.clear();
    for (const callback of this.#endings) callback();
    this.#endings.clear();
  }

  resume(): void {
    for (const call of this.#calls) call.resume();
  }
}
