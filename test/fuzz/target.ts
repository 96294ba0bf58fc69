import * as fc from 'fast-check';

/** One parser under attack. Every input is a text; of octets, each character stands for one. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs that are right, or interesting: mutations begin with them. */
  readonly seeds: readonly string[];
  /** Characters and words that mean something to the parser. */
  readonly dictionary: readonly string[];
  /** Throws where the parser broke a promise. Refusing the input is no such thing. */
  readonly check: (input: string) => void;
}

/** Random texts, texts made of what means something, and seeds with a few things wrong. */
export function inputsOf({ seeds, dictionary }: FuzzTarget): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('', ...dictionary) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    },
  );
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    drop: fc.integer({ min: 0, max: 12 }),
    repeat: fc.constantFrom(1, 1, 1, 2, 50),
    word,
  });
  const mutated = fc
    .tuple(fc.constantFrom('', ...seeds), fc.array(edit, { maxLength: 5 }))
    .map(([seed, edits]) => edits.reduce(applyEdit, seed));
  const composed = fc.array(word, { maxLength: 24 }).map((words) => words.join(''));
  return fc.oneof(
    { weight: 5, arbitrary: mutated },
    { weight: 3, arbitrary: composed },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  );
}

interface Edit {
  readonly at: number;
  readonly drop: number;
  readonly repeat: number;
  readonly word: string;
}

function applyEdit(text: string, { at, drop, repeat, word }: Edit): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + word.repeat(repeat) + text.slice(start + drop);
}

/** The octets that an input stands for. */
export function octetsOf(input: string): Buffer {
  return Buffer.from(input, 'latin1');
}

export interface FuzzFailure {
  readonly input: string;
  readonly error: unknown;
}

/** How long one input may take; a machine that is busy must not make a finding. */
const MOST_MS = 2000;

/**
 * Attacks a parser with random inputs until the time is up.
 *
 * @returns the smallest input found that breaks a promise, or `null`
 */
export function fuzz(target: FuzzTarget, milliseconds: number, seed?: number): FuzzFailure | null {
  const result = fc.check(
    fc.property(inputsOf(target), (input) => checkInTime(target, input)),
    {
      numRuns: 1_000_000_000,
      interruptAfterTimeLimit: milliseconds,
      markInterruptAsFailure: false,
      ...(seed === undefined ? {} : { seed }),
    },
  );
  const [input] = result.counterexample ?? [];
  return input === undefined ? null : { input, error: result.errorInstance };
}

/** Checks one input, and that the parser was done with it soon. */
export function checkInTime(target: FuzzTarget, input: string): void {
  const startedAt = process.cpuUsage();
  target.check(input);
  const { user } = process.cpuUsage(startedAt);
  if (user / 1000 > MOST_MS) throw new Error(`took ${Math.round(user / 1000)} ms`);
}
