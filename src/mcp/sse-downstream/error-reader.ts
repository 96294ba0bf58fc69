import type { HeaderFields } from '../../accept/request-head.ts';
import type { Bytes } from '../../units.ts';
import type { AnswerFilter } from '../answer-filter.ts';
import { GrowingBytes } from '../growing-bytes.ts';

/** Largest body of an HTTP error that is looked at. */
const MAX_ERROR_BYTES: Bytes = 65_536;

/** Reads the body of an HTTP error of a Streamable HTTP server, as the filter lets it pass. */
export class ErrorReader {
  readonly #filter: AnswerFilter | null;
  readonly #body = new GrowingBytes();
  #isFiltered = false;

  /** @param filter takes out what the caller may not see; `null` where there is nothing to hide */
  constructor(filter: AnswerFilter | null) {
    this.#filter = filter;
  }

  start(status: number, headers: HeaderFields): void {
    this.#isFiltered = this.#filter !== null && this.#filter.onHead(status, headers) !== 'pass';
  }

  push(piece: Uint8Array): void {
    if (this.#filter === null || !this.#isFiltered) this.#take([piece]);
    else this.#take(this.#filter.push(piece));
  }

  /** @returns the body, as far as it is looked at; `null` where it must not be handed on */
  end(): Buffer | null {
    if (this.#filter !== null && this.#isFiltered) {
      this.#take(this.#filter.end());
      if (this.#filter.fault !== null) return null;
    }
    return this.#body.take();
  }

  #take(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      if (this.#body.length + piece.length <= MAX_ERROR_BYTES) this.#body.append(piece);
    }
  }
}
