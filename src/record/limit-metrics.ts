/** The metrics of what is limited: what counts now, and what was refused for it. */

import type { MetricStore } from './metric-store.ts';
import type { MetricSources } from './metrics.ts';

const overloadClasses = ['anonymous', 'open-route', 'cold-token', 'any'] as const;

/** @param sources `null` until they are known: then everything is 0 */
export function defineLimitMetrics(store: MetricStore, sources: () => MetricSources | null): void {
  store.counter({
    name: 'connections_refused_total',
    help: 'Client connections that were closed at once, because there were too many.',
    read: () => [{ labels: {}, value: sources()?.refusedConnections() ?? 0 }],
  });
  store.gauge({
    name: 'overload_level',
    help: 'What the worst worker refuses: 0 nothing, 1 requests without a verified token, 2 also new tokens, 3 all.',
    aggregator: 'max',
    read: () => [{ labels: {}, value: sources()?.overload.level ?? 0 }],
  });
  store.counter({
    name: 'overload_refusals_total',
    help: 'Requests refused because the event loop came round late, by class: anonymous, open-route, cold-token, any.',
    read: () =>
      overloadClasses.map((name) => ({
        labels: { class: name },
        value: sources()?.overload.refused(name) ?? 0,
      })),
  });
  store.gauge({
    name: 'limit_entries',
    help: 'Keys that the limits remember, by what they count; only rates are remembered longer than a request.',
    aggregator: 'sum',
    read() {
      const state = sources()?.admission();
      const row = (count: string, value = 0) => ({ labels: { count }, value });
      return [
        row('requests_by_address', state?.addresses),
        row('requests_by_principal', state?.principals),
        row('streams_by_principal', state?.streamPrincipals),
        row('rate_by_address', state?.addressBuckets),
      ];
    },
  });
  store.gauge({
    name: 'admitted_requests',
    help: 'Requests in flight that count against max-requests.',
    aggregator: 'sum',
    read: () => [{ labels: {}, value: sources()?.admission().requests ?? 0 }],
  });
  store.gauge({
    name: 'rate_limit_keys',
    help: 'Keys that a local rate limit remembers, by policy.',
    aggregator: 'sum',
    read: () =>
      (sources()?.rateLimits().local ?? []).map(({ policy, size }) => ({
        labels: { policy },
        value: size,
      })),
  });
  store.counter({
    name: 'global_rate_limit_failures_total',
    help: 'Requests that a global rate limit could not count, by policy; its failure mode decided on them.',
    read: () =>
      (sources()?.rateLimits().global ?? []).map(({ policy, failures }) => ({
        labels: { policy },
        value: failures,
      })),
  });
}
