import { isIP } from 'node:net';
import type { TargetPlan } from '../plan.ts';
import type { Milliseconds } from '../units.ts';
import type { UpstreamLimits } from './upstream-limits.ts';

/**
 * How old a connection to this target may be when it takes another request. A name is resolved for each new
 * connection, and one that never rests would hold on to what the name meant once.
 *
 * @returns infinity where there is no limit, and for a target that is an address
 */
export function oldestConnectionMs(
  { host }: Pick<TargetPlan, 'host'>,
  { maxAgeMs }: Pick<UpstreamLimits, 'maxAgeMs'>,
): Milliseconds {
  return maxAgeMs === 0 || isIP(host) !== 0 ? Infinity : maxAgeMs;
}
