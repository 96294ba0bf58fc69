import type { Bytes } from '../units.ts';

const FIRST_CAPACITY_BYTES = 256;

/**
 * Collects octets that come in pieces. Whoever hands over a piece may use its memory again afterwards;
 * `take` gives memory away that nothing else holds. Memory grows by doubling, so that pieces of one octet
 * cost no more than large ones.
 */
export class GrowingBytes {
  #bytes: Buffer | null = null;
  #length = 0;

  /** Octets collected since the start or the last `take`. */
  get length(): Bytes {
    return this.#length;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    let bytes = this.#bytes;
    if (bytes === null || bytes.length < length) {
      const wanted = Math.max(length, 2 * (bytes?.length ?? 0), FIRST_CAPACITY_BYTES);
      const larger = Buffer.allocUnsafe(wanted);
      bytes?.copy(larger, 0, 0, this.#length);
      bytes = larger;
      this.#bytes = bytes;
    }
    bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** Gives out what was collected and starts anew. */
  take(): Buffer {
    const taken = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
    this.#bytes = null;
    this.#length = 0;
    return taken;
  }
}

/** The same memory as a Buffer: no octet is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
