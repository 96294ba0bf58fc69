import type { Exchange } from '../exchange.ts';
import { ANSWERED, PASS, type Verdict } from '../verdict.ts';

/**
 * The stage after authorization: answers requests of a rule with a RequestRedirect filter, with the fields
 * of CORS and of ResponseHeaderModifier that the rule has.
 *
 * @returns ANSWERED; PASS where the rule has no such filter
 */
export function redirect(exchange: Exchange): Verdict {
  const { rule, head } = exchange;
  const found = rule?.filters.redirect?.(head, exchange.matchedPrefixLength);
  if (!rule || !found) return PASS;
  const fields = ['location', found.location, ...(rule.cors?.responseHeaders(head) ?? [])];
  rule.filters.modifyResponseHeaders?.(fields);
  exchange.answerInTurn(found.status, fields, '');
  return ANSWERED;
}
