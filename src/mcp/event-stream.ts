import type { Bytes } from '../units.ts';
import { EventBlock } from './event-block.ts';
import { asBuffer, GrowingBytes } from './growing-bytes.ts';
import { LineEnds } from './line-ends.ts';

const LF = 0x0a;

/** Cuts one event stream into its blocks. */
export interface EventSplitter {
  /**
   * @param piece the next octets of the stream, of any length
   * @returns the blocks that this piece completes. A block that lies within one piece shares its memory, so
   *   it must be used, or copied, before the piece's memory is used again
   */
  push(piece: Uint8Array): readonly EventBlock[];
  /**
   * Ends the stream.
   *
   * @returns what came after the last blank line, octet by octet, or `null`. If it is not `isComplete` it
   *   is an event cut short, which readers discard (WHATWG HTML, 9.2.6); a filter must not hand on its data
   */
  end(): EventBlock | null;
  /** Set once a block is longer than allowed; nothing more comes out then, and the stream must be ended. */
  readonly fault: 'an event is too large' | null;
}

/**
 * Makes a splitter for `text/event-stream` (WHATWG HTML, 9.2.5). A block is everything up to and including
 * its blank line: an event with its comments, ids and times, a comment alone, or a blank line alone. Lines
 * end in LF, CR or CRLF, mixed at will. The blocks in a row are the stream octet by octet, and do not
 * depend on how the stream was cut into pieces.
 *
 * A CR that ends a block could be half of a CRLF. The block waits for the next octet only if the line
 * before ended in CRLF, where an LF is sure to follow; else the block is complete at its CR, and an LF that
 * follows opens the next block, where it means nothing.
 */
export function createEventSplitter(options: { readonly maxEventBytes: Bytes }): EventSplitter {
  return new Splitter(options.maxEventBytes);
}

class Splitter implements EventSplitter {
  readonly #maxEventBytes: Bytes;
  readonly #pending = new GrowingBytes();
  fault: 'an event is too large' | null = null;
  #isFirst = true;
  /** No octet of the current line has come yet. */
  #lineIsEmpty = true;
  /** The last octet was a CR: an LF that follows belongs to it. */
  #afterCr = false;
  /** The block is complete but for the LF that may follow its last CR. */
  #awaitsLf = false;
  #lastEndWasCrlf = false;

  constructor(maxEventBytes: Bytes) {
    this.#maxEventBytes = maxEventBytes;
  }

  push(piece: Uint8Array): readonly EventBlock[] {
    const blocks: EventBlock[] = [];
    const bytes = asBuffer(piece);
    if (this.fault !== null || bytes.length === 0) return blocks;
    const lineEnds = new LineEnds(bytes);
    let at = this.#afterCr ? this.#readLfAfterCr(bytes, 0) : 0;
    let blockStart = 0;
    if (this.#awaitsLf) {
      this.#awaitsLf = false;
      if (!this.#complete(bytes, 0, at, blocks)) return blocks;
      blockStart = at;
    }
    while (at < bytes.length) {
      const lineEnd = lineEnds.next(at);
      if (lineEnd > at) this.#lineIsEmpty = false;
      if (lineEnd === bytes.length) break;
      const isBlank = this.#lineIsEmpty;
      this.#lineIsEmpty = true;
      at = lineEnd + 1;
      let blockEnd = at;
      if (bytes[lineEnd] === LF) {
        this.#lastEndWasCrlf = false;
      } else {
        const mayTakeLf = this.#lastEndWasCrlf;
        at = this.#readLfAfterCr(bytes, at);
        if (mayTakeLf) blockEnd = at;
        this.#awaitsLf = isBlank && mayTakeLf && this.#afterCr;
        if (this.#awaitsLf) break;
      }
      if (!isBlank) continue;
      if (!this.#complete(bytes, blockStart, blockEnd, blocks)) return blocks;
      blockStart = blockEnd;
    }
    if (blockStart < bytes.length && this.#fits(bytes.length - blockStart)) {
      this.#pending.append(bytes.subarray(blockStart));
    }
    return blocks;
  }

  end(): EventBlock | null {
    if (this.fault !== null || this.#pending.length === 0) return null;
    return new EventBlock(this.#pending.take(), this.#isFirst, this.#awaitsLf);
  }

  /** @returns the index after the LF that follows a CR, if it is there */
  #readLfAfterCr(bytes: Buffer, at: number): number {
    this.#afterCr = at === bytes.length;
    if (this.#afterCr) return at;
    this.#lastEndWasCrlf = bytes[at] === LF;
    return this.#lastEndWasCrlf ? at + 1 : at;
  }

  #complete(bytes: Buffer, start: number, end: number, blocks: EventBlock[]): boolean {
    if (!this.#fits(end - start)) return false;
    let raw = bytes.subarray(start, end);
    if (this.#pending.length > 0) {
      this.#pending.append(raw);
      raw = this.#pending.take();
    }
    blocks.push(new EventBlock(raw, this.#isFirst, true));
    this.#isFirst = false;
    return true;
  }

  #fits(moreBytes: Bytes): boolean {
    if (this.#pending.length + moreBytes <= this.#maxEventBytes) return true;
    this.fault = 'an event is too large';
    this.#pending.take();
    return false;
  }
}
