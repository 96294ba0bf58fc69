import type { Bytes } from '../units.ts';

/** Fifteen digits fit a number exactly; no answer is that long. */
const MAX_DIGITS = 15;

/**
 * Reads a Content-Length, which is digits and nothing else. Without a regular expression, which takes longer than all
 * the rest of the decision.
 *
 * @returns -1 for a text that is none, or has more digits than fit
 */
export function readLength(text: string): Bytes {
  if (text.length === 0 || text.length > MAX_DIGITS) return -1;
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
