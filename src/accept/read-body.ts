import type { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import type { Milliseconds } from '../units.ts';
import { ANSWERED, PASS, type Verdict } from '../verdict.ts';

/**
 * Makes the read-body stage, which waits until the whole request body is there.
 *
 * @param timeoutMs how long a body may take from here on, however steadily it trickles; 0: no limit
 * @returns a stage; PASS, or BODY_TOO_LARGE, BODY_TIMEOUT; CLIENT_CLOSED where the client went away first
 */
export function createReadBody(
  timeoutMs: Milliseconds,
): (exchange: Exchange) => Verdict | Promise<Verdict> {
  return (exchange) => {
    const { requestBody } = exchange;
    if (requestBody === null) return PASS;
    if (requestBody.outcome !== null) return settle(exchange);
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => exchange.fail(new Refusal('BODY_TIMEOUT')), timeoutMs);
    return requestBody.whenSettled().then(() => {
      clearTimeout(timer);
      // The timeout has answered, and what it discarded is no reason to cut that answer off.
      return exchange.refusal === null ? settle(exchange) : ANSWERED;
    });
  };
}

function settle(exchange: Exchange): Verdict {
  const { requestBody } = exchange;
  if (requestBody?.outcome === 'complete') {
    exchange.body = requestBody.bytes();
    return PASS;
  }
  return new Refusal(requestBody?.outcome === 'too-large' ? 'BODY_TOO_LARGE' : 'CLIENT_CLOSED');
}
