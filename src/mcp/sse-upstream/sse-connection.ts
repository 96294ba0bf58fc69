import type { HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { Upstream, UpstreamRequest } from '../../forward/upstream.ts';
import type { SealBinding } from '../seal-binding.ts';
import type { ClientStream } from './client-stream.ts';
import { readEnvelope, type Envelope, type Token } from './envelope.ts';
import { openEventSource } from './event-source.ts';
import type { SseLimits } from './limits.ts';
import { createMessageRouter, type RequestSink, type RunRefusal } from './message-router.ts';
import { postMessage, type PostOutcome } from './post-message.ts';
import type { ServerRequestIds } from './server-request-ids.ts';
import type { InitializeParams } from './session-text.ts';

/** Whether a connection can be used, or why it can't. */
export type OpenOutcome =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly headers: HeaderFields;
      readonly body: Buffer;
    }
  | { readonly kind: 'failed'; readonly code: RefusalCode; readonly detail: string }
  /** The server does not take the session up again. */
  | { readonly kind: 'session-refused' };

type NotReady = Exclude<OpenOutcome, { kind: 'ready' }>;

export interface SseConnectionOptions {
  readonly http: Upstream;
  /** Absolute. */
  readonly streamUrl: string;
  readonly limits: SseLimits;
  readonly ids: ServerRequestIds;
  readonly binding: SealBinding;
  /** The connection can't be used any more. Called once. */
  readonly onClosed: () => void;
}

/** One connection to an SSE-only server: its event stream, and the messages posted for it. */
export interface SseConnection {
  /** Sends the client's `initialize`, once the server has named its endpoint. */
  initialize(request: UpstreamRequest, envelope: Envelope, sink: RequestSink): void;
  /** Sends an `initialize` with what is remembered of the client, then `notifications/initialized`. */
  replay(request: UpstreamRequest, params: InitializeParams): void;
  /**
   * Waits until the server has answered `initialize`, at most as long as that may take.
   *
   * @returns ends the wait
   */
  whenReady(take: (outcome: OpenOutcome) => void): () => void;
  /** Sends `notifications/initialized` if it was not sent on this connection. */
  sendInitialized(request: UpstreamRequest, take: (outcome: PostOutcome) => void): void;
  /** Sends a request of the client; what belongs to it goes to the sink. */
  ask(
    request: UpstreamRequest,
    envelope: Envelope,
    sink: RequestSink,
    take: (outcome: PostOutcome) => void,
  ): RunRefusal | null;
  /** Sends a notification of the client. */
  tell(request: UpstreamRequest, body: Buffer, take: (outcome: PostOutcome) => void): void;
  /** The client of a request has gone: the server is told, where the request still runs. */
  abandon(request: UpstreamRequest, envelope: Envelope, sink: RequestSink): void;
  /** Whether a client waits for the request here. */
  isWaiting(id: Token): boolean;
  /** The client has cancelled its request: the stream of the answer ends. */
  cancel(id: Token): void;
  /**
   * Another worker was sent this `notifications/cancelled`: where the request runs here, the server is told with the
   * header fields of the request, and the stream of the answer ends.
   */
  takeCancellation(message: Buffer): void;
  /** Opens the client's GET stream; `false` where there is one. */
  listen(stream: ClientStream): boolean;
  unlisten(stream: ClientStream): void;
  /** Closes once nothing runs. The GET stream ends now. */
  retire(): void;
  close(code: RefusalCode, detail: string): void;
  /** Nobody uses it just now. */
  readonly isIdle: boolean;
  /** Requests that a client waits for. */
  readonly waiting: number;
}

const INITIALIZED = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}');
const NO_BODY = Buffer.alloc(0);
const READY: OpenOutcome = Object.freeze({ kind: 'ready' });
const ACCEPTED: PostOutcome = Object.freeze({ kind: 'accepted' });
/** Free to choose: no client's request is sent before this one is answered. */
const REPLAY_ID = 'postern-initialize';

/**
 * Opens a connection with the headers of a request. `initialize` or `replay` must follow at once.
 */
