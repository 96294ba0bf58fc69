import type { Milliseconds } from '../../units.ts';
import { createCoarseTimer } from '../../timers/coarse-timer.ts';
import { LinkedList, type Linked } from '../../linked-list.ts';

/** A connection that can wait for its next request. */
export interface Keepable<Connection> extends Linked<Connection> {
  /** From the monotonic clock. */
  idleUntilMs: Milliseconds;
  destroy(): void;
}

/** The unused connections to one target. */
export interface IdleConnections<Connection> {
  /** The one that was used last, so that those beyond the need grow old and go; `null` where there is none. */
  take(): Connection | null;
  /** Keeps a connection for this long, then destroys it. */
  put(connection: Connection, keepForMs: Milliseconds): void;
  /** Lets go of a connection that ended by itself. */
  remove(connection: Connection): void;
  destroyAll(): void;
}

/**
 * @param longestMs the longest time for which one is kept
 * @param monotonicNow milliseconds that only ever grow
 */
export function createIdleConnections<Connection extends Keepable<Connection>>(
  longestMs: Milliseconds,
  monotonicNow: () => Milliseconds,
): IdleConnections<Connection> {
  const list = new LinkedList<Connection>();
  const timer = createCoarseTimer(longestMs, () => {
    const now = monotonicNow();
    let connection = list.first;
    while (connection !== null) {
      const next = connection.after;
      if (connection.idleUntilMs <= now) destroy(connection);
      connection = next;
    }
    return list.first !== null;
  });

  function destroy(connection: Connection): void {
    list.remove(connection);
    connection.destroy();
  }

  return {
    take() {
      const now = monotonicNow();
      for (;;) {
        const connection = list.last;
        if (connection === null) return null;
        // The timer may be late, and the server's own is not.
        if (connection.idleUntilMs > now) {
          list.remove(connection);
          return connection;
        }
        destroy(connection);
      }
    },
    put(connection, keepForMs) {
      connection.idleUntilMs = monotonicNow() + keepForMs;
      list.add(connection);
      timer.start();
    },
    remove: (connection) => list.remove(connection),
    destroyAll() {
      while (list.first !== null) destroy(list.first);
    },
  };
}
