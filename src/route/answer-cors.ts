import type { Exchange } from '../exchange.ts';
import { ANSWERED, PASS, type Verdict } from '../verdict.ts';

/**
 * The stage before authentication: answers a CORS preflight of an allowed origin with 204, because browsers
 * send preflights without credentials (WHATWG Fetch, 4.8).
 *
 * @returns ANSWERED; PASS for all other requests, preflights of other origins included
 */
export function answerCors(exchange: Exchange): Verdict {
  const fields = exchange.rule?.cors?.preflight(exchange.head) ?? null;
  if (fields === null) return PASS;
  exchange.answerInTurn(204, fields, '');
  return ANSWERED;
}
