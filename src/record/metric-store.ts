/**
 * The only home of prom-client. Counts are kept by whoever counts, as plain numbers; a metric says how
 * to read them when it is scraped. prom-client formats them and adds up those of the workers.
 */

import promClient from 'prom-client';
import type { Metric } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Counts of observed values by upper bound. */
export interface HistogramSample {
  readonly labels: Labels;
  /** How many were in each bucket alone, one more than there are bounds: the last has no bound. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/** How the values of several workers become one. */
export type Aggregator = 'sum' | 'max' | 'min' | 'first';

interface MetricOptions<Value> {
  /** Without the prefix `postern_`. */
  readonly name: string;
  readonly help: string;
  /** Called at each scrape. */
  readonly read: () => Iterable<Value>;
}

export interface MetricStore {
  counter(options: MetricOptions<Sample>): void;
  gauge(options: MetricOptions<Sample> & { readonly aggregator: Aggregator }): void;
  histogram(
    options: MetricOptions<HistogramSample> & { readonly boundsSeconds: readonly number[] },
  ): void;
  /** The metrics of this process in the Prometheus text format 0.0.4. */
  text(): Promise<string>;
  /** Lets the primary process collect these metrics. Call once, in a worker. */
  answerPrimary(): void;
}

export const contentType = promClient.Registry.PROMETHEUS_CONTENT_TYPE;

const prefix = 'postern_';

interface FormattedSample extends Sample {
  readonly metricName?: string;
}

export function createMetricStore(): MetricStore {
  const registry = new promClient.Registry();

  function register(
    type: 'counter' | 'gauge' | 'histogram',
    { name, help }: { readonly name: string; readonly help: string },
    aggregator: Aggregator,
    values: () => FormattedSample[],
  ): void {
    const fullName = prefix + name;
    const get = (): Promise<object> =>
      Promise.resolve({ name: fullName, help, type, aggregator, values: values() });
    // A registry needs no more of a metric than this; prom-client's own aggregation does the same.
    registry.registerMetric({ name: fullName, help, type, aggregator, get } as unknown as Metric);
  }

  return {
    counter(options) {
      register('counter', options, 'sum', () => [...options.read()]);
    },
    gauge(options) {
      register('gauge', options, options.aggregator, () => [...options.read()]);
    },
    histogram(options) {
      register('histogram', options, 'sum', () =>
        [...options.read()].flatMap((sample) =>
          histogramLines(prefix + options.name, options.boundsSeconds, sample),
        ),
      );
    },
    text: () => registry.metrics(),
    answerPrimary() {
      promClient.AggregatorRegistry.setRegistries([registry]);
      // The constructor installs the listener for the primary's questions.
      new promClient.AggregatorRegistry();
    },
  };
}

/**
 * Collects the metrics of all workers, merged. Call once, in the primary.
 *
 * @returns a function that resolves to the text, or rejects when a worker does not answer within five
 *   seconds
 */
export function createWorkerCollector(): () => Promise<string> {
  const aggregator = new promClient.AggregatorRegistry();
  return () => aggregator.clusterMetrics();
}

function histogramLines(
  name: string,
  bounds: readonly number[],
  { labels, counts, sum }: HistogramSample,
): FormattedSample[] {
  const lines: FormattedSample[] = [];
  let total = 0;
  for (const [index, bound] of bounds.entries()) {
    total += counts[index] ?? 0;
    const le = String(bound);
    lines.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: total });
  }
  total += counts[bounds.length] ?? 0;
  lines.push(
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: total },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  );
  return lines;
}
