import type { Bytes } from '../../units.ts';
import { hasFraming } from './body-framing.ts';
import { INCOMPLETE, FAULTY, HeadScanner, type HeadLimits } from './head-scanner.ts';
import type { LineMemory } from './line-memory.ts';
import { HEX_VALUE, IS_TEXT, IS_TOKEN } from './octet-classes.ts';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Twelve digits fit a number exactly. */
const MAX_SIZE_DIGITS = 12;
const MAX_EXTENSION_BYTES: Bytes = 1024;

const SIZE_START = 0;
const SIZE = 1;
const EXTENSION_NAME_START = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE_START = 4;
const EXTENSION_VALUE = 5;
const QUOTED = 6;
const QUOTED_PAIR = 7;
const AFTER_QUOTED = 8;
const SIZE_LINE_FEED = 9;
const DATA = 10;
const DATA_END = 11;
const DATA_LINE_FEED = 12;
const TRAILERS = 13;

/** `data`: a piece of the body was found; `more`: all octets were read; `end`: the body is complete. */
export type ChunkStep = 'data' | 'more' | 'end' | 'fault';

/**
 * Reads a chunked body (RFC 9112, 7.1), step by step and without copying. Chunk extensions are checked and
 * dropped, trailers too; both are bounded. Refused: a size without digits or with too many, white space
 * around it, extensions that are not spelled as the grammar has them, bare CR and LF, anything but CRLF
 * after the octets of a chunk, trailers that frame the message.
 */
export class ChunkScanner {
  readonly #trailers: HeadScanner;
  #state = SIZE_START;
  #digits = 0;
  #extensionBytes = 0;
  /** The size as far as it was read; within a chunk, the octets of it that are still to come. */
  #left = 0;
  /** After `data`: where the piece stands. */
  dataStart = 0;
  dataEnd = 0;
  /** Where to go on reading; after `end`: the first octet that does not belong to the body. */
  at = 0;
  /** After `fault`: why, for the log. */
  fault = '';

  constructor(trailerLimits: HeadLimits, known: LineMemory) {
    this.#trailers = new HeadScanner(trailerLimits, known);
  }

  /** Expects a body from its beginning. */
  begin(): void {
    this.#state = SIZE_START;
    this.#left = 0;
    this.#digits = 0;
  }

  /** Reads from `start` up to the next piece of the body, the end of it, or `end`. */
  step(bytes: Buffer, start: number, end: number): ChunkStep {
    let at = start;
    while (at < end) {
      if (this.#state === DATA) {
        const dataEnd = Math.min(at + this.#left, end);
        this.#left -= dataEnd - at;
        if (this.#left === 0) this.#state = DATA_END;
        this.dataStart = at;
        this.dataEnd = dataEnd;
        this.at = dataEnd;
        return 'data';
      }
      if (this.#state === TRAILERS) return this.#readTrailers(bytes, at, end);
      if (!this.#take(bytes[at] ?? 0)) return 'fault';
      at += 1;
    }
    this.at = at;
    return 'more';
  }

  /** @returns false for an octet that can't stand here */
  #take(octet: number): boolean {
    switch (this.#state) {
      case SIZE_START:
      case SIZE:
        return this.#takeSize(octet);
      case SIZE_LINE_FEED:
        if (octet !== LF) return this.#refuse('a carriage return without a line feed');
        if (this.#left === 0) this.#trailers.beginTrailers();
        this.#state = this.#left === 0 ? TRAILERS : DATA;
        return true;
      case DATA_END:
        if (octet !== CR) return this.#refuse('a chunk that is longer than its size');
        this.#state = DATA_LINE_FEED;
        return true;
      case DATA_LINE_FEED:
        if (octet !== LF) return this.#refuse('a carriage return without a line feed');
        this.#state = SIZE_START;
        this.#digits = 0;
        return true;
      default:
        return this.#takeExtension(octet);
    }
  }

  #takeSize(octet: number): boolean {
    const digit = HEX_VALUE[octet] ?? 255;
    if (digit < 16) {
      this.#left = this.#left * 16 + digit;
      this.#digits += 1;
      this.#state = SIZE;
      return this.#digits <= MAX_SIZE_DIGITS || this.#refuse('a chunk size of too many digits');
    }
    if (this.#state === SIZE_START) return this.#refuse('a chunk size that is no number');
    this.#extensionBytes = 0;
    return this.#endOrExtend(octet) || this.#refuse('a chunk size that is no number');
  }

  #takeExtension(octet: number): boolean {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > MAX_EXTENSION_BYTES) {
      return this.#refuse(`chunk extensions of over ${MAX_EXTENSION_BYTES} octets`);
    }
    return this.#fitsExtension(octet) || this.#refuse('a chunk extension that is none');
  }

  /** `;name`, `;name=token` or `;name="text"` (RFC 9112, 7.1.1), without white space. */
  #fitsExtension(octet: number): boolean {
    const isToken = IS_TOKEN[octet] === 1;
    switch (this.#state) {
      case EXTENSION_NAME_START:
        this.#state = EXTENSION_NAME;
        return isToken;
      case EXTENSION_NAME:
        if (octet === EQUALS) this.#state = EXTENSION_VALUE_START;
        return isToken || octet === EQUALS || this.#endOrExtend(octet);
      case EXTENSION_VALUE_START:
        this.#state = octet === QUOTE ? QUOTED : EXTENSION_VALUE;
        return isToken || octet === QUOTE;
      case EXTENSION_VALUE:
        return isToken || this.#endOrExtend(octet);
      case QUOTED:
        if (octet === QUOTE) this.#state = AFTER_QUOTED;
        else if (octet === BACKSLASH) this.#state = QUOTED_PAIR;
        return IS_TEXT[octet] === 1;
      case QUOTED_PAIR:
        this.#state = QUOTED;
        return IS_TEXT[octet] === 1;
      default:
        return this.#endOrExtend(octet);
    }
  }

  #endOrExtend(octet: number): boolean {
    if (octet === CR) this.#state = SIZE_LINE_FEED;
    else if (octet === SEMICOLON) this.#state = EXTENSION_NAME_START;
    else return false;
    return true;
  }

  #readTrailers(bytes: Buffer, start: number, end: number): ChunkStep {
    const scanned = this.#trailers.scan(bytes, start, end);
    if (scanned === FAULTY) {
      this.fault = `trailers: ${this.#trailers.fault ?? ''}`;
      return 'fault';
    }
    this.at = scanned === INCOMPLETE ? end : scanned;
    if (scanned === INCOMPLETE) return 'more';
    // It is read after the body, and must not frame it (RFC 9110, 6.5.1).
    if (!hasFraming({ headers: this.#trailers.takeHeaders() })) return 'end';
    this.fault = 'trailers that frame the answer';
    return 'fault';
  }

  #refuse(fault: string): false {
    this.fault = fault;
    return false;
  }
}
