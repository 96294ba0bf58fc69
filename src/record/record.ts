/** The last step of every request: one line in the access log, one count in the metrics. */

import type { Exchange } from '../exchange.ts';
import type { Clock } from '../units.ts';
import { createLineMemory, type LineMemory } from './access-line.ts';
import type { AccessLog } from './access-log.ts';
import { accessRecordOf, statusOf } from './access-record.ts';
import type { Metrics } from './metrics.ts';
import { countMcp } from './mcp-outcome.ts';
import type { RequestSeries } from './request-counts.ts';

export interface RecorderOptions {
  /** `null` where nobody wants lines. */
  readonly accessLog: Pick<AccessLog, 'write'> | null;
  readonly metrics: Pick<Metrics, 'requests' | 'mcp'>;
  /** Milliseconds that only grow, the clock that `Exchange.startedAtMonotonicMs` was read from. */
  readonly monotonicNow?: Clock;
  /** Told of an exception in here: a bug, which must not reach the request. */
  readonly onBug?: (error: unknown) => void;
}

/** Requests of one rule to one backend. */
interface Way {
  readonly series: RequestSeries;
  readonly memory: LineMemory;
}

/**
 * @returns a function to be called exactly once for each exchange, when it is over; it never throws
 */
export function createRecorder({
  accessLog,
  metrics,
  monotonicNow = () => performance.now(),
  onBug = () => undefined,
}: RecorderOptions): (exchange: Exchange) => void {
  // By rule (or listener, where no rule matched), then by backend: what names a series.
  const waysOf = new WeakMap<object, Map<string, Way>>();
  const nowhere = {};
  // Requests come in runs of the same way; a weak map takes its time.
  let lastPlace: object = nowhere;
  let lastBackend = '';
  let lastWay: Way | null = null;

  function findWay(exchange: Exchange): Way {
    const { listener, rule, upstream } = exchange;
    const place = rule ?? listener ?? nowhere;
    const backend = upstream?.backendName ?? '';
    if (lastWay !== null && place === lastPlace && backend === lastBackend) return lastWay;
    let ofPlace = waysOf.get(place);
    if (ofPlace === undefined) {
      ofPlace = new Map();
      waysOf.set(place, ofPlace);
    }
    let way = ofPlace.get(backend);
    if (way === undefined) {
      const series = metrics.requests.series({
        gateway: listener?.gateway ?? '',
        listener: listener?.name ?? '',
        route: rule?.route ?? '',
        backend,
      });
      way = { series, memory: createLineMemory() };
      ofPlace.set(backend, way);
    }
    lastPlace = place;
    lastBackend = backend;
    lastWay = way;
    return way;
  }

  function record(exchange: Exchange): void {
    const refusal = exchange.denial ?? exchange.refusal;
    const durationMs = Math.max(0, monotonicNow() - exchange.startedAtMonotonicMs);
    const { upstreamStartedAtMonotonicMs: asked, upstreamAnsweredAtMonotonicMs: answered } =
      exchange;
    const { series, memory } = findWay(exchange);
    series.observe(
      exchange.head.method,
      statusOf(exchange),
      refusal?.kind.reason ?? null,
      durationMs,
      asked > 0 && answered > 0 ? answered - asked : null,
    );
    countMcp(exchange, metrics.mcp, durationMs);
    accessLog?.write(accessRecordOf(exchange, durationMs), memory);
  }

  return (exchange) => {
    try {
      record(exchange);
    } catch (error) {
      onBug(error);
    }
  };
}
