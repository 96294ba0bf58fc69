import type { HeaderFields } from '../../accept/request-head.ts';
import type { Upstream, UpstreamCall, UpstreamRequest } from '../../forward/upstream.ts';
import { isJsonObject, readJson } from '../../json/read-json.ts';
import type { Milliseconds } from '../../units.ts';
import { messageLimits } from '../message-limits.ts';
import type { MessageReader } from './message-reader.ts';
import { streamableHeaders } from './streamable-headers.ts';

/** How long an upstream may take to hear that a session is over. */
const DELETE_TIMEOUT_MS: Milliseconds = 5_000;
const FIRST_REOPEN_MS: Milliseconds = 1_000;
const LAST_REOPEN_MS: Milliseconds = 30_000;

const VERSION = /^\d{4}-\d{2}-\d{2}$/;
/** What may stand in a header field: the protocol asks for visible ASCII (MCP 2025-11-25, Session Management). */
const SESSION_ID = /^[!-~]{1,4096}$/;

export interface UpstreamSessionOptions {
  /** Makes a reader that hands the messages of one stream to the client. */
  readonly createReader: (onEventId: (id: string) => void) => MessageReader;
  /** Whether the client reads slower than messages come. */
  readonly isBackedUp: () => boolean;
}

/**
 * The Streamable HTTP session that one stream of HTTP+SSE leads to: its id and revision, its GET stream, its
 * end. The id is the upstream's own and stays here.
 */
export class UpstreamSession {
  readonly #options: UpstreamSessionOptions;
  #id: string | null = null;
  #protocolVersion: string | null = null;
  /** The latest message and where it went: GET and DELETE are made of them. */
  #latest: { readonly upstream: Upstream; readonly request: UpstreamRequest } | null = null;
  #listening: UpstreamCall | null = null;
  #isListening = false;
  #reopenMs: Milliseconds = FIRST_REOPEN_MS;
  #reopenTimer: NodeJS.Timeout | null = null;
  #lastEventId: string | null = null;
  #isOver = false;

  constructor(options: UpstreamSessionOptions) {
    this.#options = options;
  }

  /** The upstream's own id, or `null` where there is none. */
  get id(): string | null {
    return this.#id;
  }

  /** Whether {@link listen} was called for this session. */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** A client's message as Streamable HTTP. */
  postRequest(upstream: Upstream, request: UpstreamRequest, hasTimeout: boolean): UpstreamRequest {
    this.#latest = { upstream, request };
    return {
      ...request,
      headers: this.#headers(request.headers, 'application/json, text/event-stream', true),
      hasTimeout,
    };
  }

  /** Takes the head of a good answer to `initialize`. A session that it replaces is ended. */
  open(headers: HeaderFields): void {
    const named = singleValue(headers, 'mcp-session-id');
    const id = named !== null && SESSION_ID.test(named) ? named : null;
    if (this.#id !== null && this.#id !== id) {
      this.#stopListening();
      this.#delete();
    }
    this.#id = id;
  }

  /** Takes the answer to `initialize`, for the revision that both sides agreed on. */
  readInitializeResult(message: Uint8Array): void {
    const { value } = readJson(message, messageLimits);
    if (!isJsonObject(value) || !isJsonObject(value.result)) return;
    const { protocolVersion } = value.result;
    if (typeof protocolVersion === 'string' && VERSION.test(protocolVersion)) {
      this.#protocolVersion = protocolVersion;
    }
  }

  /**
   * Opens the upstream's own stream (GET), once; a server without one says so (405). One that ends is opened
   * again, later each time, for as long as the upstream agrees.
   *
   * @param onReady called when the upstream has said whether it has one
   */
  listen(onReady: () => void): void {
    if (this.#isListening || this.#isOver) {
      onReady();
      return;
    }
    this.#isListening = true;
    this.#openListening(onReady);
  }

  /** Goes on reading after the client has caught up. */
  resume(): void {
    this.#listening?.resume();
  }

  /** The client is gone: ends the stream and, as well as can be, the session. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopListening();
    this.#delete();
  }

  #stopListening(): void {
    if (this.#reopenTimer !== null) clearTimeout(this.#reopenTimer);
    this.#reopenTimer = null;
    this.#listening?.abort();
    this.#listening = null;
    this.#isListening = false;
    this.#lastEventId = null;
  }

  #openListening(onReady: () => void): void {
    if (this.#latest === null || this.#isOver) {
      onReady();
      return;
    }
    const { upstream, request } = this.#latest;
    const reader = this.#options.createReader((id) => (this.#lastEventId = id));
    const state = { isStream: false, isDone: false };
    let call: UpstreamCall | null = null;
    const done = (): void => {
      state.isDone = true;
      reader.stop();
      onReady();
      this.#listening = null;
      if (state.isStream) this.#reopenLater();
    };
    const giveUp = (): void => {
      state.isStream = false;
      call?.abort();
      done();
    };
    call = upstream.request(
      {
        method: 'GET',
        path: request.path,
        headers: this.#headers(request.headers, 'text/event-stream', false),
        body: null,
        owner: request.owner,
        hasTimeout: false,
      },
      {
        onHead: (status, headers) => {
          state.isStream = status === 200 && reader.start(status, headers);
          if (state.isStream) onReady();
          else giveUp();
        },
        onData: (piece) => {
          if (state.isDone) return true;
          this.#reopenMs = FIRST_REOPEN_MS;
          reader.push(piece);
          if (reader.fault !== null) giveUp();
          return !this.#options.isBackedUp();
        },
        onEnd: () => {
          if (state.isDone) return;
          reader.end();
          done();
        },
        onFailure: () => {
          if (!state.isDone) done();
        },
      },
    );
    if (!state.isDone) this.#listening = call;
  }

  #reopenLater(): void {
    if (this.#isOver) return;
    this.#reopenTimer = setTimeout(() => this.#openListening(() => undefined), this.#reopenMs);
    this.#reopenTimer.unref();
    this.#reopenMs = Math.min(2 * this.#reopenMs, LAST_REOPEN_MS);
  }

  #delete(): void {
    if (this.#id === null || this.#latest === null) return;
    const { upstream, request } = this.#latest;
    const headers = this.#headers(request.headers, '*/*', false);
    this.#id = null;
    let call: UpstreamCall | null = null;
    const timer = setTimeout(() => call?.abort(), DELETE_TIMEOUT_MS);
    timer.unref();
    const settle = (): void => clearTimeout(timer);
    call = upstream.request(
      {
        method: 'DELETE',
        path: request.path,
        headers,
        body: null,
        owner: request.owner,
        hasTimeout: true,
      },
      { onHead: () => undefined, onData: () => true, onEnd: settle, onFailure: settle },
    );
  }

  #headers(headers: HeaderFields, accept: string, hasBody: boolean): HeaderFields {
    return streamableHeaders(
      headers,
      {
        accept,
        sessionId: this.#id,
        protocolVersion: this.#protocolVersion,
        lastEventId: hasBody || accept === '*/*' ? null : this.#lastEventId,
      },
      hasBody,
    );
  }
}

function singleValue(headers: HeaderFields, name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    if (value !== null) return null;
    value = headers[index + 1] ?? '';
  }
  return value;
}
