import type { HeaderFields } from './request-head.ts';
import { statusLine } from './status-line.ts';

/** True where a text can be written as it is: the native server would write other texts as UTF-8. */
const ASCII = /^[\t\x20-\x7e]*$/;

/** A power of two. */
const SLOTS = 64;
/** Characters of a head that is remembered, which bounds the memory of all. */
const LONGEST_REMEMBERED = 1024;

interface WrittenHead {
  readonly status: number;
  readonly headers: readonly string[];
  readonly text: string;
}

const written = new Array<WrittenHead | null>(SLOTS).fill(null);

/**
 * Writes the status line and the fields of an answer as one text, without the last line end. Servers send the same
 * fields again and again: a head that was written before is compared, which takes a quarter of the time of writing it
 * (bench/micro/accept/answer-head-text.ts).
 *
 * @returns `null` where a value is no {@link ASCII}, which no value with a line end is: it is not written in this way
 */
export function answerHeadText(status: number, headers: HeaderFields): string | null {
  const slot = slotOf(status, headers);
  const known = written[slot] ?? null;
  if (known !== null && known.status === status && isSame(known.headers, headers)) {
    return known.text;
  }
  let text = statusLine(status);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const value = headers[index + 1] ?? '';
    if (!ASCII.test(value)) return null;
    text += `\r\n${headers[index] ?? ''}: ${value}`;
  }
  if (text.length > LONGEST_REMEMBERED) return text;
  // As one piece: a text made of many is put together anew each time that it is written.
  const whole = Buffer.from(text, 'latin1').toString('latin1');
  written[slot] = { status, headers: headers.slice(), text: whole };
  return whole;
}

function slotOf(status: number, headers: HeaderFields): number {
  let hash = status;
  for (let index = 1; index < headers.length; index += 2) {
    const value = headers[index] ?? '';
    const { length } = value;
    if (length > 0) hash = (hash * 31 + value.charCodeAt(length - 1) + length) & 0xffffff;
  }
  return (hash ^ (hash >>> 6)) & (SLOTS - 1);
}

function isSame(a: readonly string[], b: HeaderFields): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}
