import type { Milliseconds } from '../units.ts';

/** Rings again and again for as long as there is something to wait for. */
export interface CoarseTimer {
  /** Makes sure that it runs: cheap, to be called for everything that begins to wait. */
  start(): void;
}

/** How often the timer rings that serves waits of a length: after an eighth, and at least once a second. */
export function coarseIntervalMs(spanMs: Milliseconds): Milliseconds {
  return Math.min(Math.max(spanMs / 8, 5), 1000);
}

/**
 * Makes one timer for many waits: a timer for each request would cost more than the request. It does not keep
 * the process alive.
 *
 * @param spanMs the wait, of which {@link coarseIntervalMs} makes the time between two rings
 * @param ring called each time; returns whether anything is still waiting
 */
export function createCoarseTimer(spanMs: Milliseconds, ring: () => boolean): CoarseTimer {
  const intervalMs = coarseIntervalMs(spanMs);
  let runs = false;

  function onTimeout(): void {
    runs = false;
    if (ring()) start();
  }

  function start(): void {
    if (runs) return;
    runs = true;
    setTimeout(onTimeout, intervalMs).unref();
  }

  return { start };
}
