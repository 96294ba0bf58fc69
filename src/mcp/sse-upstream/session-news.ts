/**
 * What one worker is told of a session concerns the connections that others have for it: a request that its client has
 * cancelled, and the end of the session.
 */

import { readJson } from '../../json/read-json.ts';

/** News of one session of one server. */
export interface SessionNews {
  readonly uid: string;
  /** Whose session it is, as `ownerKey` writes it: news move nothing of another's. */
  readonly owner: string;
  /** The client's `notifications/cancelled`, as it sent it; `null`: the session has ended. */
  readonly cancellation: Buffer | null;
}

/** Who has connections to a server, here or at another worker. */
export interface NewsReader {
  /** Says which server it is, the same at all workers. */
  readonly server: string;
  take(news: SessionNews): void;
  /** It has no connections any more, and will be asked for none. */
  readonly isOver: boolean;
}

/** What carries news to the other workers. */
export interface NewsSiblings {
  send(to: string | null, topic: string, payload: string): void;
  on(topic: string, take: (from: string, payload: string) => void): void;
}

export interface SessionNewsroom {
  /** @returns tells all other readers of the same server; what is too long is not told */
  join(reader: NewsReader): (news: SessionNews) => void;
}

const TOPIC = 'sse-upstream-session';
const MAX_PAYLOAD_LENGTH = 32_768;
const LIMITS = Object.freeze({ maxDepth: 1, maxValues: 5 });

/** @param siblings the other workers; `null` where there are none */
export function createSessionNewsroom(siblings: NewsSiblings | null): SessionNewsroom {
  let readers: readonly NewsReader[] = [];

  function tellHere(server: string, news: SessionNews, except: NewsReader | null): void {
    for (const reader of readers) {
      if (reader !== except && reader.server === server) reader.take(news);
    }
  }

  siblings?.on(TOPIC, (_from, payload) => {
    const read = readNews(payload);
    if (read !== null) tellHere(read.server, read.news, null);
  });

  return {
    join(reader) {
      readers = [...readers.filter(({ isOver }) => !isOver), reader];
      return (news) => {
        // A reload may have left requests with the one that was here before.
        tellHere(reader.server, news, reader);
        const { uid, owner, cancellation } = news;
        const text = cancellation?.toString('utf8') ?? null;
        const payload = JSON.stringify([reader.server, uid, owner, text]);
        if (payload.length <= MAX_PAYLOAD_LENGTH) siblings?.send(null, TOPIC, payload);
      };
    },
  };
}

function readNews(payload: string): { readonly server: string; readonly news: SessionNews } | null {
  const { value } = readJson(Buffer.from(payload), LIMITS);
  if (!Array.isArray(value)) return null;
  const [server, uid, owner, text] = value as readonly unknown[];
  if (typeof server !== 'string' || typeof uid !== 'string' || typeof owner !== 'string') {
    return null;
  }
  if (text !== null && typeof text !== 'string') return null;
  return { server, news: { uid, owner, cancellation: text === null ? null : Buffer.from(text) } };
}
