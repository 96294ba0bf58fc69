/** Answers that fuzzing found, or that once divided parsers: tried on every run. */
export interface Kept {
  readonly what: string;
  readonly method?: string;
  /** One character for each octet. */
  readonly answer: string;
}

export const corpus: readonly Kept[] = [];
