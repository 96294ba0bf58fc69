import { GrowingBytes } from '../growing-bytes.ts';
import type { HeaderFields } from '../../accept/request-head.ts';
import type { Bytes } from '../../units.ts';

/** What an answer's head says of its body. */
export type BodyForm = 'json' | 'events' | 'other' | 'encoded';

/** Compares media types as RFC 9110, 8.3.1 says; the first Content-Type counts, and any coding but identity. */
export function bodyForm(headers: HeaderFields): BodyForm {
  let mediaType = '';
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    const value = headers[index + 1] ?? '';
    if (headers[index] === 'content-type') mediaType = value;
    if (headers[index] === 'content-encoding' && value.trim().toLowerCase() !== 'identity') {
      return 'encoded';
    }
  }
  const name = (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (name === 'application/json') return 'json';
  return name === 'text/event-stream' ? 'events' : 'other';
}

/** Collects a body up to a bound. */
export class BoundedBody {
  readonly #bytes = new GrowingBytes();
  readonly #maxBytes: Bytes;
  isTooLarge = false;

  constructor(maxBytes: Bytes) {
    this.#maxBytes = maxBytes;
  }

  append(piece: Uint8Array): void {
    if (this.isTooLarge) return;
    if (this.#bytes.length + piece.length > this.#maxBytes) {
      this.isTooLarge = true;
      this.#bytes.take();
    } else {
      this.#bytes.append(piece);
    }
  }

  take(): Buffer {
    return this.#bytes.take();
  }
}
