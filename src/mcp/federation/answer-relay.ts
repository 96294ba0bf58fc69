import type { HeaderFields } from '../../accept/request-head.ts';
import type { RefusalCode } from '../../errors.ts';
import type { UpstreamAnswer } from '../../forward/upstream.ts';
import type { Bytes } from '../../units.ts';
import { createEventSplitter, type EventSplitter } from '../event-stream.ts';
import type { ClientAnswer } from './client-answer.ts';
import { bodyForm, BoundedBody } from './read-body.ts';
import { saysSessionExpired } from './expired-session.ts';
import { readResponse } from './read-response.ts';
import { rewriteMessage, type RewriteContext, type Rewriting } from './rewrite-message.ts';

/** Largest answer in JSON, and largest event. */
const MAX_MESSAGE_BYTES: Bytes = 64 * 1024 * 1024;

/** Fields of a target's answer that go on. */
const KEPT: ReadonlySet<string> = new Set(['content-type', 'cache-control', 'retry-after']);
const COLON = 0x3a;

export interface RelayOptions {
  readonly client: ClientAnswer;
  readonly context: RewriteContext;
  /** Whether the request named a session that the target may have forgotten. */
  readonly mayBeExpired: boolean;
  /** The target does not know the session; nothing was sent to the client. */
  readonly onExpired: () => void;
  /** A request of the server that the gate answers itself. */
  readonly onRefusedRequest: (id: string, method: string) => void;
  /**
   * Takes the response before the client does.
   *
   * @returns what the client gets; `null` where more is to come before it gets anything
   */
  readonly onResponse: (message: Buffer) => Buffer | null;
  /** Nothing more comes from the target. */
  readonly onOver: () => void;
  /** Ends the request to the target. */
  readonly abort: () => void;
}

/** Hands the answer of one target on to the client: each event as it comes, a JSON answer as a whole. */
export class AnswerRelay implements UpstreamAnswer {
  readonly #options: RelayOptions;
  readonly #body = new BoundedBody(MAX_MESSAGE_BYTES);
  #form: 'json' | 'events' | 'other' = 'other';
  #splitter: EventSplitter | null = null;
  #status = 0;
  #headers: HeaderFields = [];
  #isOver = false;
  #isAnswered = false;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#status = status;
    this.#headers = headers;
    const form = bodyForm(headers);
    if (form === 'encoded') {
      this.#fault('the content is encoded');
      return;
    }
    this.#form = form;
    if (form === 'events' && status === 200) {
      this.#splitter = createEventSplitter({ maxEventBytes: MAX_MESSAGE_BYTES });
      this.#options.client.beginStream();
    }
  }

  onData(piece: Uint8Array): boolean {
    if (this.#isOver) return true;
    if (this.#splitter === null) {
      this.#body.append(piece);
      if (this.#body.isTooLarge) this.#fault('the answer is too large');
      return true;
    }
    let accepted = true;
    for (const { dataBytes, raw } of this.#splitter.push(piece)) {
      if (dataBytes === null || dataBytes.length === 0) {
        if (raw[0] === COLON) accepted = this.#options.client.comment() && accepted;
      } else {
        accepted = this.#event(dataBytes) && accepted;
      }
    }
    if (this.#splitter.fault !== null) this.#fault(this.#splitter.fault);
    return accepted;
  }

  onEnd(): void {
    if (this.#isOver) return;
    if (this.#splitter === null) {
      this.#whole(this.#body.take());
      return;
    }
    this.#finish();
    if (!this.#isAnswered) this.#options.client.end();
  }

  onFailure(code: RefusalCode, detail: string): void {
    if (this.#isOver) return;
    this.#finish();
    this.#options.client.fail(code, detail);
  }

  #event(data: Buffer): boolean {
    if (this.#isOver) return true;
    const rewriting = rewriteMessage(data, this.#options.context);
    switch (rewriting.kind) {
      case 'response':
        this.#response(rewriting.message);
        return true;
      case 'request':
      case 'notification':
        return this.#options.client.event(rewriting.message);
      case 'dropped':
      case 'refused-request':
      case 'fault':
        this.#other(rewriting);
        return true;
    }
  }

  #whole(body: Buffer): void {
    const { client, context, mayBeExpired, onExpired } = this.#options;
    if (mayBeExpired && isExpired(this.#status, body, context)) {
      this.#finish();
      onExpired();
      return;
    }
    if (this.#form !== 'json' || body.length === 0) {
      this.#finish();
      client.send(this.#status, keptHeaders(this.#headers), body);
      return;
    }
    const rewriting = rewriteMessage(body, context);
    if (rewriting.kind === 'response') this.#response(rewriting.message);
    else if (rewriting.kind === 'fault') this.#fault(rewriting.fault);
    else this.#fault('not a JSON-RPC message');
  }

  #response(message: Buffer): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const final = this.#options.onResponse(message);
    if (final !== null) this.#options.client.respond(this.#status, final);
    // What a target sends behind its response is for nobody.
    this.#finish();
  }

  #other(rewriting: Rewriting): void {
    if (rewriting.kind === 'fault') this.#fault(rewriting.fault);
    if (rewriting.kind === 'refused-request') {
      this.#options.onRefusedRequest(rewriting.id, rewriting.method);
    }
  }

  #fault(fault: string): void {
    if (this.#isOver) return;
    this.#finish();
    this.#options.abort();
    this.#options.client.fail('UPSTREAM_ANSWER_UNREADABLE', fault);
  }

  #finish(): void {
    this.#isOver = true;
    this.#options.onOver();
  }
}

function isExpired(status: number, body: Buffer, { expected }: RewriteContext): boolean {
  return saysSessionExpired(status, expected === null ? null : readResponse(body, expected.id));
}

function keptHeaders(headers: HeaderFields): HeaderFields {
  const kept: HeaderFields = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (KEPT.has(name)) kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}
