import { Refusal } from '../../errors.ts';
import { Exchange } from '../../exchange.ts';
import type { ListenerTable } from '../../route/listener-table.ts';
import type { Clock, Milliseconds } from '../../units.ts';
import type { Siblings } from '../../workers/siblings.ts';
import { RelayResponder } from './relay-responder.ts';
import { readRelayedAnswer, readRelayedPost, writeRelayedPost } from './relayed-post.ts';
import type { RelayedAnswer, RelayedDenial } from './relayed-post.ts';

const POST_TOPIC = 'sse-post';
const ANSWER_TOPIC = 'sse-answer';
/** A worker that is gone never answers. */
const TIMEOUT_MS: Milliseconds = 10_000;
const MAX_PENDING = 1024;

export interface PostRelayOptions {
  readonly siblings: Siblings;
  readonly clock: Clock;
  readonly monotonicNow: () => number;
  /** The name of the port whose listeners these are or were; `null` for others. */
  readonly portOf: (listeners: ListenerTable) => string | null;
  /** The listeners of a port as of now. */
  readonly listenersOf: (port: string) => ListenerTable | null;
  /** Takes an exchange through all stages. */
  readonly run: (exchange: Exchange) => void;
}

export interface PostRelay {
  /**
   * Hands a POST, its head and the given body, to the worker that holds its stream, and answers it with what comes back;
   * SESSION_UNKNOWN (404) where nothing does within 10 s, MESSAGES_IN_FLIGHT where too many wait already.
   */
  send(exchange: Exchange, workerId: string, body: Buffer): void;
}

interface Pending {
  readonly exchange: Exchange;
  readonly workerId: string;
  readonly timer: NodeJS.Timeout;
}

/**
 * Joins the workers for HTTP+SSE, both ways. A worker that is handed a POST runs it through all stages from the
 * start: who the caller is, it sees for itself.
 */
export function createPostRelay(options: PostRelayOptions): PostRelay {
  const { siblings } = options;
  const pending = new Map<number, Pending>();
  let lastId = 0;

  siblings.on(POST_TOPIC, (from, payload) => takePost(from, payload));
  siblings.on(ANSWER_TOPIC, (from, payload) => {
    const answer = readRelayedAnswer(payload);
    if (answer !== null && pending.get(answer.id)?.workerId === from) takeAnswer(answer);
  });

  function settle(id: number): Exchange | null {
    const found = pending.get(id);
    if (found === undefined) return null;
    pending.delete(id);
    clearTimeout(found.timer);
    return found.exchange;
  }

  function takeAnswer({ id, status, headers, body, isCarried, denial }: RelayedAnswer): void {
    const exchange = settle(id);
    if (exchange === null || exchange.responder.finished) return;
    exchange.isCarried = isCarried;
    if (denial !== null && exchange.refusal === null) {
      exchange.denial ??= denialFrom(denial);
    }
    exchange.status = status;
    exchange.responder.send(status, headers, body);
  }

  function takePost(from: string, payload: string): void {
    const post = readRelayedPost(payload);
    const listeners = post === null ? null : options.listenersOf(post.port);
    if (post === null || listeners === null) return;
    const responder = new RelayResponder((status, headers, body) => {
      const { isCarried } = exchange;
      const denial = denialOf(exchange);
      const answer: RelayedAnswer = { id: post.id, status, headers, body, isCarried, denial };
      siblings.send(from, ANSWER_TOPIC, JSON.stringify(answer));
    });
    const exchange: Exchange = new Exchange(
      post.head,
      responder,
      null,
      listeners,
      post.serverName,
      options.clock(),
      options.monotonicNow(),
    );
    exchange.body = post.body;
    exchange.isRelayed = true;
    options.run(exchange);
  }

  return {
    send(exchange, workerId, body) {
      const port = options.portOf(exchange.listeners);
      if (port === null) {
        exchange.fail(new Refusal('SESSION_UNKNOWN'));
        return;
      }
      if (pending.size >= MAX_PENDING) {
        exchange.fail(new Refusal('MESSAGES_IN_FLIGHT'));
        return;
      }
      lastId += 1;
      const id = lastId;
      const timer = setTimeout(() => {
        settle(id)?.fail(
          new Refusal('SESSION_UNKNOWN', { detail: 'the worker that holds the stream is silent' }),
        );
      }, TIMEOUT_MS);
      pending.set(id, { exchange, workerId, timer });
      exchange.responder.onAbort(() => settle(id));
      const { head, serverName } = exchange;
      siblings.send(workerId, POST_TOPIC, writeRelayedPost({ id, port, serverName, head, body }));
    },
  };
}

function denialOf({ denial, refusal }: Exchange): RelayedDenial | null {
  const denied = denial ?? refusal;
  if (denied?.kind.code !== 'AUTHORIZATION_DENIED') return null;
  const { policy = '', rule = '', detail = '' } = denied;
  return { policy, rule, detail };
}

function denialFrom({ policy, rule, detail }: RelayedDenial): Refusal {
  return new Refusal('AUTHORIZATION_DENIED', {
    ...(policy === '' ? {} : { policy }),
    ...(rule === '' ? {} : { rule }),
    ...(detail === '' ? {} : { detail }),
  });
}
