import type { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import { PASS, type Verdict } from '../verdict.ts';

/**
 * The read-body stage: waits until the whole request body is there.
 *
 * @returns PASS, or BODY_TOO_LARGE; CLIENT_CLOSED where the client went away first
 */
export function readBody(exchange: Exchange): Verdict | Promise<Verdict> {
  const { requestBody } = exchange;
  if (requestBody === null) return PASS;
  if (requestBody.outcome !== null) return settle(exchange);
  return requestBody.whenSettled().then(() => settle(exchange));
}

function settle(exchange: Exchange): Verdict {
  const { requestBody } = exchange;
  if (requestBody?.outcome === 'complete') {
    exchange.body = requestBody.bytes();
    return PASS;
  }
  return new Refusal(requestBody?.outcome === 'too-large' ? 'BODY_TOO_LARGE' : 'CLIENT_CLOSED');
}
