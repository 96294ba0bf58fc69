import type { Stage } from '../stage.ts';

/** A question that one number a second does not answer. */
export interface Study {
  readonly name: string;
  readonly title: string;
  /** @returns what was found, by what it is called, with the unit in the name */
  readonly run: (stage: Stage) => Promise<Readonly<Record<string, number>>>;
}
