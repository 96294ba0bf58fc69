import { Refusal } from '../../errors.ts';
import type { Exchange } from '../../exchange.ts';
import type { Upstream } from '../../forward/upstream.ts';
import type { Bytes } from '../../units.ts';
import { PASS, type Verdict } from '../../verdict.ts';
import type { AnswerFilter } from '../answer-filter.ts';
import { filterAnswer } from '../filter-answer.ts';
import type { McpBackend } from '../mcp-backend.ts';
import { ownerOf, type SealOwner } from '../seal-binding.ts';
import type { PostRelay } from './post-relay.ts';
import { RelayCarrier } from './relay-carrier.ts';
import { readSseRequest } from './sse-request.ts';
import { SseStream } from './sse-stream.ts';
import { createSseStreams, type SseStreamLimits } from './sse-streams.ts';
import { openAddress, sealAddress } from './stream-address.ts';
import { StreamCarrier, type Deliveries } from './stream-carrier.ts';

export interface SseDownstreamOptions {
  /** The worker that this is; stands in every sealed `sessionId`. */
  readonly workerId: string;
  readonly relay: PostRelay;
  readonly limits: SseStreamLimits;
  /** What may be held in memory for one client that reads slowly. */
  readonly maxHeldBytes: Bytes;
  readonly deliveries: Deliveries;
  /** Makes ids that cannot be guessed. */
  readonly createId: () => string;
}

/** Two stages, before and after the one that reads the message. Both let everything else pass. */
export interface SseDownstream {
  /**
   * Finds the stream that a posted message belongs to.
   *
   * @returns PASS; SESSION_UNKNOWN (404) where the `sessionId` was not sealed for this caller and backend, or its
   *   stream has ended
   */
  readonly join: (exchange: Exchange) => Verdict;
  /**
   * Opens a stream for a GET, and takes a posted message to its own: both by putting another upstream in place of
   * the server's, so that what follows is as for every other answer.
   *
   * @returns PASS, or ANSWERED where another worker has the stream; STREAMS_EXHAUSTED,
   *   STREAMS_OF_CALLER_EXHAUSTED, MESSAGES_IN_FLIGHT
   */
  readonly carry: (exchange: Exchange) => Verdict;
}

/**
 * Serves the transport HTTP+SSE (MCP 2024-11-05) in front of servers that speak Streamable HTTP, at every path of
 * an MCP backend whose last segment is `sse`.
 */
export function createSseDownstream(options: SseDownstreamOptions): SseDownstream {
  const { workerId, relay, maxHeldBytes, createId } = options;
  const streams = createSseStreams(options.limits);

  function openStream(exchange: Exchange, mcp: McpBackend, server: Upstream): Verdict {
    const { owner } = exchange;
    const refusal = streams.admit(owner);
    if (refusal !== null) return refusal;
    const streamId = createId();
    const address = { workerId, streamId };
    const sessionId = sealAddress(mcp.sealer, { owner, backend: mcp.name }, address);
    if (sessionId === null) return new Refusal('INTERNAL', { detail: 'the stream has no name' });
    // The stream's own filter would cut it at the first answer that can't be read; each answer has one of its own.
    exchange.answerFilter = null;
    exchange.isSseTransport = true;
    exchange.upstream = {
      backendName: server.backendName,
      targetName: server.targetName,
      path: server.path,
      authority: server.authority,
      request(_request, answer) {
        const stream = new SseStream({
          answer,
          maxHeldBytes,
          createFilter: () => takeFilter(exchange, mcp),
          onClosed: () => streams.remove(streamId, owner),
        });
        streams.add(streamId, owner, stream);
        answer.onHead(200, ['content-type', 'text/event-stream', 'cache-control', 'no-cache']);
        stream.begin(exchange.head.path, sessionId);
        return { abort: () => stream.close(), resume: () => stream.resume() };
      },
      close: () => undefined,
    };
    return PASS;
  }

  function joinStream(exchange: Exchange, mcp: McpBackend, sessionId: string): Verdict {
    const owner: SealOwner = ownerOf(exchange.principal);
    const address = openAddress(mcp.sealer, { owner, backend: mcp.name }, sessionId);
    if (address === null) return new Refusal('SESSION_UNKNOWN');
    if (address.workerId !== workerId) {
      exchange.carrier = new RelayCarrier(
        relay,
        address.workerId,
        exchange.body ?? Buffer.alloc(0),
      );
      return PASS;
    }
    const stream = streams.find(address.streamId);
    if (stream === null) return new Refusal('SESSION_UNKNOWN');
    exchange.carrier = new StreamCarrier(stream, options.deliveries);
    return PASS;
  }

  return {
    join(exchange) {
      const mcp = exchange.backend?.mcp ?? null;
      if (mcp === null) return PASS;
      const asked = readSseRequest(exchange.head);
      return asked?.kind === 'message' ? joinStream(exchange, mcp, asked.sessionId) : PASS;
    },
    carry(exchange) {
      const { carrier, upstream } = exchange;
      if (carrier !== null) return carrier.carry(exchange);
      const mcp = exchange.backend?.mcp ?? null;
      if (mcp === null || upstream === null) return PASS;
      return readSseRequest(exchange.head)?.kind === 'open'
        ? openStream(exchange, mcp, upstream)
        : PASS;
    },
  };
}

/** What the server says of its own accord is filtered by the rules and the token of the GET. */
function takeFilter(exchange: Exchange, mcp: McpBackend): AnswerFilter | null {
  filterAnswer(exchange, mcp, null, 'for the gate');
  const filter = exchange.answerFilter;
  exchange.answerFilter = null;
  return filter;
}
