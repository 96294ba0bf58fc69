import type { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import { createDeadlines, type Awaited, type Deadlines } from '../timers/deadlines.ts';
import type { Milliseconds } from '../units.ts';
import { PASS, WAITING, type Verdict } from '../verdict.ts';
import type { BodyReader } from './request-body.ts';

/**
 * Makes the read-body stage, which waits until the whole request body is there.
 *
 * @param timeoutMs how long a body may take from here on, however steadily it trickles; 0: no limit
 * @returns a stage; PASS, or BODY_TOO_LARGE, BODY_TIMEOUT; CLIENT_CLOSED where the client went away first
 */
export function createReadBody(
  timeoutMs: Milliseconds,
): (exchange: Exchange) => Verdict | typeof WAITING {
  const deadlines = createDeadlines<Wait>(timeoutMs, ({ exchange }) =>
    exchange.fail(new Refusal('BODY_TIMEOUT')),
  );
  return (exchange) => {
    const { requestBody } = exchange;
    if (requestBody === null) return PASS;
    if (requestBody.outcome !== null) return settle(exchange);
    const wait = new Wait(exchange, deadlines);
    deadlines.add(wait);
    requestBody.whenSettled(wait);
    return WAITING;
  };
}

/** One object in place of a promise, its callbacks and a timer. */
class Wait implements BodyReader, Awaited<Wait> {
  before: Wait | null = null;
  after: Wait | null = null;
  isLinked = false;
  dueAtRing = 0;
  readonly exchange: Exchange;
  readonly #deadlines: Deadlines<Wait>;

  constructor(exchange: Exchange, deadlines: Deadlines<Wait>) {
    this.exchange = exchange;
    this.#deadlines = deadlines;
  }

  onSettled(): void {
    this.#deadlines.remove(this);
    this.exchange.proceed(settle(this.exchange));
  }
}

function settle(exchange: Exchange): Verdict {
  const { requestBody } = exchange;
  if (requestBody?.outcome === 'complete') {
    exchange.body = requestBody.bytes();
    return PASS;
  }
  return new Refusal(requestBody?.outcome === 'too-large' ? 'BODY_TOO_LARGE' : 'CLIENT_CLOSED');
}
