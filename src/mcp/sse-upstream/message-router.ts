import type { RefusalCode } from '../../errors.ts';
import type { ClientStream } from './client-stream.ts';
import { tokenKey, type Envelope, type Token } from './envelope.ts';
import type { SseLimits } from './limits.ts';

/** Takes what belongs to one running request. */
export interface RequestSink {
  /** `null` where the request's answer has no room for other messages. */
  readonly send: ((message: Buffer) => void) | null;
  /** Takes the answer itself; nothing comes after it. */
  finish(message: Buffer, isError: boolean): void;
  /** The client has cancelled the request: there will be no answer. */
  end(): void;
  fail(code: RefusalCode, detail: string): void;
}

export type RunRefusal = 'the id is in use' | 'too many requests';

/** Which of a session's client streams each message of the one server stream goes to. */
export interface MessageRouter {
  /** Enters a request, before it is sent. */
  run(request: Envelope, sink: RequestSink): RunRefusal | null;
  /** The server has not taken the request: its id is free again. */
  drop(request: Envelope, sink: RequestSink): void;
  /**
   * The client no longer waits. The id stays taken, since the answer may still come.
   *
   * @returns false where the request is not running any more
   */
  abandon(request: Envelope, sink: RequestSink): boolean;
  /** Whether a client waits for the request. */
  isWaiting(id: Token): boolean;
  /**
   * The client has cancelled a request of its own: its stream ends.
   *
   * @returns what the request was run with; `null` where nobody waits for it
   */
  cancel(id: Token): RequestSink | null;
  /** Opens the client's GET stream, which first gets what has waited; `false` where there is one. */
  listen(stream: ClientStream): boolean;
  unlisten(stream: ClientStream): void;
  /** Routes a message of the server. */
  take(envelope: Envelope, message: Buffer): void;
  /** Ends the GET stream in good order. */
  endListener(): void;
  /** Fails all running requests, and ends the GET stream in good order. */
  failAll(code: RefusalCode, detail: string): void;
  /** Requests that a client waits for. */
  readonly waiting: number;
  readonly isListening: boolean;
}

interface RunningRequest {
  readonly progress: string | null;
  /** `null`: the client has gone. */
  sink: RequestSink | null;
}

/**
 * Makes the router of one connection.
 *
 * - An answer goes to the request that has its id, and ends its stream; answers that nobody waits for are dropped.
 * - Progress goes to the request that asked for it by its token.
 * - The server's own requests, their cancellation and log messages go to the latest running request, in whose
 *   course they most likely were sent; HTTP+SSE does not say. Without one they go to the GET stream.
 * - All else goes to the GET stream, or, as long as there is none, to the latest running request.
 * - What finds no stream waits for a GET stream, within bounds; the oldest is dropped first.
 */
export function createMessageRouter(limits: SseLimits): MessageRouter {
  // In the order in which they began.
  const running = new Map<string, RunningRequest>();
  let waiting = 0;
  let listener: ClientStream | null = null;
  let backlog: Buffer[] = [];
  let backlogBytes = 0;

  function latest(): RequestSink | null {
    let found: RequestSink | null = null;
    for (const { sink } of running.values()) if (sink?.send != null) found = sink;
    return found;
  }

  function byProgress(token: string): RequestSink | null {
    for (const { progress, sink } of running.values()) {
      if (progress === token && sink?.send != null) return sink;
    }
    return null;
  }

  function answered(envelope: Envelope, message: Buffer): void {
    if (envelope.id === null) return;
    const request = remove(tokenKey(envelope.id));
    request?.sink?.finish(message, envelope.isError);
  }

  function remove(key: string): RunningRequest | null {
    const request = running.get(key);
    if (request === undefined) return null;
    running.delete(key);
    if (request.sink !== null) waiting -= 1;
    return request;
  }

  function release(request: RunningRequest): void {
    if (request.sink === null) return;
    request.sink = null;
    waiting -= 1;
    if (running.size - waiting <= limits.maxCancelledIds) return;
    for (const [key, { sink }] of running) {
      if (sink !== null) continue;
      running.delete(key);
      return;
    }
  }

  function keep(message: Buffer): void {
    if (message.length > limits.maxBacklogBytes) return;
    // A copy: the message may be a part of something larger.
    backlog.push(Buffer.from(message));
    backlogBytes += message.length;
    while (backlog.length > limits.maxBacklogMessages || backlogBytes > limits.maxBacklogBytes) {
      backlogBytes -= backlog.shift()?.length ?? 0;
    }
  }

  function endListener(): void {
    const stream = listener;
    listener = null;
    stream?.end();
  }

  return {
    run(request, sink) {
      if (request.id === null) return null;
      const key = tokenKey(request.id);
      if (running.has(key)) return 'the id is in use';
      if (waiting >= limits.maxRunningRequests) return 'too many requests';
      const token = request.requestedProgress;
      running.set(key, { progress: token === null ? null : tokenKey(token), sink });
      waiting += 1;
      return null;
    },
    drop({ id }, sink) {
      const key = id === null ? '' : tokenKey(id);
      if (running.get(key)?.sink === sink) remove(key);
    },
    abandon({ id }, sink) {
      const request = id === null ? undefined : running.get(tokenKey(id));
      if (request?.sink !== sink) return false;
      release(request);
      return true;
    },
    isWaiting: (id) => running.get(tokenKey(id))?.sink != null,
    cancel(id) {
      const request = running.get(tokenKey(id));
      if (request === undefined) return null;
      const { sink } = request;
      release(request);
      sink?.end();
      return sink;
    },
    listen(stream) {
      if (listener !== null) return false;
      listener = stream;
      stream.begin();
      const messages = backlog;
      backlog = [];
      backlogBytes = 0;
      for (const message of messages) stream.send(message);
      return true;
    },
    unlisten(stream) {
      if (listener === stream) listener = null;
    },
    take(envelope, message) {
      if (envelope.kind === 'response') {
        answered(envelope, message);
        return;
      }
      const token = envelope.method === 'notifications/progress' ? envelope.progressToken : null;
      const sink =
        token !== null
          ? byProgress(tokenKey(token))
          : isOfARequest(envelope) || listener === null
            ? latest()
            : null;
      if (sink?.send != null) sink.send(message);
      else if (listener !== null) listener.send(message);
      else if (token === null) keep(message);
    },
    endListener,
    failAll(code, detail) {
      const sinks = [...running.values()].map(({ sink }) => sink);
      running.clear();
      waiting = 0;
      endListener();
      for (const sink of sinks) sink?.fail(code, detail);
    },
    get waiting() {
      return waiting;
    },
    get isListening() {
      return listener !== null;
    },
  };
}

function isOfARequest({ kind, method }: Envelope): boolean {
  return (
    kind === 'request' || method === 'notifications/cancelled' || method === 'notifications/message'
  );
}
