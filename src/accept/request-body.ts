import type { Bytes } from '../units.ts';
import type { NativeResponse } from './native.ts';

/** How reading a body ended. `aborted`: the client went away first. */
export type BodyOutcome = 'complete' | 'too-large' | 'aborted';

/** Who waits for a body. */
export interface BodyReader {
  /** `outcome` is known. */
  onSettled(): void;
}

/**
 * Collects a request body, up to a limit. The native server hands its octets over only while its
 * callbacks run, so collecting starts with the request, before it is known whether anybody will ask.
 */
export class RequestBody {
  /** `null` while octets are still expected. */
  outcome: BodyOutcome | null = null;
  readonly #maxBytes: Bytes;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #reader: BodyReader | null = null;

  constructor(response: NativeResponse, maxBytes: Bytes) {
    this.#maxBytes = maxBytes;
    response.onData((chunk, isLast) => this.#take(chunk, isLast));
  }

  /** Must be called when the client goes away, so that nobody waits in vain. */
  abort(): void {
    if (this.outcome === null) this.#settle('aborted');
  }

  /** Forgets what was collected and whatever is still to come, and who waits: the request is answered. */
  discard(): void {
    this.#reader = null;
    this.#pieces = [];
    this.#bytes = 0;
    this.abort();
  }

  /** The octets, once `outcome` is `complete`. */
  bytes(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const whole = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [whole];
    return whole;
  }

  /** Sets who is told once `outcome` is known, which it must not be yet. At most one. */
  whenSettled(reader: BodyReader): void {
    this.#reader = reader;
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.outcome !== null) return;
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#maxBytes) {
      this.#pieces = [];
      this.#settle('too-large');
      return;
    }
    // The native server takes the chunk's memory back when this call returns.
    if (chunk.byteLength > 0) this.#pieces.push(copyOf(chunk));
    if (isLast) this.#settle('complete');
  }

  #settle(outcome: BodyOutcome): void {
    this.outcome = outcome;
    const reader = this.#reader;
    this.#reader = null;
    reader?.onSettled();
  }
}

function copyOf(chunk: ArrayBuffer): Buffer {
  const copy = Buffer.allocUnsafe(chunk.byteLength);
  copy.set(new Uint8Array(chunk));
  return copy;
}
