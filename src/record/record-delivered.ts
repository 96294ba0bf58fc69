import type { Exchange } from '../exchange.ts';
import { accessRecordOf } from './access-record.ts';
import type { McpOutcome } from './mcp-labels.ts';
import { countDelivered } from './mcp-outcome.ts';
import type { RecorderOptions } from './record.ts';

/**
 * For requests whose answers went to the stream of HTTP+SSE (MCP 2024-11-05): the POST of each was recorded with its
 * 202, long before.
 *
 * @returns a function to be called once for each, when its answer is over: counts it as what the answer said. An
 *   answer that was ended with the right to it gets a line of its own in the access log, which says why. It never throws
 */
export function createDeliveryRecorder({
  accessLog,
  metrics,
  monotonicNow = () => performance.now(),
  onBug = () => undefined,
}: RecorderOptions): (exchange: Exchange, outcome: McpOutcome) => void {
  return (exchange, outcome) => {
    try {
      const durationMs = Math.max(0, monotonicNow() - exchange.startedAtMonotonicMs);
      countDelivered(exchange, metrics.mcp, outcome, durationMs);
      if (exchange.streamEnd !== null) accessLog?.write(accessRecordOf(exchange, durationMs));
    } catch (error) {
      onBug(error);
    }
  };
}
