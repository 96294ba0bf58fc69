import { headerValue, type HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { Upstream, UpstreamCall, UpstreamRequest } from '../../forward/upstream.ts';
import type { EventBlock } from '../event-block.ts';
import { createEventSplitter } from '../event-stream.ts';
import type { SseLimits } from './limits.ts';
import { resolveEndpoint } from './resolve-endpoint.ts';
import { streamHeaders } from './server-headers.ts';

/** What a stream tells. */
export interface EventSourceEvents {
  /** @param path the path and query to POST to */
  onEndpoint(path: string): void;
  /** @param message valid until the call returns */
  onMessage(message: Buffer): void;
  /** The server refuses the stream in a way that the client has to know of. */
  onRefused(status: number, headers: HeaderFields): void;
  /** The stream is over, whoever ended it but `close`. Called once, and nothing after it. */
  onLost(code: RefusalCode, detail: string): void;
}

/** Statuses that are for the client to act on; every other one says that this is no SSE server. */
const FOR_THE_CLIENT: ReadonlySet<number> = new Set([401, 403, 429, 503]);
const CLIENT_HEADERS = ['www-authenticate', 'retry-after'];

/**
 * Opens the event stream of an HTTP+SSE server (MCP 2024-11-05, Transports), and reads it. The endpoint
 * must come in time and be of the same origin; a stream that can't be read is over.
 *
 * @param streamUrl absolute
 * @param request whose headers open the stream
 */
export function openEventSource(
  http: Upstream,
  streamUrl: string,
  request: UpstreamRequest,
  limits: SseLimits,
  events: EventSourceEvents,
): { close(): void } {
  const splitter = createEventSplitter({ maxEventBytes: limits.maxEventBytes });
  let hasEndpoint = false;
  let isOver = false;
  let call: UpstreamCall | null = null;

  const timer = setTimeout(
    () => lose('UPSTREAM_TIMEOUT', `no endpoint event within ${limits.openTimeoutMs} ms`),
    limits.openTimeoutMs,
  ).unref();

  const { pathname, search } = new URL(streamUrl);
  const started = http.request(
    {
      method: 'GET',
      path: pathname + search,
      headers: streamHeaders(request.headers),
      body: null,
      owner: request.owner,
      hasTimeout: true,
    },
    {
      onHead(status, headers) {
        if (isOver) return;
        if (FOR_THE_CLIENT.has(status)) {
          finish();
          events.onRefused(status, pick(headers));
          return;
        }
        const problem = problemOf(status, headers);
        if (problem !== null) lose('UPSTREAM_PROTOCOL', problem);
      },
      onData(piece) {
        if (isOver) return true;
        for (const block of splitter.push(piece)) {
          take(block);
          if (hasEnded()) return true;
        }
        if (splitter.fault !== null) lose('UPSTREAM_PROTOCOL', splitter.fault);
        return true;
      },
      onEnd() {
        lose('UPSTREAM_RESET', 'the server ended its event stream');
      },
      onFailure(code, detail) {
        lose(code, detail);
      },
    },
  );
  // The answer may have come before the call was there to be ended.
  if (hasEnded()) started.abort();
  else call = started;

  return { close: () => void finish() };

  function finish(): boolean {
    if (isOver) return false;
    isOver = true;
    clearTimeout(timer);
    call?.abort();
    return true;
  }

  function lose(code: RefusalCode, detail: string): void {
    if (finish()) events.onLost(code, detail);
  }

  function take(block: EventBlock): void {
    const { dataBytes } = block;
    if (dataBytes === null || dataBytes.length === 0) return;
    if (block.type === 'message') {
      events.onMessage(dataBytes);
      return;
    }
    if (block.type !== 'endpoint' || hasEndpoint) return;
    const endpoint = resolveEndpoint(dataBytes.toString('latin1'), streamUrl);
    if (endpoint.path === null) {
      lose('UPSTREAM_PROTOCOL', `the endpoint is ${endpoint.problem}`);
      return;
    }
    hasEndpoint = true;
    clearTimeout(timer);
    events.onEndpoint(endpoint.path);
  }

  function hasEnded(): boolean {
    return isOver;
  }
}

function problemOf(status: number, headers: HeaderFields): string | null {
  if (status !== 200) return `the event stream was answered with ${status}`;
  const type = headerValue(headers, 'content-type') ?? '';
  if (!/^text\/event-stream\s*(;|$)/i.test(type)) return 'the answer is no event stream';
  const coding = headerValue(headers, 'content-encoding') ?? 'identity';
  return coding.toLowerCase() === 'identity' ? null : 'the event stream is encoded';
}

function pick(headers: HeaderFields): HeaderFields {
  return CLIENT_HEADERS.flatMap((name) => {
    const value = headerValue(headers, name);
    return value === undefined ? [] : [name, value];
  });
}
