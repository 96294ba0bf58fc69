import { Refusal } from '../errors.ts';
import type { Milliseconds } from '../units.ts';
import { createOverloadController, type OverloadLevel } from './overload-controller.ts';

/**
 * Who is refused, the first at the lowest level. `anonymous` came without a token to a route that looks for one; on
 * an `open-route`, which looks for none, nobody could do better, and nobody is vouched for either.
 */
export const overloadClasses = ['anonymous', 'open-route', 'cold-token', 'any'] as const;
export type OverloadClass = (typeof overloadClasses)[number];

/** The state of the event loop, and what is refused because of it. */
export interface Overload {
  readonly level: OverloadLevel;
  /**
   * Whether work of a class is to be refused now.
   *
   * @returns `null`, or OVERLOADED; it is counted then
   */
  refuse(kind: OverloadClass): Refusal | null;
  /** Refusals since the start. */
  refused(kind: OverloadClass): number;
  close(): void;
}

const sampleIntervalMs = 50;

/** By class: the level from which it is refused. */
export const refusedFrom: Readonly<Record<OverloadClass, OverloadLevel>> = {
  anonymous: 1,
  'open-route': 2,
  'cold-token': 2,
  any: 3,
};

/**
 * Watches the event loop with a timer, and refuses what is cheap to refuse while it comes round late.
 *
 * @param thresholdMs delay at which level 1 begins; 0: nothing is watched and nothing refused
 */
export function watchOverload(thresholdMs: Milliseconds): Overload {
  const counts: Record<OverloadClass, number> = {
    anonymous: 0,
    'open-route': 0,
    'cold-token': 0,
    any: 0,
  };
  let level: OverloadLevel = 0;
  let timer: NodeJS.Timeout | null = null;
  if (thresholdMs > 0) {
    const controller = createOverloadController(thresholdMs);
    let lastMs = performance.now();
    timer = setInterval(() => {
      const nowMs = performance.now();
      level = controller.sample(nowMs - lastMs - sampleIntervalMs, nowMs - lastMs);
      lastMs = nowMs;
    }, sampleIntervalMs).unref();
  }
  return {
    get level() {
      return level;
    },
    refuse(kind) {
      if (level < refusedFrom[kind]) return null;
      counts[kind] += 1;
      return new Refusal('OVERLOADED', { detail: kind, headers: ['retry-after', '1'] });
    },
    refused: (kind) => counts[kind],
    close() {
      if (timer !== null) clearInterval(timer);
    },
  };
}
