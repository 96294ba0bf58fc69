import type { UpstreamRequest } from '../../forward/upstream.ts';
import type { SealOwner } from '../seal-binding.ts';
import { createConnectionTable, ownerKey } from './connection-table.ts';
import type { SseLimits } from './limits.ts';
import type { NewsReader, SessionNews } from './session-news.ts';
import type { SseSession } from './session-text.ts';
import type { SseConnection } from './sse-connection.ts';

/** The sessions of one worker: each has one connection at most. */
export interface SessionConnections extends Pick<NewsReader, 'take' | 'isOver'> {
  /** Opens the connection of a new session; `null` where there is no room. */
  open(uid: string, request: UpstreamRequest): SseConnection | null;
  /** The connection of a session, if there is one here. */
  find(session: SseSession, owner: SealOwner): SseConnection | null;
  /** The connection of a session, opened again where it is not here; `null` where there is no room. */
  connectionOf(session: SseSession, request: UpstreamRequest): SseConnection | null;
  /** Ends a session, which this worker remembers for a while; the news are for the other workers. */
  end(session: SseSession, owner: SealOwner): SessionNews;
  hasEnded(session: SseSession): boolean;
  /** Lets running requests finish, then closes the connections; those opened later are closed likewise. */
  retire(): void;
}

/** How many sessions are remembered that were ended by DELETE. */
const MAX_ENDED = 10_000;

/** @param openConnection opens a connection with the headers of a request */
export function createSessionConnections(
  limits: SseLimits,
  openConnection: (request: UpstreamRequest, onClosed: () => void) => SseConnection,
): SessionConnections {
  const table = createConnectionTable<SseConnection>(limits);
  const ended = new Set<string>();
  let isRetired = false;

  function open(uid: string, request: UpstreamRequest): SseConnection | null {
    if (!table.makeRoom(request.owner)) return null;
    const opening: { connection: SseConnection | null; isClosed: boolean } = {
      connection: null,
      isClosed: false,
    };
    const connection = openConnection(request, () => {
      opening.isClosed = true;
      if (opening.connection !== null) table.remove(uid, opening.connection);
    });
    opening.connection = connection;
    if (!opening.isClosed) table.add(uid, request.owner, connection);
    if (isRetired) connection.retire();
    return connection;
  }

  function end(uid: string, owner: string): void {
    table.findByKey(uid, owner)?.close('UPSTREAM_RESET', 'the session has ended');
    ended.add(uid);
    for (const oldest of ended) {
      if (ended.size <= MAX_ENDED) break;
      ended.delete(oldest);
    }
  }

  return {
    open,
    find: ({ uid }, owner) => table.find(uid, owner),
    connectionOf({ uid, params }, request) {
      const existing = table.find(uid, request.owner);
      if (existing !== null) return existing;
      const opened = open(uid, request);
      opened?.replay(request, params);
      return opened;
    },
    end({ uid }, owner) {
      const key = ownerKey(owner);
      end(uid, key);
      return { uid, owner: key, cancellation: null };
    },
    take({ uid, owner, cancellation }) {
      if (cancellation === null) end(uid, owner);
      else table.findByKey(uid, owner)?.takeCancellation(cancellation);
    },
    get isOver() {
      return isRetired && table.all().length === 0;
    },
    hasEnded: ({ uid }) => ended.has(uid),
    retire() {
      isRetired = true;
      for (const connection of table.all()) connection.retire();
    },
  };
}
