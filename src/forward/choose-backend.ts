import type { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import { PASS, type Verdict } from '../verdict.ts';

/**
 * Makes the stage that picks the backend of a request by weight.
 *
 * @param random from 0 up to but not including 1
 * @returns a stage; PASS, or BACKEND_INVALID where the share of a backendRef that leads nowhere was hit
 */
export function createChooseBackend(random: () => number): (exchange: Exchange) => Verdict {
  return (exchange) => {
    const chosen = exchange.rule?.backends.choose(random()) ?? null;
    if (chosen === null) return new Refusal('BACKEND_INVALID');
    exchange.backend = chosen;
    exchange.upstream = chosen.upstream;
    return PASS;
  };
}
