import type { Exchange } from '../exchange.ts';
import { addressKey, principalKey } from './caller-key.ts';

/** Under which texts a request is counted: mostly one; it needs a token of each. */
export type RateKey = (exchange: Exchange) => readonly string[];

const everybody: readonly string[] = Object.freeze(['']);

/** The key of a policy without one: all requests are counted together. */
export const oneForAll: RateKey = () => everybody;

/**
 * Makes a key of what an expression gives. Where it gives nothing, the caller (the principal, else the
 * address) has a bucket for such requests: an expression that fails lets nobody get by, and nobody can
 * use up what is for others by making it fail.
 *
 * @param evaluate texts by which the request is to be counted; `null` for one that can't be evaluated
 */
export function createRateKey(
  evaluate: (exchange: Exchange) => readonly (string | null)[],
): RateKey {
  return (exchange) => {
    const keys = new Set<string>();
    for (const text of evaluate(exchange)) {
      keys.add(text === null ? `!${callerKey(exchange)}` : `=${text}`);
    }
    return [...keys];
  };
}

function callerKey({ principal, head }: Exchange): string {
  return principal === null ? addressKey(head.remoteAddress) : principalKey(principal);
}
