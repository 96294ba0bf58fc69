import type { HeaderFields } from '../../../accept/request-head.ts';
import type { RefusalCode } from '../../../errors.ts';
import type { Upstream, UpstreamAnswer } from '../../../forward/upstream.ts';
import { isJsonObject, readJson, type JsonObject } from '../../../json/read-json.ts';
import type { Bytes, Milliseconds } from '../../../units.ts';
import { createEventSplitter } from '../../event-stream.ts';
import type { McpRequest } from '../../message.ts';
import { askTarget, type TargetAnswer } from '../ask-target.ts';
import { CallScope } from '../call-scope.ts';
import { fanOut } from '../fan-out.ts';
import type { FederatedCall } from '../federated-call.ts';
import type { FederationParts } from '../federation-parts.ts';
import { lastEventIdOf } from '../last-event-id.ts';
import { envelopeTree } from '../message-trees.ts';
import { namePrefix } from '../names.ts';
import { initializeTarget } from '../open-target.ts';
import { bodyForm } from '../read-body.ts';
import { rewriteMessage } from '../rewrite-message.ts';
import { offerLetters, type TargetSession } from '../session-text.ts';
import { sendToTarget, type TargetRequest } from '../target-client.ts';
import { adaptNotification, CHANGES, type Change, type Listened } from './adapt-notification.ts';

/** Where what is heard goes; see `MergedListening`. */
export interface ListeningSink {
  /** @param notifications what the target honours, under its own names */
  acknowledged(target: string, notifications: JsonObject): void;
  /** @returns false when the client reads slower than this */
  notification(message: Buffer): boolean;
  /** @param failure `null` where there is nothing to hear any more, in good order */
  ended(target: string, failure: string | null, wasAcknowledged: boolean): void;
}

/** What of a `subscriptions/listen` concerns one target. */
export interface Listening {
  readonly parts: FederationParts;
  readonly call: FederatedCall;
  readonly request: McpRequest;
  readonly upstream: Upstream;
  /** Under their own names. */
  readonly uris: readonly string[];
}

const VERSION = '2025-11-25';
const MAX_EVENT_BYTES: Bytes = 1024 * 1024;
/** What one listening client may be subscribed to at one target; the rest is not acknowledged. */
const MAX_SUBSCRIPTIONS = 500;
const FIRST_WAIT_MS: Milliseconds = 1000;
const LONGEST_WAIT_MS: Milliseconds = 30_000;
const LIMITS = Object.freeze({ maxDepth: 16, maxValues: 10_000 });
const TREES = [envelopeTree];

/** Whether a legacy target may have anything to tell of what the client wants to hear. */
export function mayTell(request: McpRequest, uris: readonly string[], offers: string): boolean {
  const isWanted = wantedChanges(request).some(({ kind }) => offers.includes(offerLetters[kind]));
  return isWanted || (uris.length > 0 && offers.includes(offerLetters.subscribe));
}

function wantedChanges({ params }: McpRequest): readonly Change[] {
  const { notifications } = params;
  return isJsonObject(notifications)
    ? CHANGES.filter(({ flag }) => notifications[flag] === true)
    : [];
}

/**
 * Listens at a legacy target for a modern client (`subscriptions/listen`, MCP 2026-07-28): with a session of its own,
 * which hears nothing of other clients and ends with the client's stream, its GET stream, and `resources/subscribe`
 * for each of the client's resources there (MCP 2025-11-25). A stream that the target ends is opened again.
 */
export class LegacyListening implements UpstreamAnswer {
  readonly #listening: Listening;
  readonly #sink: ListeningSink;
  #session: TargetSession | null = null;
  #heard: Listened = { flags: new Set(), uris: [], id: 0 };
  #capabilities: JsonObject = {};
  #own = new CallScope();
  #splitter = createEventSplitter({ maxEventBytes: MAX_EVENT_BYTES });
  #status = 0;
  #isEvents = false;
  #lastEventId: string | null = null;
  #waitMs = FIRST_WAIT_MS;
  #timer: NodeJS.Timeout | null = null;
  /** For as long as the client listens. */
  readonly #running = { abort: () => this.#stop(), resume: () => this.#own.resume() };
  #isSubscribing = false;
  #isAcknowledged = false;
  #isOver = false;

  constructor(listening: Listening, sink: ListeningSink) {
    this.#listening = listening;
    this.#sink = sink;
  }

