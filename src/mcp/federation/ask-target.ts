/** One request to one target whose answer is read as a whole: of the fan-outs, and of sessions that are opened. */

import type { HeaderFields } from '../../accept/request-head.ts';
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../forward/upstream.ts';
import type { Bytes, Milliseconds } from '../../units.ts';
import type { RequestId } from '../message.ts';
import { createEventSplitter, type EventSplitter } from '../event-stream.ts';
import { CallScope } from './call-scope.ts';
import { bodyForm, BoundedBody } from './read-body.ts';
import { readResponse, type TargetResponse } from './read-response.ts';
import { sendToTarget, type TargetRequest } from './target-client.ts';

/** Largest answer of a target that is read as a whole. */
const MAX_ANSWER_BYTES: Bytes = 8 * 1024 * 1024;

/** What came of it; `failure` in words that repeat nothing of the answer. */
export type TargetAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: HeaderFields;
      /** `other` where the answer holds no response, as of a notification. */
      readonly response: TargetResponse;
    }
  | { readonly kind: 'failure'; readonly reason: string };

/**
 * Sends a request and waits for its response, in JSON or as an event. Never rejects.
 *
 * @param expectedId the request's id, or `null` for what has no response
 * @param timeoutMs bounds all of it
 */
export function askTarget(
  scope: CallScope,
  upstream: Upstream,
  base: UpstreamRequest,
  request: TargetRequest,
  expectedId: RequestId | null,
  timeoutMs: Milliseconds,
): Promise<TargetAnswer> {
  return new Promise((resolve) => {
    const own = new CallScope();
    const abort = (): void => {
      clearTimeout(timer);
      scope.forget(abort);
      own.abort();
      asking.onFailure('', 'the client is gone');
    };
    const timer = setTimeout(() => {
      asking.onFailure('', `no answer within ${timeoutMs} ms`);
      abort();
    }, timeoutMs);
    const asking = new Asking(
      expectedId,
      (answer) => {
        resolve(answer);
        if (answer.kind === 'failure') {
          abort();
        } else {
          // Most streams end of themselves now, and leave a connection that can be used again.
          timer.refresh();
        }
      },
      () => {
        clearTimeout(timer);
        scope.forget(abort);
      },
    );
    scope.onOver(abort);
    sendToTarget(own, upstream, base, request, asking, timeoutMs);
  });
}

class Asking implements UpstreamAnswer {
  readonly #expectedId: RequestId | null;
  readonly #resolve: (answer: TargetAnswer) => void;
  readonly #onOver: () => void;
  readonly #body = new BoundedBody(MAX_ANSWER_BYTES);
  #splitter: EventSplitter | null = null;
  #status = 0;
  #headers: HeaderFields = [];
  #isSettled = false;

  constructor(
    expectedId: RequestId | null,
    resolve: (answer: TargetAnswer) => void,
    onOver: () => void,
  ) {
    this.#expectedId = expectedId;
    this.#resolve = resolve;
    this.#onOver = onOver;
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#status = status;
    this.#headers = headers;
    const form = bodyForm(headers);
    if (form === 'encoded') this.#fail('the answer is encoded');
    if (form === 'events') {
      this.#splitter = createEventSplitter({ maxEventBytes: MAX_ANSWER_BYTES });
    }
  }

  onData(piece: Uint8Array): boolean {
    if (this.#isSettled) return true;
    if (this.#splitter === null) {
      this.#body.append(piece);
      return true;
    }
    for (const { dataBytes } of this.#splitter.push(piece)) {
      if (dataBytes !== null && dataBytes.length > 0) this.#readEvent(Buffer.from(dataBytes));
    }
    if (this.#splitter.fault !== null) this.#fail('the answer is too large');
    return true;
  }

  onEnd(): void {
    this.#onOver();
    if (this.#isSettled) return;
    if (this.#splitter !== null && this.#expectedId !== null) {
      this.#fail('the stream ended without an answer');
      return;
    }
    if (this.#body.isTooLarge) {
      this.#fail('the answer is too large');
      return;
    }
    const body = this.#body.take();
    const response =
      body.length === 0 || this.#expectedId === null
        ? ({ kind: 'other' } as const)
        : readResponse(body, this.#expectedId);
    this.#settle(response);
  }

  onFailure(code: string, detail: string): void {
    this.#onOver();
    this.#fail(code === '' ? detail : `${code}: ${detail}`);
  }

  #readEvent(message: Buffer): void {
    if (this.#isSettled || this.#expectedId === null) return;
    const response = readResponse(message, this.#expectedId);
    if (response.kind === 'unreadable') this.#fail('the answer is not JSON-RPC');
    else if (response.kind !== 'other') this.#settle(response);
  }

  #settle(response: TargetResponse): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve({
      kind: 'answer',
      status: this.#status,
      headers: this.#headers,
      response,
    });
  }

  #fail(reason: string): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve({ kind: 'failure', reason });
  }
}
