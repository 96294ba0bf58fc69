const LF = 0x0a;
const CR = 0x0d;

/**
 * Follows the octets of one event stream, just enough to know whether they have ended between two events, where
 * a comment may be put in (WHATWG HTML, 9.2.5). Lines end in LF, CR or CRLF.
 */
export class EventBoundary {
  /** The last octets that were seen; the stream begins between two events. */
  #thirdLast = 0;
  #secondLast = LF;
  #last = LF;

  /** Takes the next octets. */
  see(piece: Uint8Array): void {
    const { length } = piece;
    if (length === 0) return;
    this.#thirdLast = octetAt(piece, length - 3, length === 1 ? this.#secondLast : this.#last);
    this.#secondLast = octetAt(piece, length - 2, this.#last);
    this.#last = octetAt(piece, length - 1, 0);
  }

  /**
   * Whether the last line that was seen is a blank one. After a CR an LF may follow that belongs to it; behind a
   * comment it is a blank line more, which means nothing.
   */
  get isBetweenEvents(): boolean {
    const [third, second, last] = [this.#thirdLast, this.#secondLast, this.#last];
    if (last === CR) return second === CR || second === LF;
    if (last !== LF) return false;
    return second === LF || (second === CR && (third === CR || third === LF));
  }
}

function octetAt(piece: Uint8Array, index: number, before: number): number {
  return index < 0 ? before : (piece[index] ?? 0);
}
