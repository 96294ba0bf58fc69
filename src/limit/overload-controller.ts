/** Says from the delays of the event loop how much of the new work is to be refused. Pure. */

import type { Milliseconds } from '../units.ts';

/**
 * What is refused: 0 nothing; 1 requests that nobody is authenticated for; 2 also tokens that would have to be
 * verified first; 3 every new request.
 */
export type OverloadLevel = 0 | 1 | 2 | 3;

export interface OverloadController {
  /**
   * Takes the latest sample.
   *
   * @param delayMs how much later than due the event loop came round
   * @param elapsedMs since the sample before
   */
  sample(delayMs: Milliseconds, elapsedMs: Milliseconds): OverloadLevel;
}

/** How long a delay is remembered: one that lasts for this long counts 63 %. */
const memoryMs = 500;

/** A level is left when the delay is under this share of what it was entered at. */
const leaveShare = 0.5;

/** By level: entered at this many times the threshold. */
const factors = [0, 1, 2, 4] as const;

/** What one sample can count, in thresholds: however long a pause was, it is over soon. */
const longest = 8;

/**
 * Makes a controller in level 0. The delay is averaged with weights that fade by time, so that one pause
 * that is short against half a second refuses nobody.
 *
 * @param thresholdMs level 1 is entered at it, 2 at twice, 3 at four times; each is left at half of that, one
 *   level a sample
 */
export function createOverloadController(thresholdMs: Milliseconds): OverloadController {
  let averageMs = 0;
  let level: OverloadLevel = 0;
  return {
    sample(delayMs, elapsedMs) {
      const share = 1 - Math.exp(-Math.max(0, elapsedMs) / memoryMs);
      const counted = Math.min(Math.max(0, delayMs), longest * thresholdMs);
      averageMs += share * (counted - averageMs);
      const entered = levelOf(averageMs / thresholdMs);
      if (entered > level) level = entered;
      else if (averageMs < leaveShare * factors[level] * thresholdMs) level = below(level);
      return level;
    },
  };
}

function levelOf(thresholds: number): OverloadLevel {
  if (thresholds >= factors[3]) return 3;
  if (thresholds >= factors[2]) return 2;
  return thresholds >= factors[1] ? 1 : 0;
}

function below(level: OverloadLevel): OverloadLevel {
  return level === 3 ? 2 : level === 2 ? 1 : 0;
}
