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
import { createMcpCounts, type McpCounts } from './mcp-counts.ts';
import { streamKinds, type StreamKind } from './mcp-labels.ts';
import { createEjectionCounts, type EjectionCounts } from './ejection-counts.ts';
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
  /** Of those, the streams of MCP backends by what they are for. */
  readonly mcpStreams: () => ReadonlyMap<StreamKind, number>;
  readonly openConnections: () => number;
  readonly verifyPool: () => VerifyPoolState;
  /** Backends with several endpoints, and how many of each are not ejected. */
  readonly endpointGroups: () => Iterable<{
    readonly backendName: string;
    healthyCount(): number;
  }>;
  readonly authenticators: () => readonly Pick<PolicyAuthenticator, 'policy' | 'cache'>[];
  /** Connections that were closed at once since the start. */
  readonly refusedConnections: () => number;
  readonly admission: () => AdmissionState;
  readonly overload: Pick<Overload, 'level' | 'refused'>;
  readonly rateLimits: () => LiveRateLimits;
}

export interface Metrics {
  readonly requests: RequestCounts;
  readonly mcp: McpCounts;
  readonly countToken: OnVerdict;
  /** @param endpoint host and port */
  countEjection(backend: string, endpoint: string): void;
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
  const mcp = createMcpCounts();
  const tokens = createTokenCounts();
  const ejections = createEjectionCounts();
  let sources: MetricSources | null = null;

  defineRequestMetrics(store, requests);
  defineMcpMetrics(store, mcp);
  defineTokenMetrics(store, tokens);
  defineGauges(store, () => sources);
  defineEndpointMetrics(store, ejections, () => sources);
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
    mcp,
    countToken: (policy, provider, outcome, code) => tokens.count(policy, provider, outcome, code),
    countEjection: (backend, endpoint) => ejections.count(backend, endpoint),
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

function defineMcpMetrics(store: MetricStore, mcp: McpCounts): void {
  store.counter({
    name: 'mcp_requests_total',
    help: 'MCP requests and notifications. tool is other where no list of the target that passed has it; outcome error and tool_error are told from ok where the answer was read because policies filter it, else by HTTP status alone.',
    read: () => mcp.readRequests(),
  });
  store.histogram({
    name: 'mcp_request_duration_seconds',
    help: 'From the head of an MCP request to the end of its answer.',
    boundsSeconds: requestBoundsSeconds,
    read: () => mcp.readDurations(),
  });
  store.counter({
    name: 'mcp_sessions_opened_total',
    help: 'Sessions that upstreams have opened.',
    read: () => mcp.readSessions(),
  });
  store.counter({
    name: 'authorization_denials_total',
    help: 'Requests that the rules of a policy have denied, of HTTP and of MCP.',
    read: () => mcp.readDenials(),
  });
  store.counter({
    name: 'streams_ended_total',
    help: 'Event streams, and other long answers that were cut, by why they ended.',
    read: () => mcp.readStreamEnds(),
  });
  store.counter({
    name: 'upstream_reinitialisations_total',
    help: 'Sessions of upstreams that had expired and were opened anew.',
    read: () => mcp.readReinitialisations(),
  });
  store.counter({
    name: 'upstream_target_failures_total',
    help: 'Targets of a backend with several that could not take part in an answer.',
    read: () => mcp.readTargetFailures(),
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

function defineEndpointMetrics(
  store: MetricStore,
  ejections: EjectionCounts,
  sources: () => MetricSources | null,
): void {
  store.counter({
    name: 'upstream_endpoint_ejections_total',
    help: 'How often an endpoint was left alone for a while after failures in a row.',
    read: () => ejections.read(),
  });
  store.gauge({
    name: 'upstream_endpoints_healthy',
    help: 'Endpoints of a backend with several that are not ejected, as the worst worker sees it.',
    aggregator: 'min',
    read: () =>
      [...(sources()?.endpointGroups() ?? [])].map((group) => ({
        labels: { backend: group.backendName },
        value: group.healthyCount(),
      })),
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
  store.gauge({
    name: 'mcp_streams',
    help: 'Event streams of MCP backends that are running, by kind: of a GET, of subscriptions/listen, the answer to another POST, or of HTTP+SSE.',
    aggregator: 'sum',
    read: () => {
      const counts = sources()?.mcpStreams();
      return streamKinds.map((kind) => ({ labels: { kind }, value: counts?.get(kind) ?? 0 }));
    },
  });
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
  gauge(
    'verification_threads',
    'Threads that check signatures.',
    (from) => from.verifyPool().threads,
  );
  store.counter({
    name: 'verification_busy_seconds_total',
    help: 'Time that threads have spent on checks of signatures; its rate, divided by the threads, says how much of them is used.',
    read: () => [single((sources()?.verifyPool().busyMs ?? 0) / 1000)],
  });
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
