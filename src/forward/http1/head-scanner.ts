import type { HeaderFields } from '../../accept/request-head.ts';
import type { Bytes } from '../../units.ts';
import type { AnswerHead } from './answer-head.ts';
import type { LineMemory } from './line-memory.ts';
import { IS_TEXT, IS_TOKEN } from './octet-classes.ts';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;

/** The part of a status line that is the same in all of them; its index is the state there. */
const VERSION = Buffer.from('HTTP/1.');
const STATUS_LINE = 0;
const MINOR_VERSION = 7;
const SPACE_BEFORE_STATUS = 8;
const STATUS_FIRST = 9;
const STATUS_SECOND = 10;
const STATUS_THIRD = 11;
const SPACE_BEFORE_REASON = 12;
const REASON = 13;
const STATUS_LINE_FEED = 14;
const LINE_START = 15;
const NAME = 16;
const VALUE = 17;
const LINE_FEED = 18;
const LAST_LINE_FEED = 19;

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
 * Reads the head of an answer (RFC 9112, 2.1, 4 and 5), and refuses every octet that the grammar does
 * not have there as soon as it comes: other versions than HTTP/1.0 and 1.1, a status beyond 100 to 599, a
 * missing space after the status, bare CR and LF, NUL and other control characters, folded lines, names
 * that are no token, white space around a name, a line without a colon.
 *
 * The same for the trailer section of a chunked body, which is field lines alone.
 */
export class HeadScanner implements AnswerHead {
  readonly #limits: HeadLimits;
  readonly #known: LineMemory;
  #state = 0;
  #bytes = 0;
  #fields = 0;
  /** The octets of a line that began in an earlier piece. */
  #lineText = '';
  /** Why the octets are refused, for the log; `null` while they are not. */
  fault: string | null = null;
  status = 0;
  isHttp10 = false;
  headers: HeaderFields = [];

  constructor(limits: HeadLimits, known: LineMemory) {
    this.#limits = limits;
    this.#known = known;
  }

  /** Expects a status line next. */
  beginHead(): void {
    this.#begin(STATUS_LINE);
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
  scan(bytes: Buffer, start: number, end: number): number {
    let state = this.#state;
    let at = start;
    /** Where the line begins, and its colon stands, if they are in this piece. */
    let lineStart = start;
    let colon = start;
    /** The name of that line, if it is known. */
    let name: string | null = null;
    if (state === STATUS_LINE && this.#known.statusLine.isAt(bytes, at, end)) {
      this.#readStatus(bytes, at);
      at += this.#known.statusLine.length;
      state = LINE_START;
    }
    while (at < end) {
      const octet = bytes[at] ?? 0;
      switch (state) {
        case LINE_START: {
          lineStart = at;
          if (octet === CR) {
            state = LAST_LINE_FEED;
            break;
          }
          if (IS_TOKEN[octet] !== 1) {
            const isFolded = octet === SPACE || octet === HTAB;
            return this.#refuse(isFolded ? 'a folded line' : 'a field name that is no token');
          }
          this.#fields += 1;
          if (this.#fields > this.#limits.maxHeaderFields) {
            return this.#refuse(`over ${this.#limits.maxHeaderFields} header fields`);
          }
          const known = this.#known.find(bytes, at, end);
          if (known === null) {
            name = null;
            state = NAME;
            break;
          }
          at += known.length;
          if (known.value !== null) {
            this.headers.push(known.name, known.value);
          } else {
            name = known.name;
            colon = at - 1;
            state = VALUE;
          }
          continue;
        }
        case NAME:
          while (at < end && IS_TOKEN[bytes[at] ?? 0] === 1) at += 1;
          if (at === end) continue;
          if (bytes[at] !== COLON) return this.#refuse('a field name that is no token');
          colon = at;
          state = VALUE;
          break;
        case VALUE:
        case REASON:
          while (at < end && IS_TEXT[bytes[at] ?? 0] === 1) at += 1;
          if (at === end) continue;
          if (bytes[at] !== CR) return this.#refuse('a control character in the head');
          state = state === VALUE ? LINE_FEED : STATUS_LINE_FEED;
          break;
        case LINE_FEED:
          if (octet !== LF) return this.#refuse('a carriage return without a line feed');
          this.#takeField(bytes, lineStart, colon, at, name);
          state = LINE_START;
          break;
        case STATUS_LINE_FEED:
          if (octet !== LF) return this.#refuse('a carriage return without a line feed');
          this.#takeStatus(bytes, lineStart, at);
          state = LINE_START;
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
      at += 1;
    }
    this.#state = state;
    if (!this.#fits(end - start)) return FAULTY;
    if (state !== LINE_START) this.#lineText += bytes.toString('latin1', lineStart, end);
    return INCOMPLETE;
  }

  /** Gives the fields away, so that a connection that waits or carries a stream does not keep them. */
  takeHeaders(): HeaderFields {
    const { headers } = this;
    this.headers = [];
    return headers;
  }

  /** @param lineFeed where the line ends, which began at `start` unless it began in an earlier piece */
  #takeStatus(bytes: Buffer, start: number, lineFeed: number): void {
    if (this.#lineText === '') {
      this.#readStatus(bytes, start);
      this.#known.statusLine.learn(bytes, start, lineFeed + 1, '', '');
      return;
    }
    this.#readStatus(this.#wholeLine(bytes, start, lineFeed), 0);
  }

  #readStatus(bytes: Uint8Array, start: number): void {
    this.isHttp10 = bytes[start + MINOR_VERSION] === ZERO;
    this.status =
      digitAt(bytes, start + STATUS_FIRST) * 100 +
      digitAt(bytes, start + STATUS_SECOND) * 10 +
      digitAt(bytes, start + STATUS_THIRD);
  }

  /**
   * @param colon where it stands, if the line did not begin in an earlier piece
   * @param lineFeed where the line ends, which began at `start` unless it began in an earlier piece
   * @param knownName the name, if it is known
   */
  #takeField(
    bytes: Buffer,
    start: number,
    colon: number,
    lineFeed: number,
    knownName: string | null,
  ): void {
    if (this.#lineText !== '') {
      const line = this.#wholeLine(bytes, start, lineFeed);
      const lineColon = line.indexOf(COLON);
      this.headers.push(nameIn(line, 0, lineColon), valueIn(line, lineColon + 1, line.length - 2));
      return;
    }
    const name = knownName ?? nameIn(bytes, start, colon);
    const value = valueIn(bytes, colon + 1, lineFeed - 1);
    this.headers.push(name, value);
    if (knownName === null) this.#known.learn(bytes, start, colon, lineFeed + 1, name, value);
  }

  #wholeLine(bytes: Buffer, start: number, lineFeed: number): Buffer {
    const line = this.#lineText + bytes.toString('latin1', start, lineFeed + 1);
    this.#lineText = '';
    return Buffer.from(line, 'latin1');
  }

  #begin(state: number): void {
    this.#state = state;
    this.#bytes = 0;
    this.#fields = 0;
    this.#lineText = '';
    this.headers = [];
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

function digitAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) - ZERO;
}

function nameIn(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end).toLowerCase();
}

/** The value without the white space around it. */
function valueIn(bytes: Buffer, start: number, end: number): string {
  let valueStart = start;
  let valueEnd = end;
  while (valueStart < valueEnd && isBlank(bytes[valueStart])) valueStart += 1;
  while (valueStart < valueEnd && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
  return bytes.toString('latin1', valueStart, valueEnd);
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === HTAB;
}
