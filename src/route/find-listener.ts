import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';
import { isMisdirected } from './listener-table.ts';

/**
 * The stage `find-listener`: finds the listener that a request is for, among those of the port that it came in
 * on, and notes it in the exchange.
 *
 * @returns PASS; LISTENER_NOT_FOUND where no hostname covers the host; MISDIRECTED where the host belongs to
 *   another listener than the TLS connection
 */
export function findListener(exchange: Exchange): Verdict {
  const { head, serverName } = exchange;
  const listener = exchange.listeners.find(head.host);
  if (listener === null) return new Refusal('LISTENER_NOT_FOUND');
  if (isMisdirected(listener, head.scheme, serverName)) return new Refusal('MISDIRECTED');
  exchange.listener = listener;
  return PASS;
}
