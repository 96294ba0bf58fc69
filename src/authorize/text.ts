/**
 * String functions of CEL and its strings extension (cel-go, ext/README.md#strings) whose built-in
 * versions are too loose, or whose cost a client could drive up. All throw an Error where CEL has an
 * evaluation error; the messages never contain the text, which may be a credential.
 */

/** Most parts that `split` makes; a rule may loop over them. */
const maxParts = 1024;
/** Longest string that `replace` makes, in UTF-16 code units. */
const maxReplacedLength = 1_048_576;

/** Lower-cases A to Z and leaves every other character alone (`lowerAscii`). */
export function toAsciiLower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Upper-cases a to z and leaves every other character alone (`upperAscii`). */
export function toAsciiUpper(text: string): string {
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/**
 * @param limit most parts, the last holding the rest; negative for no limit, 0 for none
 */
export function split(text: string, separator: string, limit: number): string[] {
  if (limit === 0) return [];
  const parts: string[] = separator === '' ? Array.from(text) : text.split(separator);
  if (limit > 0 && parts.length > limit) {
    parts.push(parts.splice(limit - 1).join(separator));
  }
  if (parts.length > maxParts) throw new Error('split: too many parts');
  return parts;
}

/**
 * @param limit how many occurrences to replace, from the left; negative for all
 */
export function replace(text: string, from: string, to: string, limit: number): string {
  if (limit === 0) return text;
  const parts = from === '' ? Array.from(text) : text.split(from);
  if (from === '') {
    parts.unshift('');
    parts.push('');
  }
  const replaced = limit < 0 ? parts.length - 1 : Math.min(limit, parts.length - 1);
  if (text.length + replaced * to.length > maxReplacedLength) {
    throw new Error('replace: the result is too long');
  }
  const tail = parts.splice(replaced).join(from);
  parts.push(tail);
  return parts.join(to);
}

const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * `timestamp(string)`: RFC 3339, years 1 to 9999, with a zone. Finer than a millisecond is dropped.
 */
export function parseTimestamp(text: string): Date {
  const found = text.length <= 35 ? rfc3339.exec(text) : null;
  const milliseconds = found === null ? Number.NaN : Date.parse(text);
  // Date.parse turns February 30 into March 2; the day must come back as it was written.
  const valid =
    found !== null &&
    isCalendarDay(Number(found[1]), Number(found[2]), Number(found[3])) &&
    milliseconds >= -62_135_596_800_000 &&
    milliseconds <= 253_402_300_799_999;
  if (!valid) throw new Error('timestamp: not an RFC 3339 time');
  return new Date(milliseconds);
}

function isCalendarDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const nanosecondsOf: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  ns: 1n,
};
const durationShape = /^([+-]?)((?:\d{1,19}(?:\.\d{0,18})?|\.\d{1,18})(?:h|ms|m|s|us|µs|ns))+$/;
const durationPart = /(\d*)(?:\.(\d*))?(h|ms|m|s|us|µs|ns)/g;
const maxDurationSeconds = 315_576_000_000n;

/**
 * `duration(string)`: a sequence of decimal numbers, each with a unit, such as `-1.5h` or `2h45m`.
 *
 * @returns whole seconds, and nanoseconds of the same sign
 */
export function parseDuration(text: string): { seconds: bigint; nanos: number } {
  if (text === '0') return { seconds: 0n, nanos: 0 };
  if (text.length > 64 || !durationShape.test(text)) throw new Error('duration: not a duration');
  let nanoseconds = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(durationPart)) {
    const size = nanosecondsOf[unit] ?? 0n;
    nanoseconds += BigInt(whole === '' ? '0' : whole) * size;
    if (fraction !== '') nanoseconds += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (text.startsWith('-')) nanoseconds = -nanoseconds;
  const seconds = nanoseconds / 1_000_000_000n;
  if (seconds > maxDurationSeconds || seconds < -maxDurationSeconds) {
    throw new Error('duration: out of range');
  }
  return { seconds, nanos: Number(nanoseconds % 1_000_000_000n) };
}