  /** Opens the session and the stream; never rejects. */
  async start(): Promise<void> {
    const { parts, call, upstream } = this.#listening;
    const { base, client } = call;
    // Not the client's scope: a session that was opened has to be ended as well.
    const scope = new CallScope();
    const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: client.clientInfo };
    const options = { scope, upstream, base, timeoutMs: parts.timeoutMs, generation: 0 };
    const opened = await initializeTarget(options, JSON.stringify(params));
    if (opened.kind === 'failed') {
      this.#end(opened.reason);
      return;
    }
    this.#session = opened.session;
    this.#capabilities = opened.capabilities;
    call.scope.add(this.#running);
    await this.#post('{"jsonrpc":"2.0","method":"notifications/initialized"}', null);
    this.#open();
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#status = status;
    this.#isEvents = status === 200 && bodyForm(headers) === 'events';
    if (!this.#isEvents) return;
    this.#waitMs = FIRST_WAIT_MS;
    if (!this.#isSubscribing) void this.#subscribe();
    this.#isSubscribing = true;
  }

  onData(piece: Uint8Array): boolean {
    if (!this.#isEvents || this.#isOver) return true;
    let accepted = true;
    for (const { dataBytes, id } of this.#splitter.push(piece)) {
      if (id !== null) this.#lastEventId = lastEventIdOf(id);
      if (dataBytes === null || dataBytes.length === 0) {
        accepted = this.#listening.call.answer.comment() && accepted;
      } else {
        accepted = this.#message(dataBytes) && accepted;
      }
    }
    if (this.#splitter.fault !== null) this.#end(this.#splitter.fault);
    return accepted;
  }

  onEnd(): void {
    if (this.#isOver) return;
    if (!this.#isEvents) {
      // 405: it offers no stream, and so has nothing to tell.
      this.#end(this.#status === 405 ? null : `HTTP status ${this.#status}`);
      return;
    }
    this.#timer = setTimeout(() => this.#open(), this.#waitMs);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
  }

  onFailure(code: RefusalCode, detail: string): void {
    this.#end(`${code}: ${detail}`);
  }

  #open(): void {
    const { parts, call, upstream } = this.#listening;
    if (this.#isOver) return;
    this.#splitter = createEventSplitter({ maxEventBytes: MAX_EVENT_BYTES });
    this.#isEvents = false;
    this.#own = new CallScope();
    const get = { ...this.#request('GET', null), lastEventId: this.#lastEventId };
    sendToTarget(this.#own, upstream, call.base, get, this, parts.timeoutMs);
  }

  /** Subscribes to the client's resources, now that updates have a stream to come on, and acknowledges what it got. */
  async #subscribe(): Promise<void> {
    const { request, uris, parts, upstream } = this.#listening;
    const offered = (kind: string, flag: string): boolean => {
      const block = this.#capabilities[kind];
      return isJsonObject(block) && block[flag] === true;
    };
    const flags = wantedChanges(request).filter(({ kind }) => offered(kind, 'listChanged'));
    const wanted = offered('resources', 'subscribe') ? uris.slice(0, MAX_SUBSCRIPTIONS) : [];
    const answers = await fanOut([...wanted.entries()], ([index, uri]) => {
      const id = `postern-${index}`;
      const message = { jsonrpc: '2.0', id, method: 'resources/subscribe', params: { uri } };
      return this.#post(JSON.stringify(message), id);
    });
    if (this.#isOver) return;
    const subscribed = wanted.filter((_uri, index) => isResult(answers[index]));
    const prefix = parts.isPrefixed ? namePrefix('resource', upstream.targetName) : '';
    this.#heard = {
      flags: new Set(flags.map(({ flag }) => flag)),
      uris: subscribed.map((uri) => prefix + uri),
      id: request.id,
    };
    this.#isAcknowledged = true;
    this.#sink.acknowledged(upstream.targetName, {
      ...Object.fromEntries(flags.map(({ flag }) => [flag, true])),
      resourceSubscriptions: subscribed,
    });
    if (flags.length === 0 && subscribed.length === 0) this.#end(null);
  }

  #message(data: Buffer): boolean {
    const { parts, call, upstream } = this.#listening;
    const rewriting = rewriteMessage(data, {
      target: upstream.targetName,
      owner: call.base.owner,
      ids: parts.ids,
      isPrefixed: parts.isPrefixed,
      names: parts.names,
      expected: null,
      trees: TREES,
      passesRequests: false,
    });
    if (rewriting.kind === 'refused-request') {
      const outcome =
        rewriting.method === 'ping'
          ? '"result":{}'
          : '"error":{"code":-32601,"message":"Method not found"}';
      void this.#post(`{"jsonrpc":"2.0","id":${rewriting.id},${outcome}}`, null);
    }
    if (rewriting.kind !== 'notification') return true;
    const { value } = readJson(rewriting.message, LIMITS);
    const adapted = isJsonObject(value) ? adaptNotification(value, this.#heard) : null;
    return adapted === null || this.#sink.notification(adapted);
  }

  #post(text: string, id: string | null): Promise<TargetAnswer> {
    const { parts, call, upstream } = this.#listening;
    const post = this.#request('POST', Buffer.from(text));
    return askTarget(call.scope, upstream, call.base, post, id, parts.timeoutMs);
  }

  #request(method: TargetRequest['method'], body: Buffer | null): TargetRequest {
    return {
      method,
      body,
      sessionId: this.#session?.id ?? null,
      version: this.#session?.version ?? null,
      mcpMethod: null,
      mcpName: null,
    };
  }

  #end(failure: string | null): void {
    if (this.#isOver) return;
    this.#stop();
    this.#sink.ended(this.#listening.upstream.targetName, failure, this.#isAcknowledged);
  }

  /** Ends the stream and the session. */
  #stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#listening.call.scope.delete(this.#running);
    this.#own.abort();
    if (this.#session?.id == null) return;
    const { parts, call, upstream } = this.#listening;
    const ending = this.#request('DELETE', null);
    void askTarget(new CallScope(), upstream, call.base, ending, null, parts.timeoutMs);
  }
}

function isResult(answer: TargetAnswer | undefined): boolean {
  return answer?.kind === 'answer' && answer.response.kind === 'result';
}
