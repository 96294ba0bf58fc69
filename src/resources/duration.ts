import type { Milliseconds } from '../units.ts';

const form = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/;
const part = /([0-9]{1,5})(h|ms|m|s)/g;

const unitMs: Readonly<Record<string, Milliseconds>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * Reads a duration of Gateway API (GEP-2257): one to four pairs of a whole number and a unit, such as
 * `1h30m`, `5s` or `100ms`.
 *
 * @returns the span in milliseconds, or `null` where the text has another form
 */
export function parseDuration(text: string): Milliseconds | null {
  if (!form.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(part)) {
    total += Number(count) * (unitMs[unit ?? ''] ?? 0);
  }
  return total;
}
