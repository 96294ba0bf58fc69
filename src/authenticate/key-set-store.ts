import type { RemoteKeysPlan } from '../plan.ts';
import { createRemoteKeySet } from './remote-key-set.ts';
import type { RemoteKeySet, RemoteKeySetOptions } from './remote-key-set.ts';

/**
 * The remote key sets of a process. Providers with the same plan share one set, and a set lives on through a
 * reload as long as the next runtime acquires it before the last one releases it.
 */
export interface KeySetStore {
  /** The set of this plan; every call must be paired with one `release`. */
  acquire(plan: RemoteKeysPlan): RemoteKeySet;
  /** Closes the set when nobody else holds it. */
  release(plan: RemoteKeysPlan): void;
  /** Closes all sets. */
  close(): void;
}

/** Makes a store whose sets all fetch in the same way. */
export function createKeySetStore(options: RemoteKeySetOptions): KeySetStore {
  const entries = new Map<string, { readonly set: RemoteKeySet; holders: number }>();
  // Plans come from the configuration and survive JSON, so equal text means an equal plan.
  const keyOf = (plan: RemoteKeysPlan): string => JSON.stringify(plan);
  return {
    acquire(plan) {
      const entry = entries.get(keyOf(plan)) ?? {
        set: createRemoteKeySet(plan, options),
        holders: 0,
      };
      entry.holders += 1;
      entries.set(keyOf(plan), entry);
      return entry.set;
    },
    release(plan) {
      const entry = entries.get(keyOf(plan));
      if (entry === undefined) return;
      entry.holders -= 1;
      if (entry.holders > 0) return;
      entry.set.close();
      entries.delete(keyOf(plan));
    },
    close() {
      for (const { set } of entries.values()) set.close();
      entries.clear();
    },
  };
}
