import type { Bytes } from '../units.ts';

/** Above this the search of the native side, which goes over many octets at once, is the cheaper one. */
const MAX_OWN_BYTES: Bytes = 2048;

/**
 * Makes the search for a short text in octets.
 *
 * Answers are small, and a call of `Buffer.indexOf` costs more than to look at every sixth octet of one (Horspool's
 * search): `bench/micro/mcp/octet-finder.ts`.
 *
 * @param needle ASCII, not empty
 * @returns finds the first place at or after `from`; -1: there is none
 */
export function createOctetFinder(needle: string): (octets: Buffer, from?: number) => number {
  const codes = Buffer.from(needle, 'latin1');
  const last = codes.length - 1;
  const lastCode = codes[last] ?? 0;
  // How far the end of the needle may go on when it lies on an octet: to where that octet stands in the needle.
  const steps = new Uint8Array(256).fill(codes.length);
  for (let index = 0; index < last; index += 1) steps[codes[index] ?? 0] = last - index;

  return (octets, from = 0) => {
    const { length } = octets;
    if (length - from > MAX_OWN_BYTES) return octets.indexOf(needle, from, 'latin1');
    let at = from + last;
    while (at < length) {
      const octet = octets[at] ?? 0;
      if (octet === lastCode && stands(octets, at - last)) return at - last;
      at += steps[octet] ?? 1;
    }
    return -1;
  };

  function stands(octets: Buffer, start: number): boolean {
    for (let index = 0; index < last; index += 1) {
      if (octets[start + index] !== codes[index]) return false;
    }
    return true;
  }
}
