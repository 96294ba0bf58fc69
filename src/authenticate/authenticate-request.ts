import type { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import { PASS, type Verdict } from '../verdict.ts';
import type { Authenticated, TokenLocation } from './authenticator.ts';

/**
 * The authenticate stage: every authentication policy of the rule must accept the request, in their
 * order (before and after external authorization). The last principal found is the exchange's. A
 * token that was seen before is decided without a promise.
 *
 * @returns PASS, or the refusal of the first policy that does not accept
 */
export function authenticateRequest(exchange: Exchange): Verdict | Promise<Verdict> {
  return continueFrom(exchange, 0);
}

function continueFrom(exchange: Exchange, first: number): Verdict | Promise<Verdict> {
  const authenticators = exchange.rule?.authenticators ?? [];
  for (let index = first; index < authenticators.length; index += 1) {
    const result = authenticators[index]?.authenticate(exchange.head, exchange.startedAtMs);
    if (result instanceof Promise) {
      return result.then((settled) => {
        const refusal = accept(exchange, settled);
        return refusal ?? continueFrom(exchange, index + 1);
      });
    }
    const refusal = result === undefined ? null : accept(exchange, result);
    if (refusal !== null) return refusal;
  }
  return PASS;
}

function accept(exchange: Exchange, result: Authenticated | Refusal): Refusal | null {
  if (result instanceof Refusal) return result;
  const { principal, location } = result;
  if (principal !== null) {
    if (exchange.principal !== null) {
      exchange.earlierPrincipals = [...exchange.earlierPrincipals, exchange.principal];
    }
    exchange.principal = principal;
  }
  if (location === null) return null;
  if (principal?.keepToken !== true) {
    exchange.tokensToRemove = [...exchange.tokensToRemove, location];
  } else if (isHeader(location)) {
    exchange.keptTokenHeader = location.name;
  }
  return null;
}

function isHeader(location: TokenLocation): boolean {
  return location.in === 'header';
}
