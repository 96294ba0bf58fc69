import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';
import { isMisdirected } from './listener-table.ts';

/**
 * The stage `find-route`: finds the listener and the rule that a request is for, among those of the port that
 * it came in on, and notes them in the exchange.
 *
 * @returns PASS; LISTENER_NOT_FOUND where no hostname covers the host; MISDIRECTED where the host belongs to
 *   another listener than the TLS connection; ROUTE_NOT_FOUND where no rule matches
 */
export function findRoute(exchange: Exchange): Verdict {
  const { head, serverName } = exchange;
  const listener = exchange.listeners.find(head.host);
  if (listener === null) return new Refusal('LISTENER_NOT_FOUND');
  if (isMisdirected(listener, head.scheme, serverName)) return new Refusal('MISDIRECTED');
  exchange.listener = listener;
  const match = listener.routes.find(head);
  if (match === null) return new Refusal('ROUTE_NOT_FOUND');
  exchange.rule = match.rule;
  exchange.matchedPrefixLength = match.matchedPrefixLength;
  return PASS;
}
