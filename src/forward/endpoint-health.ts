import type { Milliseconds } from '../units.ts';

/** When an endpoint is left alone for a while, and for how long. */
export interface EjectionLimits {
  /** Failures one after the other, without a good answer between them; 0: never. */
  readonly failures: number;
  /** The first ejection; each that follows without a good answer between lasts twice as long. */
  readonly firstMs: Milliseconds;
  readonly longestMs: Milliseconds;
}

/**
 * Which of several endpoints is asked next, and what became of those that were. Pure: time is a parameter, and
 * nothing is remembered but numbers.
 */
export interface EndpointHealth {
  /**
   * Picks the endpoint with the fewest requests in flight, in turn where several have as few. Ejected ones
   * are passed over, unless all are. One whose ejection is over gets a single request until that is answered.
   *
   * @param tried indexes that are out of the question
   * @returns its index, or `null` where all were tried
   */
  pick(tried: readonly number[], nowMs: Milliseconds): number | null;
  began(index: number): void;
  ended(index: number): void;
  /** It answered, and not for want of a server behind it. */
  succeeded(index: number, nowMs: Milliseconds): void;
  /** @returns whether that made it one failure too many: it is ejected from now on */
  failed(index: number, nowMs: Milliseconds): boolean;
  /** How many are not ejected. */
  healthyCount(nowMs: Milliseconds): number;
}

interface Endpoint {
  inFlight: number;
  /** Since the last good answer. */
  failures: number;
  /** Since the last good answer. */
  ejections: number;
  ejectedUntilMs: Milliseconds;
}

/**
 * @param count of endpoints, at least one
 * @param random from 0 up to but not including 1: where to begin, so that several workers do not all begin
 *   with the same one
 */
export function createEndpointHealth(
  count: number,
  limits: EjectionLimits,
  random: number,
): EndpointHealth {
  const endpoints: readonly Endpoint[] = Array.from({ length: count }, () => ({
    inFlight: 0,
    failures: 0,
    ejections: 0,
    ejectedUntilMs: 0,
  }));
  let next = Math.floor(random * count);

  const isEjected = ({ ejectedUntilMs }: Endpoint, nowMs: Milliseconds): boolean =>
    ejectedUntilMs > nowMs;
  /** Its ejection is over, and nobody knows yet whether it is well again. */
  const isOnTrial = ({ ejections }: Endpoint): boolean => ejections > 0;

  function isUsable(endpoint: Endpoint, nowMs: Milliseconds): boolean {
    if (isEjected(endpoint, nowMs)) return false;
    return !isOnTrial(endpoint) || endpoint.inFlight === 0;
  }

  function leastBusy(suits: (endpoint: Endpoint, index: number) => boolean): number | null {
    let best: number | null = null;
    let fewest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < count; step += 1) {
      const index = (next + step) % count;
      const endpoint = endpoints[index];
      if (endpoint === undefined || endpoint.inFlight >= fewest) continue;
      if (!suits(endpoint, index)) continue;
      best = index;
      fewest = endpoint.inFlight;
    }
    if (best !== null) next = (best + 1) % count;
    return best;
  }

  return {
    pick(tried, nowMs) {
      const isNew = (index: number): boolean => !tried.includes(index);
      return (
        leastBusy((endpoint, index) => isNew(index) && isUsable(endpoint, nowMs)) ??
        leastBusy((_endpoint, index) => isNew(index))
      );
    },
    began(index) {
      const endpoint = endpoints[index];
      if (endpoint !== undefined) endpoint.inFlight += 1;
    },
    ended(index) {
      const endpoint = endpoints[index];
      if (endpoint !== undefined) endpoint.inFlight -= 1;
    },
    succeeded(index, nowMs) {
      const endpoint = endpoints[index];
      // While it is ejected, answers to older requests say nothing of how it is now.
      if (endpoint === undefined || isEjected(endpoint, nowMs)) return;
      endpoint.failures = 0;
      endpoint.ejections = 0;
    },
    failed(index, nowMs) {
      const endpoint = endpoints[index];
      if (endpoint === undefined || limits.failures === 0 || isEjected(endpoint, nowMs))
        return false;
      endpoint.failures += 1;
      if (!isOnTrial(endpoint) && endpoint.failures < limits.failures) return false;
      const doubled = limits.firstMs * 2 ** endpoint.ejections;
      endpoint.ejectedUntilMs = nowMs + Math.min(doubled, limits.longestMs);
      endpoint.ejections += 1;
      return true;
    },
    healthyCount: (nowMs) => endpoints.filter((endpoint) => !isEjected(endpoint, nowMs)).length,
  };
}
