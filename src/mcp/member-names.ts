/** The names that are read in an object, made ready to be found among the octets of a text. */
export class MemberNames {
  readonly texts: readonly string[];
  readonly #octets: readonly Uint8Array[];
  /** A bit for each length that a name has: most members of a message have none of them. */
  readonly #lengths: number;

  /** @param texts 31 at most, as whoever reads them keeps a bit for each */
  constructor(texts: readonly string[]) {
    this.texts = texts;
    this.#octets = texts.map((text) => new TextEncoder().encode(text));
    this.#lengths = this.#octets.reduce((lengths, { length }) => lengths | bitOf(length), 0);
  }

  /**
   * @param start of the name, behind its quote; it is spelled without escapes
   * @param end of the name
   * @returns the index among the names, or -1
   */
  indexAt(text: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if ((this.#lengths & bitOf(length)) === 0) return -1;
    const names = this.#octets;
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index];
      if (name?.length === length && isAt(text, start, name)) return index;
    }
    return -1;
  }

  /** @returns the index of the name among the names, or -1 */
  indexOf(name: string): number {
    return this.texts.indexOf(name);
  }
}

/** Lengths from 31 on share a bit. */
function bitOf(length: number): number {
  return 1 << Math.min(length, 31);
}

function isAt(text: Uint8Array, start: number, octets: Uint8Array): boolean {
  for (let index = 0; index < octets.length; index += 1) {
    if (text[start + index] !== octets[index]) return false;
  }
  return true;
}
