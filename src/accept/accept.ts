import { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import type { ListenerTable } from '../route/listener-table.ts';
import type { Clock } from '../units.ts';
import { checkHead, type HeadLimits } from './check-head.ts';
import { normaliseHost } from './host.ts';
import type { NativeRequest, NativeResponse } from './native.ts';
import { NativeResponder } from './native-responder.ts';
import { createAddressReader } from './remote-address.ts';
import { RequestBody } from './request-body.ts';
import { headerValue, type HeaderFields, type RequestHead } from './request-head.ts';
import { normalisePath } from './request-path.ts';

/** Visible ASCII without `#`: anything else would not reach every upstream as the same octets. */
const QUERY = /^[!"$-~]*$/;

export interface AcceptOptions {
  readonly scheme: 'http' | 'https';
  readonly limits: HeadLimits;
  /** The listeners of this port as of now; a reload changes what it returns. */
  readonly listeners: () => ListenerTable;
  readonly clock: Clock;
  /** Milliseconds that only ever grow. */
  readonly monotonicNow: () => number;
  /** Whether answers should ask clients to leave this connection: the process is draining. */
  readonly closing: () => boolean;
  /** Takes the exchange through the stages. */
  readonly run: (exchange: Exchange) => void;
  /** Called when an exchange begins, and once more when it is over. */
  readonly onStarted: (exchange: Exchange) => void;
  readonly onFinished: (exchange: Exchange) => void;
}

/**
 * Makes the handler of one port's requests: copies what the native server lends, checks that it can be
 * read in one way only, and hands an {@link Exchange} to the pipeline.
 */
export function createAccept(
  options: AcceptOptions,
): (response: NativeResponse, request: NativeRequest, serverName: string | null) => void {
  const { limits, scheme, closing } = options;
  const readAddress = createAddressReader();
  return (response, request, serverName) => {
    const headers: HeaderFields = [];
    request.forEach((name, value) => headers.push(name, value));
    const method = request.getCaseSensitiveMethod();
    const rawPath = request.getUrl();
    const query = request.getQuery() ?? null;
    const targetLength = rawPath.length + (query?.length ?? 0);

    const framing = checkHead(method, targetLength, headers, limits);
    const authority = headerValue(headers, 'host') ?? '';
    const host = normaliseHost(authority);
    const path = normalisePath(rawPath);
    const refusal = firstRefusal(framing, host === null, path, query);
    const head: RequestHead = {
      method,
      path: path.ok ? path.path : rawPath,
      query,
      headers,
      host: host?.host ?? '',
      authority,
      scheme,
      remoteAddress: readAddress(response.getRemoteAddressAsText()),
      remotePort: response.getRemotePort?.() ?? null,
    };

    const responder = new NativeResponder(
      response,
      () => finish(exchange),
      closing,
      method === 'HEAD',
    );
    const hasBody = !(framing instanceof Refusal) && framing.hasBody;
    const body = hasBody ? new RequestBody(response, limits.maxBodyBytes) : null;
    const exchange: Exchange = new Exchange(
      head,
      responder,
      body,
      options.listeners(),
      serverName,
      options.clock(),
      options.monotonicNow(),
    );
    options.onStarted(exchange);
    if (refusal === null) options.run(exchange);
    else exchange.fail(refusal);
  };

  function finish(exchange: Exchange): void {
    exchange.requestBody?.abort();
    if (exchange.responder.aborted) {
      exchange.refusal = new Refusal('CLIENT_CLOSED');
      if (!exchange.responder.started) exchange.status = exchange.refusal.status;
    }
    options.onFinished(exchange);
  }
}

function firstRefusal(
  framing: ReturnType<typeof checkHead>,
  hostInvalid: boolean,
  path: ReturnType<typeof normalisePath>,
  query: string | null,
): Refusal | null {
  if (framing instanceof Refusal) return framing;
  if (hostInvalid)
    return new Refusal('REQUEST_INVALID', { detail: 'the Host header is not valid' });
  if (!path.ok) return new Refusal('REQUEST_INVALID', { detail: path.why });
  if (query !== null && !QUERY.test(query)) {
    return new Refusal('REQUEST_INVALID', { detail: 'the query contains what no URI may contain' });
  }
  return null;
}
