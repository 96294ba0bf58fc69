import type { Settled } from './combine.ts';
import type { Decisions } from './decisions.ts';

/** Longest name that is remembered, in UTF-16 code units: a client can send any name. */
const maxNameLength = 256;

/** Bounds what is remembered of all principals together. */
export interface DecisionMemo {
  /** Adds to the decisions of a principal; never what is in there already. */
  remember(decisions: Decisions, group: number, name: string, settled: Settled): void;
}

/**
 * Makes the one memo of a process. After every `maxEntries` decisions it makes those principals forget all of theirs
 * whose first decision is older than the `maxEntries` before: no more than twice as many are held at once.
 */
export function createDecisionMemo(maxEntries: number): DecisionMemo {
  let young: Decisions[] = [];
  let old: Decisions[] = [];
  let count = 0;
  return {
    remember(decisions, group, name, settled) {
      if (name.length > maxNameLength) return;
      if (count >= maxEntries) {
        for (const one of old) one.forget();
        old = young;
        young = [];
        count = 0;
      }
      if (decisions.isEmpty) young.push(decisions);
      decisions.add(group, name, settled);
      count += 1;
    },
  };
}
