import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';

/**
 * The stage `find-route`: finds the rule that a request is for, among those of its listener, and notes it in
 * the exchange.
 *
 * @returns PASS; ROUTE_NOT_FOUND where no rule matches
 */
export function findRoute(exchange: Exchange): Verdict {
  const match = exchange.listener?.routes.find(exchange.head) ?? null;
  if (match === null) return new Refusal('ROUTE_NOT_FOUND');
  exchange.rule = match.rule;
  exchange.matchedPrefixLength = match.matchedPrefixLength;
  return PASS;
}
