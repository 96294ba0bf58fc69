/** The native server decodes octets that are not UTF-8 to U+FFFD; nobody could say what they were. */
const UNREADABLE = /[\0-\x08\x0a-\x1f\x7f\ufffd]/;

/** Shorter values are looked through faster than they are found again. */
const SHORTEST_REMEMBERED = 128;
const LONGEST_REMEMBERED = 4096;
/** A power of two. */
const SLOTS = 256;

/**
 * Makes the test whether a field value can be read in one way only: no control character but HTAB, and nothing
 * that was not UTF-8.
 *
 * To look through an access token takes longer than to compare it as a whole with the last one that ended
 * alike, which was found readable (bench/micro/accept/check-head.ts). At most 256 values are remembered.
 */
export function createReadableValues(): (value: string) => boolean {
  const remembered = new Array<string>(SLOTS).fill('');
  return (value) => {
    const { length } = value;
    if (length < SHORTEST_REMEMBERED || length > LONGEST_REMEMBERED) return !UNREADABLE.test(value);
    const slot =
      (value.charCodeAt(length - 1) * 31 +
        value.charCodeAt(length - 3) * 7 +
        value.charCodeAt(length - 5)) &
      (SLOTS - 1);
    if (remembered[slot] === value) return true;
    if (UNREADABLE.test(value)) return false;
    remembered[slot] = value;
    return true;
  };
}
