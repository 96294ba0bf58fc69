/**
 * Every metric of a worker: names, labels, help. Label values come from the configuration or from closed
 * lists, never from a client.
 */

import cluster from 'node:cluster';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { OnVerdict, PolicyAuthenticator } from '../authenticate/authenticate.ts';
import type { LiveRateLimits } from '../build-rate-limits.ts';
import type { AdmissionState } from '../limit/admission.ts';
import type { Overload } from '../limit/overload.ts';
import type { VerifyPoolState } from '../authenticate/verify-pool.ts';
import type { AccessLog } from './access-log.ts';
import { defineLimitMetrics } from './limit-metrics.ts';
import { createMetricStore } from './metric-store.ts';
import type { MetricStore, Sample } from './metric-store.ts';
import { createRequestCounts, requestBoundsSeconds } from './request-counts.ts';
import type { RequestCounts } from './request-counts.ts';
import { createTokenCounts } from './token-counts.ts';
import type { TokenCounts } from './token-counts.ts';

/** Where the gauges are read from at a scrape. */
export interface MetricSources {
  /** Requests in flight, running streams included. */
  readonly openRequests: () => number;
  /** Of those, answers that are event streams. */
  readonly openStreams: () => number;
  readonly openConnections: () => number;
  readonly verifyPool: () => VerifyPoolState;
  readonly authenticators: () => readonly Pick<PolicyAuthenticator, 'policy' | 'cache'>[];
  /** Connections that were closed at once since the start. */
  readonly refusedConnections: () => number;
  readonly admission: () => AdmissionState;
  readonly overload: Pick<Overload, 'level' | 'refused'>;
  readonly rateLimits: () => LiveRateLimits;
}

export interface Metrics {
  readonly requests: RequestCounts;
  readonly countToken: OnVerdict;
  /** Says where the gauges are read from; until then they are 0. */
  observe(sources: MetricSources): void;
  /** This worker's metrics in the Prometheus text format. */
  text(): Promise<string>;
}

const eventLoopResolutionMs = 20;

/**
 * Makes the metrics of this process. In a worker of node:cluster the primary can collect them from then
 * on. Call once in a process.
 *
 * @param parts whose counts are shown along
 */
export function createMetrics({
  accessLog,
}: {
  readonly accessLog: Pick<AccessLog, 'dropped' | 'failures'>;
}): Metrics {
  const store = createMetricStore();
  const requests = createRequestCounts();
  const tokens = createTokenCounts();
  let sources: MetricSources | null = null;

  defineRequestMetrics(store, requests);
  defineTokenMetrics(store, tokens);
  defineGauges(store, () => sources);
  defineLimitMetrics(store, () => sources);
  store.counter({
    name: 'access_log_dropped_total',
    help: 'Lines of the access log that the destination could not take in time.',
    read: () => [single(accessLog.dropped)],
  });
  store.counter({
    name: 'access_log_write_failures_total',
    help: 'Failed writes to the destination of the access log.',
    read: () => [single(accessLog.failures)],
  });
  defineProcessMetrics(store);
  if (cluster.isWorker) store.answerPrimary();

  return {
    requests,
    countToken: (policy, provider, outcome, code) => tokens.count(policy, provider, outcome, code),
    observe(newSources) {
      sources = newSources;
    },
    text: () => store.text(),
  };
}

function defineRequestMetrics(store: MetricStore, requests: RequestCounts): void {
  store.counter({
    name: 'requests_total',
    help: 'Finished requests; reason is empty unless Postern refused or lost the request itself.',
    read: () => requests.readTotals(),
  });
  store.histogram({
    name: 'request_duration_seconds',
    help: 'From the head of a request to the end of its answer; a stream counts as long as it lasts.',
    boundsSeconds: requestBoundsSeconds,
    read: () => requests.readDurations(),
  });
  store.histogram({
    name: 'upstream_duration_seconds',
    help: 'From asking the upstream to the head of its answer.',
    boundsSeconds: requestBoundsSeconds,
    read: () => requests.readUpstreamDurations(),
  });
}

function defineTokenMetrics(store: MetricStore, tokens: TokenCounts): void {
  store.counter({
    name: 'tokens_total',
    help: 'Tokens that were verified, recognised from the cache, or refused (with the code as reason).',
    read: () => tokens.readTotals(),
  });
  store.counter({
    name: 'token_cache_hits_total',
    help: 'Accepted tokens that were recognised without a signature check.',
    read: () => tokens.readByPolicy('cached'),
  });
  store.counter({
    name: 'token_cache_misses_total',
    help: 'Accepted tokens that needed a signature check.',
    read: () => tokens.readByPolicy('verified'),
  });
}

function defineGauges(store: MetricStore, sources: () => MetricSources | null): void {
  const gauge = (name: string, help: string, read: (from: MetricSources) => number): void =>
    store.gauge({
      name,
      help,
      aggregator: 'sum',
      read: () => {
        const from = sources();
        return [single(from === null ? 0 : read(from))];
      },
    });
  gauge('open_requests', 'Requests in flight, running streams included.', (from) =>
    from.openRequests(),
  );
  gauge('open_streams', 'Event streams that are running.', (from) => from.openStreams());
  gauge('downstream_connections', 'Open connections of clients.', (from) => from.openConnections());
  gauge(
    'verification_queue',
    'Tokens that wait for a thread to check their signature.',
    (from) => from.verifyPool().queued,
  );
  gauge(
    'verification_running',
    'Tokens whose signature is being checked.',
    (from) => from.verifyPool().running,
  );
  store.gauge({
    name: 'token_cache_entries',
    help: 'Tokens that are remembered, by policy and verdict.',
    aggregator: 'sum',
    read: () =>
      (sources()?.authenticators() ?? []).flatMap(({ policy, cache }) => [
        { labels: { policy, verdict: 'accepted' }, value: cache.accepted },
        { labels: { policy, verdict: 'refused' }, value: cache.refused },
      ]),
  });
}

function defineProcessMetrics(store: MetricStore): void {
  const delay = monitorEventLoopDelay({ resolution: eventLoopResolutionMs });
  delay.enable();
  store.gauge({
    name: 'event_loop_delay_seconds',
    help: 'Longest delay of the event loop since the last scrape, the worst worker.',
    aggregator: 'max',
    read: () => {
      const longestMs = delay.max / 1e6 - eventLoopResolutionMs;
      delay.reset();
      return [single(Number.isFinite(longestMs) ? Math.max(0, longestMs) / 1000 : 0)];
    },
  });
  store.gauge({
    name: 'worker_memory_bytes',
    help: 'Resident memory of the workers.',
    aggregator: 'sum',
    read: () => [single(process.memoryUsage.rss())],
  });
  store.counter({
    name: 'worker_cpu_seconds_total',
    help: 'CPU time of the workers.',
    read: () => {
      const { user, system } = process.cpuUsage();
      return [single((user + system) / 1e6)];
    },
  });
}

function single(value: number): Sample {
  return { labels: {}, value };
}
