/** The last step of every request: one line in the access log, one count in the metrics. */

import type { Exchange } from '../exchange.ts';
import type { McpMessage } from '../mcp/message.ts';
import type { Clock } from '../units.ts';
import type { AccessLog } from './access-log.ts';
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

/** Logged as the status of a request whose client went away before an answer began. */
const clientClosedStatus = 499;

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
  const seriesOf = new WeakMap<object, Map<string, RequestSeries>>();
  const nowhere = {};

  function findSeries(exchange: Exchange): RequestSeries {
    const { listener, rule, upstream } = exchange;
    const place = rule ?? listener ?? nowhere;
    const backend = upstream?.backendName ?? '';
    let ofPlace = seriesOf.get(place);
    if (ofPlace === undefined) {
      ofPlace = new Map();
      seriesOf.set(place, ofPlace);
    }
    let series = ofPlace.get(backend);
    if (series === undefined) {
      series = metrics.requests.series({
        gateway: listener?.gateway ?? '',
        listener: listener?.name ?? '',
        route: rule?.route ?? '',
        backend,
      });
      ofPlace.set(backend, series);
    }
    return series;
  }

  function record(exchange: Exchange): void {
    const { head, listener, rule, upstream } = exchange;
    const refusal = exchange.denial ?? exchange.refusal;
    const durationMs = Math.max(0, monotonicNow() - exchange.startedAtMonotonicMs);
    const status = statusOf(exchange);
    const isMcp = exchange.backend?.mcp != null;
    const { upstreamStartedAtMonotonicMs: asked, upstreamAnsweredAtMonotonicMs: answered } =
      exchange;
    const reason = refusal?.kind.reason ?? null;
    findSeries(exchange).observe(
      head.method,
      status,
      reason,
      durationMs,
      asked > 0 && answered > 0 ? answered - asked : null,
    );
    countMcp(exchange, metrics.mcp, durationMs);
    accessLog?.write({
      endedAtMs: exchange.startedAtMs + durationMs,
      gateway: listener?.gateway ?? null,
      listener: listener?.name ?? null,
      route: rule?.route ?? null,
      remoteAddress: head.remoteAddress,
      remotePort: head.remotePort,
      method: head.method,
      host: head.host,
      path: head.path,
      status,
      subject: exchange.principal?.subject ?? null,
      error: refusal?.text ?? null,
      durationMs,
      reason,
      policy: refusal?.policy ?? null,
      rule: refusal?.rule ?? null,
      detail: refusal?.detail ?? exchange.note,
      backend: upstream?.backendName ?? null,
      target: isMcp ? null : (upstream?.targetName ?? null),
      mcpTarget: isMcp ? (upstream?.targetName ?? null) : null,
      mcpMethod: methodOf(exchange.message),
      toolName: toolOf(exchange.message),
      sessionHash: exchange.session?.hash ?? null,
    });
  }

  return (exchange) => {
    try {
      record(exchange);
    } catch (error) {
      onBug(error);
    }
  };
}

function methodOf(message: McpMessage | null): string | null {
  return message === null || message.kind === 'response' ? null : message.method;
}

function toolOf(message: McpMessage | null): string | null {
  if (message?.kind !== 'request' || message.object?.type !== 'tool') return null;
  return message.object.name;
}

/** The status that was sent; where none was, that of the refusal, 499 for a client that went away. */
function statusOf({ status, refusal }: Exchange): number {
  if (status !== 0) return status;
  return refusal?.status ?? clientClosedStatus;
}
