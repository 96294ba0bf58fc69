import type { Settled } from './combine.ts';

/** Longest name that is remembered, in UTF-16 code units: a client can send any name. */
const maxNameLength = 256;

/** What was decided for a principal about a name, under a group of rules. Dropped with the principal. */
export interface DecisionMemo {
  find(principal: object, group: object, name: string): Settled | undefined;
  remember(principal: object, group: object, name: string, settled: Settled): void;
}

type Entries = WeakMap<object, Map<object, Map<string, Settled>>>;

/**
 * Remembers decisions, keyed by structure and not by joined strings: by the identity of the principal's
 * claims and of the group of rules, then by name. When there are `maxEntries` younger ones, what was
 * not asked for in the meantime is forgotten.
 *
 * @param maxEntries half of the most entries that are held at once
 */
export function createDecisionMemo(maxEntries: number): DecisionMemo {
  let young: Entries = new WeakMap();
  let old: Entries = new WeakMap();
  let count = 0;

  function remember(principal: object, group: object, name: string, settled: Settled): void {
    if (name.length > maxNameLength) return;
    if (count >= maxEntries) {
      old = young;
      young = new WeakMap();
      count = 0;
    }
    const groups = young.get(principal) ?? new Map<object, Map<string, Settled>>();
    young.set(principal, groups);
    const names = groups.get(group) ?? new Map<string, Settled>();
    groups.set(group, names);
    names.set(name, settled);
    count += 1;
  }

  return {
    find(principal, group, name) {
      const known = young.get(principal)?.get(group)?.get(name);
      if (known !== undefined) return known;
      const older = old.get(principal)?.get(group)?.get(name);
      if (older !== undefined) remember(principal, group, name, older);
      return older;
    },
    remember,
  };
}
