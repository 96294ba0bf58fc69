import type { HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { Upstream, UpstreamAnswer } from '../../forward/upstream.ts';
import type { Bytes, Milliseconds } from '../../units.ts';
import { createEventSplitter } from '../event-stream.ts';
import { isModernVersion } from '../protocol-version.ts';
import { CallScope } from './call-scope.ts';
import { isFailed, type FederatedCall } from './federated-call.ts';
import type { FederationParts } from './federation-parts.ts';
import { lastEventIdOf } from './last-event-id.ts';
import { envelopeTree } from './message-trees.ts';
import { bodyForm } from './read-body.ts';
import { rewriteMessage } from './rewrite-message.ts';
import type { TargetSession } from './session-text.ts';
import { sendToTarget } from './target-client.ts';

const MAX_EVENT_BYTES: Bytes = 8 * 1024 * 1024;
const FIRST_WAIT_MS: Milliseconds = 1000;
const LONGEST_WAIT_MS: Milliseconds = 30_000;
const COLON = 0x3a;
const TREES = [envelopeTree];

/**
 * Makes one stream for the client of the GET streams of all targets that offer one. A target's stream that ends is
 * opened again, from its last event on, for as long as the client listens. Events go out without ids: those of
 * several targets can't be resumed together.
 *
 * The answer begins with the first target that streams; where none does it is 405, or the first other refusal.
 */
export function openGetStreams(parts: FederationParts, call: FederatedCall): void {
  const { answer, scope } = call;
  const listening = parts.targets.filter((upstream) => {
    const session = parts.legacy.peek(call, upstream);
    return session === null || !isModernVersion(session.version);
  });
  let undecided = listening.length;
  let refusal = 405;
  const decide = (status: number | null): void => {
    undecided -= 1;
    if (status !== null && status !== 405 && refusal === 405) refusal = status;
    if (undecided > 0 || answer.isStream || scope.isOver) return;
    // An answer of 404 would end the client's session, of which other targets may still know.
    if (refusal === 405 || refusal === 404) answer.send(405, ['allow', 'POST, DELETE'], null);
    else answer.fail('UPSTREAM_UNREACHABLE', `no target offers a stream; HTTP status ${refusal}`);
    scope.abort();
  };
  if (listening.length === 0) {
    undecided = 1;
    decide(null);
  }
  for (const upstream of listening) new TargetStream(parts, call, upstream, decide).open();
}

/** The stream of one target, opened again and again. */
class TargetStream implements UpstreamAnswer {
  readonly #parts: FederationParts;
  readonly #call: FederatedCall;
  readonly #upstream: Upstream;
  #onDecided: ((status: number | null) => void) | null;
  #own = new CallScope();
  #splitter = createEventSplitter({ maxEventBytes: MAX_EVENT_BYTES });
  #isEvents = false;
  #status = 0;
  #lastEventId: string | null = null;
  #session: TargetSession | null = null;
  /** Once for each stream that came: a target may refuse for another reason. */
  #mayRenew = true;
  #waitMs = FIRST_WAIT_MS;
  #timer: NodeJS.Timeout | null = null;
  readonly #stop = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#own.abort();
  };

  constructor(
    parts: FederationParts,
    call: FederatedCall,
    upstream: Upstream,
    onDecided: (status: number | null) => void,
  ) {
    this.#parts = parts;
    this.#call = call;
    this.#upstream = upstream;
    this.#onDecided = onDecided;
    call.scope.add({ abort: this.#stop, resume: () => this.#own.resume() });
  }

  open(): void {
    const { scope, base } = this.#call;
    const session = this.#parts.legacy.peek(this.#call, this.#upstream);
    if (scope.isOver) return;
    // Without a session the target has nothing to say to this client; the next request opens one.
    if (session === null || isModernVersion(session.version)) {
      this.#decided(405);
      this.#again();
      return;
    }
    if (session.generation !== this.#session?.generation) this.#lastEventId = null;
    this.#session = session;
    this.#own = new CallScope();
    this.#splitter = createEventSplitter({ maxEventBytes: MAX_EVENT_BYTES });
    this.#isEvents = false;
    sendToTarget(
      this.#own,
      this.#upstream,
      base,
      {
        method: 'GET',
        body: null,
        sessionId: session.id,
        version: session.version,
        mcpMethod: null,
        mcpName: null,
        lastEventId: this.#lastEventId,
      },
      this,
      this.#parts.timeoutMs,
    );
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#status = status;
    this.#isEvents = status === 200 && bodyForm(headers) === 'events';
    if (this.#isEvents) {
      this.#waitMs = FIRST_WAIT_MS;
      this.#mayRenew = true;
      this.#call.answer.beginStream();
    }
    if (!this.#isExpired) this.#decided(this.#isEvents ? null : status);
  }

  onData(piece: Uint8Array): boolean {
    if (!this.#isEvents) return true;
    const { answer } = this.#call;
    let accepted = true;
    for (const block of this.#splitter.push(piece)) {
      const { dataBytes, raw, id } = block;
      if (id !== null) this.#lastEventId = lastEventIdOf(id);
      if (dataBytes === null || dataBytes.length === 0) {
        if (raw[0] === COLON) accepted = answer.comment() && accepted;
        continue;
      }
      const rewriting = rewriteMessage(dataBytes, {
        target: this.#upstream.targetName,
        owner: this.#call.base.owner,
        ids: this.#parts.ids,
        isPrefixed: this.#parts.isPrefixed,
        names: this.#parts.names,
        expected: null,
        trees: TREES,
        passesRequests: true,
      });
      if (rewriting.kind === 'request' || rewriting.kind === 'notification') {
        accepted = answer.event(rewriting.message) && accepted;
      }
    }
    if (this.#splitter.fault !== null) {
      this.#own.abort();
      this.#again();
    }
    return accepted;
  }

  onEnd(): void {
    if (this.#isExpired && this.#session !== null) {
      this.#mayRenew = false;
      void this.#renew(this.#session);
      return;
    }
    this.#decided(this.#status);
    if (this.#status !== 405) this.#again();
  }

  onFailure(_code: RefusalCode, detail: string): void {
    if (this.#onDecided !== null) {
      this.#parts.onTargetFailed(this.#parts.backend, this.#upstream.targetName, detail);
    }
    this.#decided(503);
    this.#again();
  }

  /** Whether the target may have forgotten the session: 404, or what servers in use answer. */
  get #isExpired(): boolean {
    const isRefused = this.#status === 404 || this.#status === 400;
    return isRefused && this.#mayRenew && this.#session?.id != null;
  }

  /** A client that only listens would else hear nothing until its next request. */
  async #renew(stale: TargetSession): Promise<void> {
    const session = await this.#parts.legacy.renew(this.#call, this.#upstream, stale);
    if (!isFailed(session)) {
      this.open();
      return;
    }
    this.#decided(this.#status);
    this.#again();
  }

  #decided(status: number | null): void {
    const tell = this.#onDecided;
    this.#onDecided = null;
    tell?.(status);
  }

  #again(): void {
    if (this.#call.scope.isOver) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), this.#waitMs);
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
  }
}
