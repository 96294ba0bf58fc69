import type { Bytes } from '../../units.ts';
import { IS_TEXT, IS_TOKEN } from './octet-classes.ts';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;

/** The part of a status line that is the same in all of them; its index is the state there. */
const VERSION = Buffer.from('HTTP/1.');
const MINOR_VERSION = 7;
const SPACE_BEFORE_STATUS = 8;
const STATUS_FIRST = 9;
const STATUS_SECOND = 10;
const STATUS_THIRD = 11;
const SPACE_BEFORE_REASON = 12;
const REASON = 13;
const LINE_FEED = 14;
const LINE_START = 15;
const NAME = 16;
const VALUE = 17;
const LAST_LINE_FEED = 18;

export interface HeadLimits {
  /** Octets of one head. */
  readonly maxHeaderBytes: Bytes;
  /** Field lines of one head. */
  readonly maxHeaderFields: number;
}

/** The head goes on beyond the octets that are there. */
export const INCOMPLETE = -1;
/** {@link HeadScanner.fault} says what is wrong. */
export const FAULTY = -2;

/**
 * Finds the end of the head of an answer (RFC 9112, 2.1 and 4), and refuses every octet that the grammar does
 * not have there as soon as it comes: other versions than HTTP/1.0 and 1.1, a status beyond 100 to 599, a
 * missing space after the status, bare CR and LF, NUL and other control characters, folded lines, names
 * that are no token, white space around a name, a line without a colon.
 *
 * The same for the trailer section of a chunked body, which is field lines alone.
 */
export class HeadScanner {
  readonly #limits: HeadLimits;
  #state = 0;
  #bytes = 0;
  #fields = 0;
  /** Why the octets are refused, for the log; `null` while they are not. */
  fault: string | null = null;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Expects a status line next. */
  beginHead(): void {
    this.#begin(0);
  }

  /** Expects the field lines of a trailer section next. */
  beginTrailers(): void {
    this.#begin(LINE_START);
  }

  /**
   * Reads on.
   *
   * @returns the index after the empty line that ends the head; or INCOMPLETE, when all octets up to `end`
   *   were read; or FAULTY
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    let state = this.#state;
    for (let at = start; at < end; at += 1) {
      const octet = bytes[at] ?? 0;
      switch (state) {
        case NAME:
          if (IS_TOKEN[octet] === 1) break;
          if (octet !== COLON) return this.#refuse('a field name that is no token');
          state = VALUE;
          break;
        case REASON:
        case VALUE:
          if (IS_TEXT[octet] === 1) break;
          if (octet !== CR) return this.#refuse('a control character in the head');
          state = LINE_FEED;
          break;
        case LINE_FEED:
          if (octet !== LF) return this.#refuse('a carriage return without a line feed');
          state = LINE_START;
          break;
        case LINE_START:
          if (IS_TOKEN[octet] === 1) {
            this.#fields += 1;
            if (this.#fields > this.#limits.maxHeaderFields) {
              return this.#refuse(`over ${this.#limits.maxHeaderFields} header fields`);
            }
            state = NAME;
          } else if (octet === CR) {
            state = LAST_LINE_FEED;
          } else {
            const isFolded = octet === SPACE || octet === HTAB;
            return this.#refuse(isFolded ? 'a folded line' : 'a field name that is no token');
          }
          break;
        case LAST_LINE_FEED:
          if (octet !== LF) return this.#refuse('a carriage return without a line feed');
          return this.#fits(at + 1 - start) ? at + 1 : FAULTY;
        default:
          if (!fitsStatusLine(state, octet)) {
            return this.#refuse('not a status line of HTTP/1.1 or HTTP/1.0');
          }
          state += 1;
      }
    }
    this.#state = state;
    return this.#fits(end - start) ? INCOMPLETE : FAULTY;
  }

  #begin(state: number): void {
    this.#state = state;
    this.#bytes = 0;
    this.#fields = 0;
    this.fault = null;
  }

  #fits(moreBytes: Bytes): boolean {
    this.#bytes += moreBytes;
    if (this.#bytes <= this.#limits.maxHeaderBytes) return true;
    this.fault = `a head of over ${this.#limits.maxHeaderBytes} octets`;
    return false;
  }

  #refuse(fault: string): typeof FAULTY {
    this.fault = fault;
    return FAULTY;
  }
}

/** @param index where in the status line the octet stands, before the reason */
function fitsStatusLine(index: number, octet: number): boolean {
  const digit = octet - ZERO;
  switch (index) {
    case MINOR_VERSION:
      return digit === 0 || digit === 1;
    case STATUS_FIRST:
      return digit >= 1 && digit <= 5;
    case STATUS_SECOND:
    case STATUS_THIRD:
      return digit >= 0 && digit <= 9;
    case SPACE_BEFORE_STATUS:
    case SPACE_BEFORE_REASON:
      return octet === SPACE;
    default:
      return octet === VERSION[index];
  }
}