export function openSseConnection(
  { http, streamUrl, limits, ids, binding, onClosed }: SseConnectionOptions,
  opening: UpstreamRequest,
): SseConnection {
  const router = createMessageRouter(limits);
  const posts = new Set<{ abort(): void }>();
  const requests = new WeakMap<RequestSink, UpstreamRequest>();
  const readyWaits = new Set<(outcome: OpenOutcome) => void>();
  let initializedWaits: ((outcome: PostOutcome) => void)[] = [];
  let initialized: 'no' | 'sending' | 'yes' = 'no';
  let endpoint: string | null = null;
  let isReady = false;
  let closed: NotReady | null = null;
  let isRetired = false;
  let onEndpoint = (): void => undefined;
  let idleTimer: NodeJS.Timeout | null = null;
  let replayTimer: NodeJS.Timeout | null = null;

  let source: { close(): void } | null = null;
  const opened = openEventSource(http, streamUrl, opening, limits, {
    onEndpoint(path) {
      endpoint = path;
      onEndpoint();
    },
    onMessage: takeMessage,
    onRefused: (status, headers) => end({ kind: 'refused', status, headers, body: NO_BODY }),
    onLost: close,
  });
  // Lost before it was there to be closed.
  if (isClosed()) opened.close();
  else source = opened;

  function takeMessage(message: Buffer): void {
    const envelope = readEnvelope(message);
    if (envelope === null || endpoint === null) {
      const problem = envelope === null ? 'no JSON-RPC message' : 'sent before the endpoint';
      close('UPSTREAM_PROTOCOL', `a message of the server is ${problem}`);
      return;
    }
    const shown = envelope.kind === 'response' ? message : ids.conceal(envelope, binding, endpoint);
    if (shown === null) {
      close('UPSTREAM_PROTOCOL', 'an id of the server is too long');
      return;
    }
    router.take(envelope, shown);
    update();
  }

  function post(
    request: UpstreamRequest,
    body: Buffer,
    take: (outcome: PostOutcome) => void,
  ): void {
    if (closed !== null || endpoint === null) {
      take({ kind: 'failed', code: 'UPSTREAM_RESET', detail: 'the event stream is lost' });
      return;
    }
    const posting = { abort: (): void => undefined };
    posts.add(posting);
    const sent = postMessage(http, { endpoint, body, request, timeoutMs: null }, (outcome) => {
      posts.delete(posting);
      take(outcome);
      update();
    });
    posting.abort = () => sent.abort();
    update();
  }

  /** Sends the first request of the connection, once there is an endpoint. */
  function first(request: UpstreamRequest, envelope: Envelope, sink: RequestSink): void {
    const send = (): void => {
      ask(request, envelope, sink, (outcome) => {
        if (outcome.kind !== 'accepted') end(outcome);
      });
    };
    if (endpoint === null) onEndpoint = send;
    else send();
  }

  function ask(
    request: UpstreamRequest,
    envelope: Envelope,
    sink: RequestSink,
    take: (outcome: PostOutcome) => void,
  ): RunRefusal | null {
    const refusal = router.run(envelope, sink);
    if (refusal !== null) return refusal;
    requests.set(sink, request);
    post(request, envelope.text, (outcome) => {
      if (outcome.kind !== 'accepted') router.drop(envelope, sink);
      take(outcome);
    });
    return null;
  }

  function becomeReady(): void {
    if (closed !== null) return;
    isReady = true;
    if (replayTimer !== null) clearTimeout(replayTimer);
    settleReady(READY);
    update();
  }

  function settleReady(outcome: OpenOutcome): void {
    const waits = [...readyWaits];
    readyWaits.clear();
    for (const wait of waits) wait(outcome);
  }

  function isBusy(): boolean {
    return (
      !isReady ||
      router.waiting > 0 ||
      router.isListening ||
      posts.size > 0 ||
      initialized === 'sending'
    );
  }

  /** Starts the idle time when the last use ends, and stops it with the next. */
  function update(): void {
    if (closed !== null) return;
    if (isBusy()) {
      if (idleTimer !== null) clearTimeout(idleTimer);
      idleTimer = null;
    } else if (isRetired) {
      close('UPSTREAM_RESET', 'retired');
    } else if (idleTimer === null) {
      idleTimer = setTimeout(() => close('UPSTREAM_RESET', 'idle'), limits.idleTimeoutMs).unref();
    } else {
      idleTimer.refresh();
    }
  }

  function close(code: RefusalCode, detail: string): void {
    end({ kind: 'failed', code, detail });
  }

  function end(outcome: NotReady): void {
    if (closed !== null) return;
    closed = outcome;
    for (const timer of [idleTimer, replayTimer]) if (timer !== null) clearTimeout(timer);
    source?.close();
    for (const posting of posts) posting.abort();
    posts.clear();
    onClosed();
    const { code, detail } =
      outcome.kind === 'failed'
        ? outcome
        : { code: 'UPSTREAM_RESET' as const, detail: outcome.kind };
    settleReady(outcome);
    settleInitialized({ kind: 'failed', code, detail });
    router.failAll(code, detail);
  }

  function settleInitialized(outcome: PostOutcome): void {
    const waits = initializedWaits;
    initializedWaits = [];
    for (const wait of waits) wait(outcome);
  }

  function sendInitialized(request: UpstreamRequest, take: (outcome: PostOutcome) => void): void {
    if (initialized === 'yes') {
      take(ACCEPTED);
      return;
    }
    initializedWaits.push(take);
    if (initialized === 'sending') return;
    initialized = 'sending';
    post(request, INITIALIZED, (outcome) => {
      initialized = outcome.kind === 'accepted' ? 'yes' : 'no';
      settleInitialized(outcome);
    });
  }

  function isClosed(): boolean {
    return closed !== null;
  }

  return {
    initialize(request, envelope, sink) {
      first(request, envelope, {
        send: null,
        finish(message, isError) {
          sink.finish(message, isError);
          if (isError) close('UPSTREAM_RESET', 'the server answered initialize with an error');
          else becomeReady();
        },
        end: () => sink.end(),
        fail: (code, detail) => sink.fail(code, detail),
      });
    },
    replay(request, params) {
      const message = { jsonrpc: '2.0', id: REPLAY_ID, method: 'initialize', params };
      const envelope = readEnvelope(Buffer.from(JSON.stringify(message)));
      if (envelope === null) return;
      replayTimer = setTimeout(() => {
        close('UPSTREAM_TIMEOUT', `no session within ${limits.replayTimeoutMs} ms`);
      }, limits.replayTimeoutMs).unref();
      first(request, envelope, {
        send: null,
        finish(_message, isError) {
          if (isError) {
            end({ kind: 'session-refused' });
            return;
          }
          sendInitialized(request, (outcome) => {
            if (outcome.kind === 'accepted') becomeReady();
            else end({ kind: 'session-refused' });
          });
        },
        end: () => undefined,
        fail: () => undefined,
      });
    },
    whenReady(take) {
      if (closed !== null) take(closed);
      else if (isReady) take(READY);
      else readyWaits.add(take);
      return () => readyWaits.delete(take);
    },
    sendInitialized,
    ask,
    tell: post,
    abandon(request, envelope, sink) {
      if (closed !== null || !router.abandon(envelope, sink)) return;
      post(request, cancellation(envelope), () => undefined);
      update();
    },
    isWaiting: (id) => router.isWaiting(id),
    cancel(id) {
      router.cancel(id);
      update();
    },
    takeCancellation(message) {
      const { method, cancelledId } = readEnvelope(message) ?? {};
      if (method !== 'notifications/cancelled' || cancelledId == null) return;
      const sink = router.cancel(cancelledId);
      const request = sink === null ? undefined : requests.get(sink);
      if (request !== undefined) post(request, message, () => undefined);
      update();
    },
    listen(stream) {
      const isFirst = router.listen(stream);
      update();
      return isFirst;
    },
    unlisten(stream) {
      router.unlisten(stream);
      update();
    },
    retire() {
      isRetired = true;
      router.endListener();
      update();
    },
    close,
    get isIdle() {
      return !isBusy();
    },
    get waiting() {
      return router.waiting;
    },
  };
}

function cancellation({ text, id }: Envelope): Buffer {
  const requestId = id === null ? 'null' : text.toString('utf8', id.start, id.end);
  return Buffer.from(
    `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${requestId},"reason":"the client has gone"}}`,
  );
}
