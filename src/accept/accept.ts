import { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import type { ListenerTable } from '../route/listener-table.ts';
import type { Clock } from '../units.ts';
import type { HeadLimits } from './check-head.ts';
import { createKnownHeads } from './known-heads.ts';
import type { NativeRequest, NativeResponse } from './native.ts';
import { NativeResponder } from './native-responder.ts';
import { readHead } from './read-head.ts';
import { createAddressReader } from './remote-address.ts';
import { RequestBody } from './request-body.ts';
import type { HeaderFields, RequestHead } from './request-head.ts';

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
  let listeners = options.listeners();
  let known = createKnownHeads(limits.maxHeaderBytes);
  return (response, request, serverName) => {
    const headers: HeaderFields = [];
    request.forEach((name, value) => headers.push(name, value));
    const method = request.getCaseSensitiveMethod();
    const target = request.getUrl();
    const query = request.getQuery() ?? null;

    if (listeners !== options.listeners()) {
      // What was found out before a reload would keep the runtime of that time alive.
      listeners = options.listeners();
      known = createKnownHeads(limits.maxHeaderBytes);
    }
    const read = readHead({ method, target, query, headers }, limits, known);
    const remoteAddress = readAddress(response.getRemoteAddressAsText());
    const remotePort = response.getRemotePort?.() ?? null;
    const { path, host, authority } = read;
    const head: RequestHead = {
      method,
      path,
      query,
      headers,
      host,
      authority,
      scheme,
      remoteAddress,
      remotePort,
    };

    const responder = new NativeResponder(
      response,
      () => finish(exchange),
      closing,
      method === 'HEAD',
    );
    const exchange: Exchange = new Exchange(
      head,
      responder,
      read.hasBody ? new RequestBody(response, limits.maxBodyBytes) : null,
      listeners,
      serverName,
      options.clock(),
      options.monotonicNow(),
    );
    exchange.findings = read.findings;
    options.onStarted(exchange);
    if (read.refusal === null) options.run(exchange);
    else exchange.fail(read.refusal);
  };

  function finish(exchange: Exchange): void {
    exchange.requestBody?.abort();
    if (exchange.responder.aborted) {
      const { started } = exchange.responder;
      // Why it was refused is worth more than that it did not wait to hear of it.
      if (started || exchange.refusal === null) exchange.refusal = new Refusal('CLIENT_CLOSED');
      if (!started) exchange.status = exchange.refusal.status;
    }
    options.onFinished(exchange);
  }
}
