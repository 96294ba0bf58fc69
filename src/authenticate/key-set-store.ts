import type { RemoteKeysPlan } from '../plan.ts';
import { createRemoteKeySet } from './remote-key-set.ts';
import type { FetchedKeys, RemoteKeySet, RemoteKeySetOptions } from './remote-key-set.ts';

/** What a worker has fetched of a remote key set, as workers tell it to each other. */
export interface FetchedKeySet extends FetchedKeys {
  /** Of {@link keySetId}. */
  readonly id: string;
}

/** What makes two remote key sets the same: plans come from the configuration and survive JSON. */
export function keySetId(plan: RemoteKeysPlan): string {
  return JSON.stringify(plan);
}

/**
 * The remote key sets of a process. Providers with the same plan share one set, and a set lives on through a
 * reload as long as the next runtime acquires it before the last one releases it.
 */
export interface KeySetStore {
  /** What sets that are acquired from now on begin with; another call replaces it. */
  offer(fetched: readonly FetchedKeySet[]): void;
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
  let offered: readonly FetchedKeySet[] = [];
  return {
    offer(fetched) {
      offered = fetched;
    },
    acquire(plan) {
      const id = keySetId(plan);
      const entry = entries.get(id) ?? {
        set: createRemoteKeySet(plan, options, offered.find((one) => one.id === id) ?? null),
        holders: 0,
      };
      entry.holders += 1;
      entries.set(id, entry);
      return entry.set;
    },
    release(plan) {
      const id = keySetId(plan);
      const entry = entries.get(id);
      if (entry === undefined) return;
      entry.holders -= 1;
      if (entry.holders > 0) return;
      entry.set.close();
      entries.delete(id);
    },
    close() {
      for (const { set } of entries.values()) set.close();
      entries.clear();
    },
  };
}
