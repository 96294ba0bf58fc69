import { asBuffer } from './growing-bytes.ts';
import { LineEnds } from './line-ends.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;

/** Where one line of a block stands; indexes into its octets. */
interface Line {
  readonly field: 'data' | 'event' | 'id' | 'other' | 'blank';
  readonly start: number;
  /** After the byte order mark, if one stands here. */
  readonly textStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** After the line's end. */
  readonly next: number;
}

/**
 * One block of an event stream: its octets, and on demand what a reader makes of them (WHATWG HTML, 9.2.6).
 */
export class EventBlock {
  /** Every octet of the block, with its comments and its blank line. */
  readonly raw: Buffer;
  /** Whether the block's blank line is there. */
  readonly isComplete: boolean;
  /** Whether the stream begins here, where a byte order mark may stand. */
  readonly isFirst: boolean;
  #lines: readonly Line[] | null = null;
  #dataBytes: Buffer | null = null;

  constructor(raw: Uint8Array, isFirst: boolean, isComplete: boolean) {
    this.raw = asBuffer(raw);
    this.isFirst = isFirst;
    this.isComplete = isComplete;
  }

  /**
   * The octets of the event's data: the values of its data lines, joined with LF. `null` where there is no
   * data line, so that the block is no event. Shares the block's memory where there is one data line.
   */
  get dataBytes(): Buffer | null {
    this.#dataBytes ??= this.#joinData();
    return this.#dataBytes;
  }

  /** The same as text; octets that are not UTF-8 read as U+FFFD, as in every reader. */
  get data(): string | null {
    return this.dataBytes?.toString('utf8') ?? null;
  }

  /** The event's type; the last one if there are several, `message` if there is none. */
  get type(): string {
    const value = this.#lastValue('event');
    return value === null || value === '' ? 'message' : value;
  }

  /** The last event id that the block sets, or `null`; an id that contains NUL sets none. */
  get id(): string | null {
    let id: string | null = null;
    for (const line of this.#readLines()) {
      if (line.field !== 'id') continue;
      const value = this.raw.toString('utf8', line.valueStart, line.valueEnd);
      if (!value.includes('\0')) id = value;
    }
    return id;
  }

  /**
   * The block with other data. Every line but the data lines stays as it is; the new data stands in lines
   * written as the first data line was, one for each LF in it.
   *
   * @param data without CR
   */
  withData(data: Uint8Array): Buffer {
    const parts: Buffer[] = [];
    let isWritten = false;
    for (const line of this.#readLines()) {
      if (line.field !== 'data') {
        parts.push(this.raw.subarray(line.start, line.next));
      } else if (!isWritten) {
        isWritten = true;
        this.#writeData(asBuffer(data), line, parts);
      }
    }
    return Buffer.concat(parts);
  }

  /**
   * The block with its event taken out: a reader dispatches nothing, but keeps the id and the retry time.
   *
   * @returns `null` where nothing but blank lines is left
   */
  withoutEvent(): Buffer | null {
    const parts: Buffer[] = [];
    let isBlank = true;
    for (const line of this.#readLines()) {
      if (line.field === 'data' || line.field === 'event') continue;
      if (line.field !== 'blank') isBlank = false;
      parts.push(this.raw.subarray(line.start, line.next));
    }
    return isBlank ? null : Buffer.concat(parts);
  }

  /**
   * The block with other event ids. An empty id, which takes the last one back, and one that contains NUL, which
   * readers ignore, stay.
   *
   * @param replace returns the id to set instead, without line ends; `null` to leave the line out
   * @returns `raw` itself where there is no id
   */
  withIds(replace: (id: string) => string | null): Buffer {
    const { raw } = this;
    const parts: Buffer[] = [];
    let copied = 0;
    for (const { field, textStart, valueStart, valueEnd, next } of this.#readLines()) {
      if (field !== 'id' || valueStart === valueEnd) continue;
      const value = raw.toString('utf8', valueStart, valueEnd);
      if (value.includes('\0')) continue;
      const id = replace(value);
      if (id === null) {
        parts.push(raw.subarray(copied, textStart));
        copied = next;
      } else {
        parts.push(raw.subarray(copied, valueStart), Buffer.from(id));
        copied = valueEnd;
      }
    }
    if (copied === 0) return raw;
    parts.push(raw.subarray(copied));
    return Buffer.concat(parts);
  }

  #joinData(): Buffer | null {
    const lines = this.#readLines().filter((line) => line.field === 'data');
    const [first] = lines;
    if (first === undefined) return null;
    if (lines.length === 1) return this.raw.subarray(first.valueStart, first.valueEnd);
    const length = lines.reduce((sum, line) => sum + line.valueEnd - line.valueStart + 1, -1);
    const joined = Buffer.allocUnsafe(length);
    let at = 0;
    for (const line of lines) {
      if (at > 0) joined[at - 1] = LF;
      at += this.raw.copy(joined, at, line.valueStart, line.valueEnd) + 1;
    }
    return joined;
  }

  #writeData(data: Buffer, model: Line, parts: Buffer[]): void {
    let before = this.raw.subarray(model.start, model.valueStart);
    const after = this.raw.subarray(model.valueEnd, model.next);
    let start = 0;
    for (;;) {
      const lineFeed = data.indexOf(LF, start);
      parts.push(before, data.subarray(start, lineFeed < 0 ? data.length : lineFeed), after);
      if (lineFeed < 0) return;
      start = lineFeed + 1;
      before = this.raw.subarray(model.textStart, model.valueStart);
    }
  }

  #lastValue(field: Line['field']): string | null {
    const line = this.#readLines().findLast((candidate) => candidate.field === field);
    return line === undefined ? null : this.raw.toString('utf8', line.valueStart, line.valueEnd);
  }

  #readLines(): readonly Line[] {
    this.#lines ??= readLines(this.raw, this.isFirst);
    return this.#lines;
  }
}

function readLines(raw: Buffer, isFirst: boolean): Line[] {
  const lines: Line[] = [];
  const lineEnds = new LineEnds(raw);
  let start = 0;
  let textStart = isFirst && startsWithByteOrderMark(raw) ? 3 : 0;
  while (start < raw.length) {
    const end = lineEnds.next(textStart);
    let next = Math.min(end + 1, raw.length);
    if (raw[end] === CR && raw[next] === LF) next += 1;
    lines.push(readLine(raw, start, textStart, end, next));
    start = next;
    textStart = next;
  }
  return lines;
}

function readLine(raw: Buffer, start: number, textStart: number, end: number, next: number): Line {
  const field = textStart === end ? 'blank' : fieldName(raw, textStart, end);
  let valueStart = end;
  if (field !== 'blank' && field !== 'other') {
    valueStart = Math.min(textStart + field.length + 1, end);
    if (valueStart < end && raw[valueStart] === SPACE) valueStart += 1;
  }
  return { field, start, textStart, valueStart, valueEnd: end, next };
}

/** The name is what stands before the first colon, or the whole line. */
function fieldName(raw: Buffer, start: number, end: number): 'data' | 'event' | 'id' | 'other' {
  if (isNamed('data', raw, start, end)) return 'data';
  if (isNamed('event', raw, start, end)) return 'event';
  return isNamed('id', raw, start, end) ? 'id' : 'other';
}

function isNamed(name: string, raw: Buffer, start: number, end: number): boolean {
  const nameEnd = start + name.length;
  if (nameEnd > end || (nameEnd < end && raw[nameEnd] !== COLON)) return false;
  for (let index = 0; index < name.length; index += 1) {
    if (raw[start + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}

function startsWithByteOrderMark(raw: Buffer): boolean {
  return raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf;
}
