import type { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { McpCounts } from './mcp-counts.ts';
import type { McpOutcome, StreamKind } from './mcp-labels.ts';

/**
 * Counts what a finished exchange means to MCP, to policies and to streams; not the request of one whose answer goes
 * to the stream of HTTP+SSE ({@link countDelivered}).
 */
export function countMcp(exchange: Exchange, counts: McpCounts, durationMs: number): void {
  const { backend, denial, refusal } = exchange;
  const denied = denial ?? refusal;
  if (denied?.kind.code === 'AUTHORIZATION_DENIED' && exchange.streamEnd === null) {
    counts.countDenial(denied.policy ?? '');
  }
  if (exchange.isEventStream || exchange.streamEnd !== null) {
    counts.countStreamEnd(exchange.streamEnd ?? endOf(refusal));
  }
  if (backend?.mcp == null || (exchange.isCarried && refusal === null)) return;
  if (exchange.hasOpenedSession) counts.countSession(backend.mcp.name);
  observe(exchange, counts, outcomeOf(exchange), durationMs);
}

/** Counts a request whose answer, which went to the stream of HTTP+SSE, is over. */
export function countDelivered(
  exchange: Exchange,
  counts: McpCounts,
  outcome: McpOutcome,
  durationMs: number,
): void {
  const { backend, denial } = exchange;
  if (exchange.hasOpenedSession && backend?.mcp != null) counts.countSession(backend.mcp.name);
  observe(exchange, counts, denial === null ? outcome : 'denied', durationMs);
}

function observe(
  { backend, message, upstream }: Exchange,
  counts: McpCounts,
  outcome: McpOutcome,
  durationMs: number,
): void {
  if (backend?.mcp == null || message === null || message.kind === 'response') return;
  const tool = message.object?.type === 'tool' ? message.object.name : null;
  counts
    .target(backend.mcp.name, upstream?.targetName ?? '')
    .observe(message.method, tool, outcome, durationMs);
}

/**
 * How an MCP request ended:
 * `ok`, `error`, `tool_error`: as its answer says where it was read, else `error` from HTTP status 400 on;
 * `denied` by a policy, also where the upstream answered for a name that nothing has; `refused` by the gate for another reason; `failed`: the upstream, or the gate, did not
 * answer; `ended`: its stream was ended with the right to it; `cancelled`: the client went away before.
 */
export function outcomeOf(exchange: Exchange): McpOutcome {
  const { answerFilter, denial, refusal, status, streamEnd } = exchange;
  if (denial !== null) return 'denied';
  const read = answerFilter?.outcome ?? null;
  if (streamEnd !== null) return read ?? 'ended';
  if (refusal === null) return read ?? (status >= 400 ? 'error' : 'ok');
  switch (refusal.kind.reason) {
    case 'Authorization':
      return 'denied';
    case 'ClientClosed':
      return read ?? 'cancelled';
    case 'UpstreamFailure':
    case 'NoHealthyBackend':
    case 'Timeout':
    case 'Overload':
    case 'Internal':
      return 'failed';
    case 'InvalidRequest':
    case 'JwtAuth':
    case 'NotFound':
    case 'RateLimit':
      return 'refused';
  }
}

/** How many event streams of MCP backends are open, by kind. */
export function countMcpStreams(exchanges: Iterable<Exchange>): ReadonlyMap<StreamKind, number> {
  const counts = new Map<StreamKind, number>();
  for (const exchange of exchanges) {
    if (!exchange.isEventStream || exchange.backend?.mcp == null) continue;
    const kind = streamKindOf(exchange);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function streamKindOf({ isSseTransport, message }: Exchange): StreamKind {
  if (isSseTransport) return 'sse';
  if (message === null) return 'get';
  return message.kind === 'request' && message.method === 'subscriptions/listen'
    ? 'listen'
    : 'call';
}

function endOf(refusal: Refusal | null): 'complete' | 'client' | 'failed' {
  if (refusal === null) return 'complete';
  return refusal.kind.code === 'CLIENT_CLOSED' ? 'client' : 'failed';
}
