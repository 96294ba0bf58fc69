/** Counts of requests: plain numbers on the hot path, samples at a scrape. */

import type { Reason } from '../errors.ts';
import type { HistogramSample, Sample } from './metric-store.ts';

/** Names from the configuration; empty where there is none. */
export interface RequestLabels {
  readonly gateway: string;
  readonly listener: string;
  readonly route: string;
  readonly backend: string;
}

/** One combination of labels. Ask once, keep it, and count on it. */
export interface RequestSeries {
  /**
   * @param reason of the refusal, or `null`
   * @param upstreamMs from asking the upstream to the head of its answer, or `null`
   */
  observe(
    method: string,
    status: number,
    reason: Reason | null,
    durationMs: number,
    upstreamMs: number | null,
  ): void;
}

export interface RequestCounts {
  /** The series of these labels; the same one each time. */
  series(labels: RequestLabels): RequestSeries;
  readTotals(): Iterable<Sample>;
  readDurations(): Iterable<HistogramSample>;
  readUpstreamDurations(): Iterable<HistogramSample>;
}

/** Upper bounds in seconds. Streams last for minutes, answers of the gate itself well under a millisecond. */
export const requestBoundsSeconds: readonly number[] = Object.freeze([
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]);

/** Names come from the configuration, but a long-lived process sees many of them. */
const maxSeries = 10_000;

/** Index is part of the key of a count; the first stands for everything that is not listed. */
const methods = ['other', 'GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PUT', 'PATCH'];
// prettier-ignore
const reasons: readonly (Reason | '')[] = [
  '', 'JwtAuth', 'Authorization', 'NotFound', 'InvalidRequest', 'RateLimit', 'Timeout', 'UpstreamFailure',
  'NoHealthyBackend', 'Overload', 'ClientClosed', 'Internal',
];
const methodIndex = new Map(methods.map((method, index) => [method, index]));
const reasonIndex = new Map<string, number>(reasons.map((reason, index) => [reason, index]));
const statusSpan = 1000;

interface Total {
  value: number;
}

class Series implements RequestSeries {
  readonly labels: RequestLabels;
  readonly totals = new Map<number, Total>();
  /** The total that was counted on last, and what it is of: most requests are like the one before. */
  #last: Total | null = null;
  #lastMethod = '';
  #lastStatus = 0;
  #lastReason: Reason | null = null;
  readonly durations = new Float64Array(requestBoundsSeconds.length + 1);
  durationSumSeconds = 0;
  readonly upstreamDurations = new Float64Array(requestBoundsSeconds.length + 1);
  upstreamSumSeconds = 0;

  constructor(labels: RequestLabels) {
    this.labels = labels;
  }

  observe(
    method: string,
    status: number,
    reason: Reason | null,
    durationMs: number,
    upstreamMs: number | null,
  ): void {
    let total = this.#last;
    if (
      total === null ||
      method !== this.#lastMethod ||
      status !== this.#lastStatus ||
      reason !== this.#lastReason
    ) {
      total = this.#total(method, status, reason);
    }
    total.value += 1;
    this.durationSumSeconds += countDuration(this.durations, durationMs);
    if (upstreamMs !== null)
      this.upstreamSumSeconds += countDuration(this.upstreamDurations, upstreamMs);
  }

  #total(method: string, status: number, reason: Reason | null): Total {
    const methodPart = methodIndex.get(method) ?? 0;
    const reasonPart = reason === null ? 0 : (reasonIndex.get(reason) ?? 0);
    const statusPart = status >= 100 && status < statusSpan ? Math.trunc(status) : 0;
    const key = (methodPart * reasons.length + reasonPart) * statusSpan + statusPart;
    let total = this.totals.get(key);
    if (total === undefined) {
      total = { value: 0 };
      this.totals.set(key, total);
    }
    this.#last = total;
    // Our own copy of the name: a client may have made up another, of any length.
    this.#lastMethod = methods[methodPart] ?? 'other';
    this.#lastStatus = status;
    this.#lastReason = reason;
    return total;
  }
}

/**
 * Counts a duration in its bucket of {@link requestBoundsSeconds}.
 *
 * @param buckets one more than there are bounds
 * @returns what was counted, in seconds
 */
export function countDuration(buckets: Float64Array, durationMs: number): number {
  const seconds = durationMs > 0 ? durationMs / 1000 : 0;
  let index = 0;
  while (index < requestBoundsSeconds.length && seconds > (requestBoundsSeconds[index] ?? 0)) {
    index += 1;
  }
  buckets[index] = (buckets[index] ?? 0) + 1;
  return seconds;
}

export function createRequestCounts(): RequestCounts {
  const all = new Map<string, Series>();

  function series(labels: RequestLabels): Series {
    const key = [labels.gateway, labels.listener, labels.route, labels.backend].join('\0');
    const existing = all.get(key);
    if (existing !== undefined) return existing;
    if (all.size > maxSeries) {
      return series({ gateway: 'other', listener: 'other', route: 'other', backend: 'other' });
    }
    const created = new Series({ ...labels });
    all.set(key, created);
    return created;
  }
  series({ gateway: 'other', listener: 'other', route: 'other', backend: 'other' });

  return {
    series,
    *readTotals() {
      for (const { labels, totals } of all.values()) {
        const { gateway, listener, route, backend } = labels;
        for (const [key, { value }] of totals) {
          const status = key % statusSpan;
          const rest = Math.floor(key / statusSpan);
          const method = methods[Math.floor(rest / reasons.length)] ?? 'other';
          const reason = reasons[rest % reasons.length] ?? '';
          const statusText = status === 0 ? 'other' : String(status);
          yield {
            labels: { gateway, listener, route, backend, method, status: statusText, reason },
            value,
          };
        }
      }
    },
    *readDurations() {
      for (const { labels, totals, durations, durationSumSeconds } of all.values()) {
        if (totals.size === 0) continue;
        yield { labels: { ...labels }, counts: durations, sum: durationSumSeconds };
      }
    },
    *readUpstreamDurations() {
      for (const { labels, upstreamDurations, upstreamSumSeconds } of all.values()) {
        if (upstreamDurations.every((value) => value === 0)) continue;
        yield { labels: { ...labels }, counts: upstreamDurations, sum: upstreamSumSeconds };
      }
    },
  };
}
