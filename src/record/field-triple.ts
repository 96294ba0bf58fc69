import { textField } from './encode-value.ts';

interface Field {
  readonly start: string;
  /** Most characters of the encoded value. */
  readonly limit: number;
}

/** Longer values are written anew each time: a client may choose them. */
const maxRememberedChars = 512;

/**
 * Three neighbouring fields of text lines whose values, anybody's, seldom change: they are encoded once for as long as
 * all three are what they were.
 */
export class FieldTriple {
  readonly #before: string;
  readonly #fields: readonly [Field, Field, Field];
  readonly #after: string;
  #first: string | null | undefined = undefined;
  #second: string | null = null;
  #third: string | null = null;
  #text = '';

  /** @param before what stands before them, as `after` behind them, whatever the values are */
  constructor(before: string, fields: readonly [Field, Field, Field], after: string) {
    this.#before = before;
    this.#fields = fields;
    this.#after = after;
  }

  /** Writes the fields; those that are `null` are left out. */
  write(first: string | null, second: string | null, third: string | null): string {
    if (first === this.#first && second === this.#second && third === this.#third) {
      return this.#text;
    }
    const [one, two, three] = this.#fields;
    const text =
      this.#before +
      textField(one.start, first, 'foreign', one.limit) +
      textField(two.start, second, 'foreign', two.limit) +
      textField(three.start, third, 'foreign', three.limit) +
      this.#after;
    const chars = (first?.length ?? 0) + (second?.length ?? 0) + (third?.length ?? 0);
    if (chars > maxRememberedChars) return text;
    this.#first = first;
    this.#second = second;
    this.#third = third;
    // The copy is in one piece, where the sum is a tree that each line would walk again.
    this.#text = Buffer.from(text, 'latin1').toString('latin1');
    return this.#text;
  }
}
