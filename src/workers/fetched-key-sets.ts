import { keySetId, type FetchedKeySet } from '../authenticate/key-set-store.ts';
import type { Plan } from '../plan.ts';

/** What workers have fetched of remote key sets, for the one that takes the place of a dead one. */
export interface FetchedKeySets {
  /** Takes the place of what was known of the same set. */
  add(keySet: FetchedKeySet): void;
  /** Forgets all sets that the plan does not use. */
  keepOnly(plan: Plan): void;
  all(): readonly FetchedKeySet[];
}

/** Bounded by the plan in force: a set is as large as a fetched one may be, and what no plan names is not kept. */
export function createFetchedKeySets(): FetchedKeySets {
  const byId = new Map<string, FetchedKeySet>();
  return {
    add: (keySet) => void byId.set(keySet.id, keySet),
    keepOnly({ authentications }) {
      const used = new Set(
        authentications.flatMap(({ providers }) =>
          providers.flatMap(({ keys }) => (keys.source === 'remote' ? [keySetId(keys)] : [])),
        ),
      );
      for (const id of byId.keys()) if (!used.has(id)) byId.delete(id);
    },
    all: () => [...byId.values()],
  };
}
