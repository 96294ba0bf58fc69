import type { HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { Upstream, UpstreamCall, UpstreamRequest } from '../../forward/upstream.ts';
import { GrowingBytes } from '../growing-bytes.ts';
import type { Bytes, Milliseconds } from '../../units.ts';
import { messageHeaders, refusalHeaders } from './server-headers.ts';

/** What became of a message that was posted to the server. */
export type PostOutcome =
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: HeaderFields;
      readonly body: Buffer;
    }
  | { readonly kind: 'failed'; readonly code: RefusalCode; readonly detail: string };

/** What is read of a refusal; the rest is cut off. */
const MAX_REFUSAL_BYTES: Bytes = 65_536;

const ACCEPTED: PostOutcome = Object.freeze({ kind: 'accepted' });

export interface PostOptions {
  readonly endpoint: string;
  readonly body: Buffer;
  /** Whose headers and owner the message has. */
  readonly request: UpstreamRequest;
  /** Bounds the wait for the server to take the message; `null`: as every request's head. */
  readonly timeoutMs: Milliseconds | null;
}

/**
 * Posts one message to the endpoint of an HTTP+SSE server, which accepts it with a 2xx status and answers on
 * its stream.
 *
 * @param take called once, with what became of it, unless the post is aborted
 */
export function postMessage(
  http: Upstream,
  { endpoint, body, request, timeoutMs }: PostOptions,
  take: (outcome: PostOutcome) => void,
): { abort(): void } {
  let isSettled = false;
  let refusal: { status: number; headers: HeaderFields } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let call: UpstreamCall | null = null;
  const text = new GrowingBytes();

  if (timeoutMs !== null) {
    timer = setTimeout(() => {
      const detail = `the server did not take the message within ${timeoutMs} ms`;
      call?.abort();
      settle({ kind: 'failed', code: 'UPSTREAM_TIMEOUT', detail });
    }, timeoutMs).unref();
  }
  call = http.request(
    {
      method: 'POST',
      path: endpoint,
      headers: messageHeaders(request.headers),
      body,
      owner: request.owner,
      hasTimeout: request.hasTimeout || timeoutMs !== null,
    },
    {
      onHead(status, headers) {
        if (status >= 200 && status < 300) settle(ACCEPTED);
        else refusal = { status, headers: refusalHeaders(headers) };
      },
      onData(piece) {
        if (refusal !== null && text.length < MAX_REFUSAL_BYTES) {
          text.append(piece.subarray(0, MAX_REFUSAL_BYTES - text.length));
        }
        return true;
      },
      onEnd() {
        if (refusal !== null) settle({ kind: 'refused', ...refusal, body: text.take() });
      },
      onFailure(code, detail) {
        settle({ kind: 'failed', code, detail });
      },
    },
  );
  return {
    abort() {
      isSettled = true;
      if (timer !== null) clearTimeout(timer);
      call.abort();
    },
  };

  function settle(outcome: PostOutcome): void {
    if (isSettled) return;
    isSettled = true;
    if (timer !== null) clearTimeout(timer);
    take(outcome);
  }
}
