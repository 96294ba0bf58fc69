import type { Bytes } from '../../units.ts';

/** A power of two. */
const SLOTS = 64;
const LONGEST_BYTES: Bytes = 128;
/** Where the names differ that begin alike: `content-type`, `content-length`. */
const TELLING_AT = 8;

/**
 * Fields whose lines are remembered: those that have the same value in one answer after the other. Never one that may
 * be meant for one client alone, such as a session id or a cookie: of those it is the name.
 */
const REMEMBERED: readonly string[] = [
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'server',
  'transfer-encoding',
  'uwebsockets',
  'vary',
  'x-content-type-options',
  'x-powered-by',
];
/** Gives the constant in place of a text that was cut out of a head: one is compared with another at one look. */
const CONSTANTS: ReadonlyMap<string, string> = new Map(REMEMBERED.map((name) => [name, name]));

/**
 * A line of a head that was read before: its octets up to and with its line end, and what they say; or its name with
 * the colon alone.
 */
export class KnownLine {
  readonly #octets = new Uint8Array(LONGEST_BYTES);
  length: Bytes = 0;
  /** Lower case. */
  name = '';
  /** `null` where the name alone is known. */
  value: string | null = '';

  /** Whether the same octets stand there. */
  isAt(bytes: Uint8Array, start: number, end: number): boolean {
    const { length } = this;
    if (length === 0 || start + length > end) return false;
    const octets = this.#octets;
    for (let index = 0; index < length; index += 1) {
      if (bytes[start + index] !== octets[index]) return false;
    }
    return true;
  }

  /** Takes another line in the place of the one before; one that is too long is not remembered. */
  learn(bytes: Uint8Array, start: number, end: number, name: string, value: string | null): void {
    if (end - start > LONGEST_BYTES) return;
    for (let index = start; index < end; index += 1)
      this.#octets[index - start] = bytes[index] ?? 0;
    this.length = end - start;
    this.name = name;
    this.value = value;
  }
}

/**
 * What the lines of the answers of one server said: it sends most of them again and again, and to compare octets
 * takes less time than to read a line and to make texts of it (`bench/micro/forward/http1.ts`). Every octet is
 * compared, so that a line is taken for one that was found free of faults only where it is the same.
 */
export class LineMemory {
  readonly #slots: (KnownLine | null)[] = new Array<KnownLine | null>(SLOTS).fill(null);
  /** The status line; its value is not used. */
  readonly statusLine = new KnownLine();

  /** @returns the line that stands there, if it is known and all of it lies before `end` */
  find(bytes: Uint8Array, start: number, end: number): KnownLine | null {
    const known = this.#slots[slotOf(bytes, start)] ?? null;
    return known?.isAt(bytes, start, end) === true ? known : null;
  }

  /**
   * Takes note of a line that was found free of faults.
   *
   * @param colon behind the name
   * @param name lower case
   */
  learn(
    bytes: Uint8Array,
    start: number,
    colon: number,
    end: number,
    name: string,
    value: string,
  ): void {
    const constant = CONSTANTS.get(name);
    // The slot of a shorter name would be another one with every value.
    if (constant === undefined && name.length < TELLING_AT) return;
    const line = (this.#slots[slotOf(bytes, start)] ??= new KnownLine());
    if (constant === undefined) line.learn(bytes, start, colon + 1, name, null);
    else line.learn(bytes, start, end, constant, value);
  }
}

/**
 * The common names have slots of their own, all in small letters or all with capitals. The second octet need not
 * belong to the line: what is found is compared anyway.
 */
function slotOf(bytes: Uint8Array, start: number): number {
  return ((bytes[start] ?? 0) + 6 * (bytes[start + TELLING_AT] ?? 0)) & (SLOTS - 1);
}
