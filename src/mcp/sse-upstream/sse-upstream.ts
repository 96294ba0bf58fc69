import { headerValue } from '../../accept/request-head.ts';
import type { Upstream, UpstreamCall, UpstreamRequest } from '../../forward/upstream.ts';
import { isJsonObject, readJson } from '../../json/read-json.ts';
import { messageLimits } from '../message-limits.ts';
import type { Bytes } from '../../units.ts';
import type { Sealer } from '../seal.ts';
import {
  answerEmpty,
  answerError,
  answerJson,
  answerNoRoom,
  answerNotReady,
  answerNotTaken,
  answerUnknownSession,
  guardAnswer,
  type GuardedAnswer,
} from './answers.ts';
import { createClientStream } from './client-stream.ts';
import { deliver, isNotFound, isUnknownConnection } from './deliver.ts';
import { readEnvelope, type Envelope } from './envelope.ts';
import type { SseLimits } from './limits.ts';
import type { RequestSink } from './message-router.ts';
import { postMessage } from './post-message.ts';
import { ownerKey } from './connection-table.ts';
import { createSessionConnections } from './session-connections.ts';
import type { SessionNewsroom } from './session-news.ts';
import { createServerRequestIds } from './server-request-ids.ts';
import {
  readSession,
  rememberedParams,
  writeSession,
  type InitializeParams,
  type SseSession,
} from './session-text.ts';
import { openSseConnection, type SseConnection } from './sse-connection.ts';

export interface SseUpstreamOptions {
  readonly scheme: 'http' | 'https';
  readonly sealer: Pick<Sealer, 'sealLasting' | 'openLasting'>;
  readonly limits: SseLimits;
  /** A new name of a session that nobody can guess: 16 to 32 characters of `A-Za-z0-9_-`. */
  readonly createUid: () => string;
  /** Joins those who have connections to the same server: the other workers, and what a reload has replaced. */
  readonly newsroom: SessionNewsroom;
}

const SESSION = 'mcp-session-id';
const DEFAULT_PATH = '/sse';
const NO_BODY = Buffer.alloc(0);
const MAX_TOLD_BYTES: Bytes = 8192;
const NOTHING_RUNS: UpstreamCall = Object.freeze({
  abort: () => undefined,
  resume: () => undefined,
});

/**
 * Makes a server that speaks HTTP+SSE alone (MCP 2024-11-05) look like one of Streamable HTTP: POST, GET and
 * DELETE on one path, with sessions.
 *
 * - `initialize` opens a connection; its answer, in JSON, brings a session id that says enough to open another
 *   one later. A session so outlives the connection, a restart of either side, and a change of worker.
 * - Other requests are answered with an event stream, begun when the server has taken the message or sends
 *   the first one for it. What goes to which stream, `createMessageRouter` says.
 * - What the modern revisions send (2026-07-28) is refused as a server refuses that does not know them, so that
 *   clients fall back: 400, -32601.
 * - 400 without a session, 404 for an id that is none or was ended here, 409 for a second GET stream. Statuses
 *   with which the server refuses a message pass.
 * - Events have no ids: HTTP+SSE can't resume, so `Last-Event-ID` means nothing.
 *
 * @param http the way to the server; its path is that of the event stream
 */
