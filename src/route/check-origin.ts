import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';

/**
 * The stage `check-origin`: refuses what a web page of another origin sends to an MCP endpoint, preflights
 * included (MCP 2025-11-25, Streamable HTTP: 403).
 *
 * @returns PASS, or ORIGIN_FORBIDDEN
 */
export function checkOrigin(exchange: Exchange): Verdict {
  const detail = exchange.rule?.pageGuard?.refuse(exchange.head) ?? null;
  return detail === null ? PASS : new Refusal('ORIGIN_FORBIDDEN', { detail });
}
