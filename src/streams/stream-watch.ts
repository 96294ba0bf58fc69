import { hasKey, type Hold } from '../authenticate/hold.ts';
import type { Exchange } from '../exchange.ts';
import type { ListenerTable } from '../route/listener-table.ts';
import type { Clock, EpochMilliseconds, Milliseconds } from '../units.ts';
import { holdsOf, recheckStream } from './recheck-stream.ts';
import { streamEnding, type StreamEnding } from './stream-ending.ts';

export interface StreamWatchOptions {
  /** All exchanges whose answers are not over. */
  readonly exchanges: Iterable<Exchange>;
  readonly clock: Clock;
  /** Milliseconds that only ever grow. */
  readonly monotonicNow: () => Milliseconds;
  /** How long a stream may outlast its token. */
  readonly graceMs: Milliseconds;
  /** How long a stream may be silent before a comment is written into it; 0: for ever. */
  readonly keepAliveMs: Milliseconds;
  /** Told of an exception while deciding, which ends the stream. */
  readonly onBug: (error: unknown) => void;
  /** Runs the rest of a long look in a later turn of the event loop; `setImmediate`. */
  readonly later: (rest: () => void) => void;
}

export interface StreamWatch {
  /**
   * Says that these tables are in force, by port; every open answer that began under others is decided on again.
   */
  reload(tables: ReadonlyMap<string, ListenerTable>): void;
  /** Looks at every open answer; to be called about once a second. */
  look(): void;
}

/** How often {@link StreamWatch.look} is to be called. */
export const LOOK_INTERVAL_MS: Milliseconds = 1000;

/** How long one turn of the event loop may go on looking. */
const maxTurnMs: Milliseconds = 5;
const looksBetweenClocks = 16;

interface Place {
  readonly port: string;
  readonly generation: number;
}

/** What is known of an answer that was open at a look. */
interface Watched {
  generation: number;
  holds: readonly Hold[];
  readonly endsAtMs: EpochMilliseconds;
  seenBytes: number;
  silentSinceMs: Milliseconds;
}

/**
 * Ends open answers together with the right to them, and keeps silent streams alive. There is no timer for a
 * stream: one look a second goes through all exchanges, and asks only those whose answer has begun. A request
 * that is answered at once costs nothing. A look, and the deciding anew after a reload, gives the event loop
 * back every {@link maxTurnMs}.
 *
 * A stream ends when its token ends (RFC 7519, `exp`) and the grace is over. The clock skew that new requests
 * are allowed counts only for a stream that was opened within it, so that the client that opened it is not
 * sent away at once.
 */
export function createStreamWatch(options: StreamWatchOptions): StreamWatch {
  const { clock, monotonicNow, graceMs, keepAliveMs } = options;
  const places = new WeakMap<ListenerTable, Place>();
  const known = new WeakMap<Exchange, Watched>();
  let generation = 0;
  let current: ReadonlyMap<string, ListenerTable> = new Map();
  let rest: Iterator<Exchange> | null = null;

  function watch(exchange: Exchange): Watched {
    const watched: Watched = {
      generation: places.get(exchange.listeners)?.generation ?? 0,
      holds: holdsOf(exchange),
      endsAtMs: endOf(exchange, graceMs),
      seenBytes: exchange.responder.bodyBytes,
      silentSinceMs: monotonicNow(),
    };
    known.set(exchange, watched);
    return watched;
  }

  function findEnding(
    exchange: Exchange,
    watched: Watched,
    nowMs: EpochMilliseconds,
  ): StreamEnding | null {
    if (watched.generation !== generation) {
      const port = places.get(exchange.listeners)?.port;
      const table = port === undefined ? undefined : current.get(port);
      const outcome = recheckStream(exchange, table ?? null);
      if ('reason' in outcome) return outcome;
      watched.holds = outcome;
      watched.generation = generation;
    }
    for (const hold of watched.holds) if (!hasKey(hold)) return streamEnding('key_removed');
    return nowMs >= watched.endsAtMs ? streamEnding('token_expired') : null;
  }

  function visit(exchange: Exchange, nowMs: EpochMilliseconds): void {
    const { answer } = exchange;
    if (answer?.isRunning !== true) return;
    const watched = known.get(exchange) ?? watch(exchange);
    let ending: StreamEnding | null;
    try {
      ending = findEnding(exchange, watched, nowMs);
    } catch (error) {
      options.onBug(error);
      ending = streamEnding('denied', { detail: 'the rules failed' });
    }
    if (ending !== null) answer.revoke(ending);
    else if (keepAliveMs > 0 && exchange.isEventStream) keepAlive(exchange, watched);
  }

  function keepAlive({ answer, responder }: Exchange, watched: Watched): void {
    const monotonicMs = monotonicNow();
    if (responder.bodyBytes === watched.seenBytes) {
      if (monotonicMs - watched.silentSinceMs < keepAliveMs) return;
      answer?.keepAlive();
    }
    watched.seenBytes = responder.bodyBytes;
    watched.silentSinceMs = monotonicMs;
  }

  function goOn(): void {
    const stopAtMs = monotonicNow() + maxTurnMs;
    const nowMs = clock();
    for (let count = 1; rest !== null; count += 1) {
      const next = rest.next();
      if (next.done === true) {
        rest = null;
        return;
      }
      visit(next.value, nowMs);
      if (count % looksBetweenClocks === 0 && monotonicNow() >= stopAtMs) {
        options.later(goOn);
        return;
      }
    }
  }

  function look(): void {
    if (rest !== null) return;
    rest = options.exchanges[Symbol.iterator]();
    goOn();
  }

  return {
    look,
    reload(tables) {
      generation += 1;
      current = tables;
      for (const [port, table] of tables) places.set(table, { port, generation });
      look();
    },
  };
}

function endOf(exchange: Exchange, graceMs: Milliseconds): EpochMilliseconds {
  const { principal, earlierPrincipals, startedAtMs } = exchange;
  if (principal === null) return Infinity;
  let endsAtMs = Infinity;
  for (const one of [...earlierPrincipals, principal]) {
    const expiresAtMs = expiryOf(one.claims.exp) ?? one.expiresAtMs;
    endsAtMs = Math.min(endsAtMs, startedAtMs < expiresAtMs ? expiresAtMs : one.expiresAtMs);
  }
  return endsAtMs + graceMs;
}

function expiryOf(exp: unknown): EpochMilliseconds | null {
  return typeof exp === 'number' ? exp * 1000 : null;
}
