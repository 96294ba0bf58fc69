import type { RefusalCode } from '../../errors.ts';
import type { UpstreamAnswer } from '../../forward/upstream.ts';
import type { Bytes } from '../../units.ts';

export interface ClientStreamOptions {
  /** The answer to the client's GET. */
  readonly answer: UpstreamAnswer;
  /** What may be held in memory for the client; beyond it the stream is cut. */
  readonly maxHeldBytes: Bytes;
  /** The client has caught up. */
  readonly onFree: () => void;
}

/**
 * The client's side of one stream: events in order, no faster than the client reads.
 */
export class ClientStream {
  readonly #answer: UpstreamAnswer;
  readonly #maxHeldBytes: Bytes;
  readonly #onFree: () => void;
  #queue: Buffer[] = [];
  #next = 0;
  #heldBytes: Bytes = 0;
  #isOver = false;
  /** The client reads slower than messages come: whoever can wait should. */
  isBackedUp = false;

  constructor({ answer, maxHeldBytes, onFree }: ClientStreamOptions) {
    this.#answer = answer;
    this.#maxHeldBytes = maxHeldBytes;
    this.#onFree = onFree;
  }

  /** Sends an event, or keeps it until the client has caught up. */
  send(event: Buffer): void {
    if (this.#isOver) return;
    if (!this.isBackedUp) {
      this.isBackedUp = !this.#answer.onData(event);
      return;
    }
    this.#queue.push(event);
    this.hold(event.length);
  }

  /**
   * Counts octets that are kept for this client, here or where an answer is collected.
   *
   * @param change negative when they are let go
   */
  hold(change: Bytes): void {
    this.#heldBytes += change;
    if (this.#heldBytes > this.#maxHeldBytes) {
      this.fail('CLIENT_TOO_SLOW', `more than ${this.#maxHeldBytes} octets wait for the client`);
    }
  }

  /** To be called when the client has caught up. */
  resume(): void {
    this.isBackedUp = false;
    while (!this.#isOver && !this.isBackedUp) {
      const event = this.#queue[this.#next];
      if (event === undefined) break;
      this.#next += 1;
      this.hold(-event.length);
      this.isBackedUp = !this.#answer.onData(event);
    }
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    if (!this.isBackedUp && !this.#isOver) this.#onFree();
  }

  /** Cuts the stream. */
  fail(code: RefusalCode, detail: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#answer.onFailure(code, detail);
  }

  /** Ends the stream in good order; the client may open another. */
  end(): void {
    if (this.#isOver) return;
    this.stop();
    this.#answer.onEnd();
  }

  /** The client is gone: nothing is sent or kept any more. */
  stop(): void {
    this.#isOver = true;
    this.#queue = [];
    this.#next = 0;
  }
}
