import type { SealOwner } from '../seal-binding.ts';
import { bindingFields, encodeFields } from '../seal-binding.ts';
import type { SseLimits } from './limits.ts';

/** What the table needs to know of a connection. */
export interface TableConnection {
  readonly isIdle: boolean;
  close(code: 'UPSTREAM_RESET', detail: string): void;
}

/** The connections of one worker to one server, by the uid of their session. */
export interface ConnectionTable<Connection extends TableConnection> {
  /** The connection of a session, which becomes the last one to make room; `null` also for another's session. */
  find(uid: string, owner: SealOwner): Connection | null;
  /** The same for an owner as {@link ownerKey} writes it. */
  findByKey(uid: string, owner: string): Connection | null;
  /**
   * Makes room for one more connection of an owner: the idle one that was used least lately is closed.
   *
   * @returns false where all are in use
   */
  makeRoom(owner: SealOwner): boolean;
  add(uid: string, owner: SealOwner, connection: Connection): void;
  /** Takes a connection out, unless another has taken its place. */
  remove(uid: string, connection: Connection): void;
  all(): readonly Connection[];
}

interface Entry<Connection> {
  readonly owner: string;
  readonly connection: Connection;
}

export function createConnectionTable<Connection extends TableConnection>({
  maxConnections,
  maxConnectionsPerOwner,
}: Pick<SseLimits, 'maxConnections' | 'maxConnectionsPerOwner'>): ConnectionTable<Connection> {
  // The one used last is at the end.
  const entries = new Map<string, Entry<Connection>>();
  const counts = new Map<string, number>();

  function remove(uid: string, connection: Connection): void {
    const entry = entries.get(uid);
    if (entry?.connection !== connection) return;
    entries.delete(uid);
    const count = (counts.get(entry.owner) ?? 1) - 1;
    if (count === 0) counts.delete(entry.owner);
    else counts.set(entry.owner, count);
  }

  /** @param owner `null`: of anyone */
  function closeIdle(owner: string | null): boolean {
    for (const [uid, entry] of entries) {
      if ((owner !== null && entry.owner !== owner) || !entry.connection.isIdle) continue;
      remove(uid, entry.connection);
      entry.connection.close('UPSTREAM_RESET', 'closed to make room for another');
      return true;
    }
    return false;
  }

  function findByKey(uid: string, owner: string): Connection | null {
    const entry = entries.get(uid);
    if (entry?.owner !== owner) return null;
    entries.delete(uid);
    entries.set(uid, entry);
    return entry.connection;
  }

  return {
    find: (uid, owner) => findByKey(uid, ownerKey(owner)),
    findByKey,
    makeRoom(owner) {
      const key = ownerKey(owner);
      const isFull = owner.kind !== 'anonymous' && (counts.get(key) ?? 0) >= maxConnectionsPerOwner;
      if (isFull) return closeIdle(key);
      return entries.size < maxConnections || closeIdle(null);
    },
    add(uid, owner, connection) {
      const key = ownerKey(owner);
      const before = entries.get(uid);
      if (before !== undefined) remove(uid, before.connection);
      entries.set(uid, { owner: key, connection });
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    remove,
    all: () => [...entries.values()].map(({ connection }) => connection),
  };
}

/** One text for each owner. */
export function ownerKey(owner: SealOwner): string {
  return encodeFields(bindingFields({ owner, backend: '' })).toString('latin1');
}
