const LF = 0x0a;
const CR = 0x0d;

/** Finds the octets that end lines, LF and CR, in one piece of an event stream; each octet is looked at once. */
export class LineEnds {
  readonly #bytes: Buffer;
  #nextLf = -1;
  #nextCr = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * @param from not less than in any call before
   * @returns the index of the first LF or CR at or after `from`; the length of the piece if there is none
   */
  next(from: number): number {
    if (this.#nextLf < from) this.#nextLf = this.#find(LF, from);
    if (this.#nextCr < from) this.#nextCr = this.#find(CR, from);
    return Math.min(this.#nextLf, this.#nextCr);
  }

  #find(octet: number, from: number): number {
    const index = this.#bytes.indexOf(octet, from);
    return index < 0 ? this.#bytes.length : index;
  }
}