export function createSseUpstream(
  http: Upstream,
  { scheme, sealer, limits, createUid, newsroom }: SseUpstreamOptions,
): Upstream {
  const streamUrl = `${scheme}://${http.authority}${http.path ?? DEFAULT_PATH}`;
  const ids = createServerRequestIds(sealer, http.targetName);
  const bindingOf = ({ owner }: UpstreamRequest) => ({ owner, backend: http.backendName });
  const sessions = createSessionConnections(limits, (request, onClosed) =>
    openSseConnection(
      { http, streamUrl, limits, ids, binding: bindingOf(request), onClosed },
      request,
    ),
  );

  const tellOthers = newsroom.join({
    server: JSON.stringify([http.backendName, http.targetName]),
    take: (news) => sessions.take(news),
    get isOver() {
      return sessions.isOver;
    },
  });

  function initialize(
    request: UpstreamRequest,
    envelope: Envelope,
    answer: GuardedAnswer,
  ): UpstreamCall {
    const uid = createUid();
    const connection = sessions.open(uid, request);
    if (connection === null) return noRoom(answer);
    const params = readInitializeParams(envelope);
    let isAnswered = false;
    connection.initialize(request, envelope, {
      send: null,
      finish(message, isError) {
        isAnswered = true;
        const session = isError ? [] : [SESSION, writeSession({ uid, params })];
        answerJson(answer, Buffer.from(message), session);
      },
      end: () => undefined,
      fail: (code, detail) => answer.onFailure(code, detail),
    });
    connection.whenReady((outcome) => {
      if (outcome.kind !== 'ready') answerNotReady(answer, outcome);
    });
    return {
      abort() {
        answer.abort();
        if (!isAnswered) connection.close('UPSTREAM_RESET', 'the client has gone');
      },
      resume: () => undefined,
    };
  }

  function ask(
    session: SseSession,
    request: UpstreamRequest,
    envelope: Envelope,
    answer: GuardedAnswer,
  ): UpstreamCall {
    let asked: SseConnection | null = null;
    let isAborted = false;
    const stream = createClientStream(answer, limits.maxQueuedBytes, abandon);
    const sink: RequestSink = {
      send: (message) => stream.send(message),
      finish(message) {
        stream.send(message);
        stream.end();
      },
      end: () => stream.end(),
      fail: (code, detail) => stream.fail(code, detail),
    };

    function abandon(): void {
      asked?.abandon(request, envelope, sink);
    }

    const delivery = deliver(
      () => sessions.connectionOf(session, request),
      answer,
      isUnknownConnection,
      (connection, done) => {
        const send = (): void => {
          asked = connection;
          const refusal = connection.ask(request, envelope, sink, done);
          if (refusal === null) return;
          asked = null;
          answerError(answer, 400, -32600, `Invalid Request: ${refusal}`, envelope);
        };
        if (envelope.method === 'ping') {
          send();
          return;
        }
        connection.sendInitialized(request, (outcome) => {
          if (outcome.kind !== 'accepted') done(outcome);
          else if (!isAborted) send();
        });
      },
      () => stream.begin(),
    );
    return {
      abort() {
        isAborted = true;
        answer.abort();
        stream.abort();
        delivery.cancel();
        abandon();
      },
      resume: () => stream.resume(),
    };
  }

  function notify(
    session: SseSession,
    request: UpstreamRequest,
    envelope: Envelope,
    answer: GuardedAnswer,
  ): UpstreamCall {
    const { method, cancelledId } = envelope;
    if (method === 'notifications/progress') {
      return passBack(request, envelope, answer, () => answerEmpty(answer, 202));
    }
    const isCancellation = method === 'notifications/cancelled';
    const isElsewhere =
      cancelledId !== null &&
      sessions.find(session, request.owner)?.isWaiting(cancelledId) !== true;
    if (isCancellation && isElsewhere) {
      const owner = ownerKey(request.owner);
      tellOthers({ uid: session.uid, owner, cancellation: shortCancellation(envelope) });
    }
    const isOfLiveConnection = isCancellation || method === 'notifications/initialized';
    if (isOfLiveConnection && sessions.find(session, request.owner) === null) {
      // A new connection is told that it is initialized when it is opened, and has nothing to cancel.
      answerEmpty(answer, 202);
      return NOTHING_RUNS;
    }
    let target: SseConnection | null = null;
    const delivery = deliver(
      () => sessions.connectionOf(session, request),
      answer,
      isNotFound,
      (connection, done) => {
        target = connection;
        if (method === 'notifications/initialized') connection.sendInitialized(request, done);
        else connection.tell(request, envelope.text, done);
      },
      () => {
        if (isCancellation && cancelledId !== null) target?.cancel(cancelledId);
        answerEmpty(answer, 202);
      },
    );
    return abortable(answer, () => delivery.cancel());
  }

  /** Sends what a client says of a request of the server to the connection that the request came on. */
  function passBack(
    request: UpstreamRequest,
    envelope: Envelope,
    answer: GuardedAnswer,
    onUnknown: () => void,
  ): UpstreamCall {
    const restored = ids.restore(envelope, bindingOf(request));
    if (restored === null) {
      onUnknown();
      return NOTHING_RUNS;
    }
    const { body, endpoint } = restored;
    const post = { endpoint, body, request, timeoutMs: limits.responseTimeoutMs };
    const posted = postMessage(http, post, (outcome) => {
      if (outcome.kind === 'accepted') answerEmpty(answer, 202);
      // The connection is gone; the client's session is not.
      else if (isUnknownConnection(outcome)) onUnknown();
      else answerNotTaken(answer, outcome);
    });
    return abortable(answer, () => posted.abort());
  }

  function listen(
    session: SseSession,
    request: UpstreamRequest,
    answer: GuardedAnswer,
  ): UpstreamCall {
    const connection = sessions.connectionOf(session, request);
    if (connection === null) return noRoom(answer);
    const unlisten = (): void => connection.unlisten(stream);
    const stream = createClientStream(answer, limits.maxQueuedBytes, unlisten);
    const cancelWait = connection.whenReady((outcome) => {
      if (outcome.kind !== 'ready') answerNotReady(answer, outcome);
      else if (!connection.listen(stream)) {
        answerError(answer, 409, -32000, 'Conflict: only one stream is allowed per session');
      }
    });
    return {
      abort() {
        answer.abort();
        stream.abort();
        cancelWait();
        unlisten();
      },
      resume: () => stream.resume(),
    };
  }

  function postedMessage(request: UpstreamRequest, answer: GuardedAnswer): UpstreamCall {
    const envelope = readEnvelope(request.body ?? NO_BODY);
    if (envelope === null) {
      answerError(answer, 400, -32700, 'Parse error: no JSON-RPC message');
      return NOTHING_RUNS;
    }
    const { kind, method } = envelope;
    if (envelope.isModern || method === 'server/discover') {
      const message = 'Method not found: this server speaks revisions before 2026-07-28 alone';
      answerError(answer, 400, -32601, message, envelope);
      return NOTHING_RUNS;
    }
    const named = headerValue(request.headers, SESSION);
    const isInitialize = kind === 'request' && method === 'initialize';
    if (named === undefined && isInitialize) return initialize(request, envelope, answer);
    const session = sessionOf(named, answer, envelope);
    if (session === null) return NOTHING_RUNS;
    if (isInitialize) {
      answerError(answer, 400, -32600, 'Invalid Request: initialize within a session', envelope);
      return NOTHING_RUNS;
    }
    if (kind === 'request') return ask(session, request, envelope, answer);
    if (kind === 'notification') return notify(session, request, envelope, answer);
    return passBack(request, envelope, answer, () => {
      answerError(answer, 400, -32600, 'Invalid Request: no request of the server has this id');
    });
  }

  /** Reads the session of a request, or answers: 400 where it names none, 404 where it is none. */
  function sessionOf(
    named: string | undefined,
    answer: GuardedAnswer,
    envelope: Envelope | null = null,
  ): SseSession | null {
    if (named === undefined) {
      answerError(answer, 400, -32000, 'Bad Request: Mcp-Session-Id is required', envelope);
      return null;
    }
    const session = readSession(named);
    if (session !== null && !sessions.hasEnded(session)) return session;
    answerUnknownSession(answer, envelope);
    return null;
  }

  return {
    backendName: http.backendName,
    targetName: http.targetName,
    path: http.path ?? DEFAULT_PATH,
    authority: http.authority,
    request(request, plainAnswer) {
      const answer = guardAnswer(plainAnswer);
      if (request.method === 'POST') return postedMessage(request, answer);
      const session = sessionOf(headerValue(request.headers, SESSION), answer);
      if (session === null) return NOTHING_RUNS;
      if (request.method === 'GET') return listen(session, request, answer);
      tellOthers(sessions.end(session, request.owner));
      answerEmpty(answer, 200);
      return NOTHING_RUNS;
    },
    close() {
      sessions.retire();
      http.close();
    },
  };
}

function noRoom(answer: GuardedAnswer): UpstreamCall {
  answerNoRoom(answer);
  return NOTHING_RUNS;
}

function abortable(answer: GuardedAnswer, cancel: () => void): UpstreamCall {
  return {
    abort() {
      answer.abort();
      cancel();
    },
    resume: () => undefined,
  };
}

/** A cancellation that is too long for the way to other workers is told without its reason. */
function shortCancellation({ text, cancelledId }: Envelope): Buffer {
  if (text.length <= MAX_TOLD_BYTES || cancelledId === null) return text;
  const requestId = text.toString('utf8', cancelledId.start, cancelledId.end);
  return Buffer.from(
    `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${requestId}}}`,
  );
}

function readInitializeParams({ text }: Envelope): InitializeParams {
  const { value } = readJson(text, messageLimits);
  const params = isJsonObject(value) ? value.params : undefined;
  return rememberedParams(isJsonObject(params) ? params : {});
}
