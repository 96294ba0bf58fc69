/** Every metric of the primary process, and the one page that holds those of the workers as well. */

import type { EpochMilliseconds } from '../units.ts';
import type { KeySetStatus, WorkerStatus } from '../workers/messages.ts';
import { contentType, createMetricStore, createWorkerCollector } from './metric-store.ts';
import type { Labels, MetricStore, Sample } from './metric-store.ts';

/** How the latest attempt to put resources in force went. */
export interface Reload {
  readonly ok: boolean;
  /** Of the plan in force now. */
  readonly generation: number;
  readonly atMs: EpochMilliseconds;
}

/** Where gauges are read from at a scrape. */
export interface PrimarySources {
  /** Of the workers that run. */
  readonly statuses: () => readonly WorkerStatus[];
  readonly workersWanted: number;
}

export interface PrimaryMetrics {
  setReload(reload: Reload): void;
  countWorkerRestart(): void;
  /** Says where the gauges are read from; until then they are 0. */
  observe(sources: PrimarySources): void;
  /** All metrics, those of the workers too, in the Prometheus text format. Never rejects. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface PrimaryMetricsOptions {
  readonly version: string;
  /** Resolves to the merged text of all workers; by default over the channel of node:cluster. */
  readonly collectWorkers?: () => Promise<string>;
}

/** Makes the metrics of the primary. Call once in a process: it listens for the workers' answers. */
export function createPrimaryMetrics(options: PrimaryMetricsOptions): PrimaryMetrics {
  const { version, collectWorkers = createWorkerCollector() } = options;
  const store = createMetricStore();
  let sources: PrimarySources = { statuses: () => [], workersWanted: 0 };
  let generation = 0;
  let reloadOk = false;
  let inForceSinceMs: EpochMilliseconds = 0;
  let restarts = 0;
  let complete = true;

  const gauge = (name: string, help: string, read: () => number): void =>
    store.gauge({
      name,
      help,
      aggregator: 'first',
      read: () => [{ labels: {}, value: read() }],
    });
  store.gauge({
    name: 'build_info',
    help: 'Always 1; the labels name the version and the Node.js it runs on.',
    aggregator: 'first',
    read: () => [{ labels: { version, node: process.version }, value: 1 }],
  });
  gauge('config_generation', 'Number of the plan in force, from 1.', () => generation);
  gauge(
    'config_last_reload_success',
    '1 if the latest change of the resources was put in force, 0 if it was refused.',
    () => (reloadOk ? 1 : 0),
  );
  gauge(
    'config_last_reload_timestamp_seconds',
    'When resources were last put in force, in Unix time.',
    () => inForceSinceMs / 1000,
  );
  gauge('workers', 'Worker processes that run.', () => sources.statuses().length);
  gauge('workers_wanted', 'Worker processes that should run.', () => sources.workersWanted);
  store.counter({
    name: 'worker_restarts_total',
    help: 'Worker processes that ended without being told to and were started again.',
    read: () => [{ labels: {}, value: restarts }],
  });
  defineKeySetMetrics(store, () => sources.statuses().flatMap(({ keySets }) => keySets));
  gauge(
    'scrape_complete',
    '0 where the metrics of the workers could not be collected for this page.',
    () => (complete ? 1 : 0),
  );

  return {
    setReload(reload) {
      reloadOk = reload.ok;
      generation = reload.generation;
      if (reload.ok) inForceSinceMs = reload.atMs;
    },
    countWorkerRestart() {
      restarts += 1;
    },
    observe(newSources) {
      sources = newSources;
    },
    async text() {
      let ofWorkers = '';
      try {
        ofWorkers = await collectWorkers();
        complete = true;
      } catch {
        // A worker that hangs must not hide the state of the configuration.
        complete = false;
      }
      const own = await store.text();
      return { contentType, body: ofWorkers === '' ? own : `${own}\n${ofWorkers}` };
    },
  };
}

function defineKeySetMetrics(store: MetricStore, keySets: () => readonly KeySetStatus[]): void {
  store.gauge({
    name: 'jwks_age_seconds',
    help: 'Time since a remote key set was last fetched, the oldest of all workers.',
    aggregator: 'max',
    read: () => {
      const fetched = keySets().filter(({ ageMs }) => ageMs !== null);
      return byProvider(fetched, (older, { ageMs }) => Math.max(older, (ageMs ?? 0) / 1000));
    },
  });
  store.gauge({
    name: 'jwks_keys',
    help: 'Usable keys of a remote key set, the worker with the fewest.',
    aggregator: 'min',
    read: () => byProvider(keySets(), (fewest, { keys }) => Math.min(fewest, keys), Infinity),
  });
  store.counter({
    name: 'jwks_fetch_failures_total',
    help: 'Fetches of a remote key set that failed.',
    read: () => byProvider(keySets(), (sum, { failures }) => sum + failures),
  });
}

function byProvider(
  keySets: readonly KeySetStatus[],
  combine: (before: number, keySet: KeySetStatus) => number,
  initial = 0,
): Sample[] {
  const samples = new Map<string, { labels: Labels; value: number }>();
  for (const keySet of keySets) {
    const { policy, provider } = keySet;
    const key = `${policy} ${provider}`;
    const sample = samples.get(key) ?? { labels: { policy, provider }, value: initial };
    sample.value = combine(sample.value, keySet);
    samples.set(key, sample);
  }
  return [...samples.values()];
}
