import type { TargetPlan } from '../plan.ts';
import { createHttp1Upstream } from './http1/http1-upstream.ts';
import { createUndiciUpstream } from './undici-upstream.ts';
import type { UpstreamLimits } from './upstream-limits.ts';
import type { Upstream } from './upstream.ts';

/**
 * Opens the way to one target: plain HTTP with the gate's own client, TLS with undici.
 *
 * @param backendName `namespace/name` of the Backend, for the log
 */
export function createUpstream(
  backendName: string,
  target: TargetPlan,
  limits: UpstreamLimits,
): Upstream {
  return target.tls === null
    ? createHttp1Upstream(backendName, target, limits)
    : createUndiciUpstream(backendName, target, limits);
}
