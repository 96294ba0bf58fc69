import type { Milliseconds } from '../units.ts';

const FIRST_MS = 100;
const LONGEST_MS = 10_000;
/** A worker that lived this long died of something else than its start. */
const HEALTHY_MS = 30_000;

/**
 * How long to wait before a worker that died is started again: at once at first, then doubling.
 *
 * @param previousMs what this function said last time; 0 at first
 * @param livedMs how long the worker ran
 */
export function restartDelayMs(previousMs: Milliseconds, livedMs: Milliseconds): Milliseconds {
  if (previousMs === 0 || livedMs >= HEALTHY_MS) return FIRST_MS;
  return Math.min(previousMs * 2, LONGEST_MS);
}
