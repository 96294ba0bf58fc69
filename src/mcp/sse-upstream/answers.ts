/** The answers that the gate gives in the place of an SSE-only server, as servers of Streamable HTTP word them. */

import type { HeaderFields } from '../../accept/request-head.ts';
import type { UpstreamAnswer } from '../../forward/upstream.ts';
import type { Envelope } from './envelope.ts';
import type { PostOutcome } from './post-message.ts';
import type { OpenOutcome } from './sse-connection.ts';

/**
 * An answer that ends once: nothing is reported after its end, nor after `abort`. A second head, of a refusal that
 * comes when the answer has begun, fails it.
 */
export interface GuardedAnswer extends UpstreamAnswer {
  abort(): void;
}

/** Wraps an answer so that many may try to end it. */
export function guardAnswer(answer: UpstreamAnswer): GuardedAnswer {
  let hasHead = false;
  let isOver = false;
  return {
    onHead(status, headers) {
      if (isOver) return;
      if (hasHead) {
        isOver = true;
        answer.onFailure('UPSTREAM_PROTOCOL', `refused with ${status} after the answer has begun`);
        return;
      }
      hasHead = true;
      answer.onHead(status, headers);
    },
    onData: (piece) => isOver || answer.onData(piece),
    onEnd() {
      if (isOver) return;
      isOver = true;
      answer.onEnd();
    },
    onFailure(code, detail) {
      if (isOver) return;
      isOver = true;
      answer.onFailure(code, detail);
    },
    abort() {
      isOver = true;
    },
  };
}

/** Answers without a body: 202 to a notification or a response, 200 to DELETE. */
export function answerEmpty(answer: UpstreamAnswer, status: 200 | 202): void {
  answer.onHead(status, ['content-length', '0']);
  answer.onEnd();
}

/** Answers with a JSON text of the server. */
export function answerJson(answer: UpstreamAnswer, body: Buffer, more: HeaderFields = []): void {
  answer.onHead(200, ['content-type', 'application/json', ...more]);
  answer.onData(body);
  answer.onEnd();
}

/** Refuses in JSON-RPC, with the id of the request if it is one. */
export function answerError(
  answer: UpstreamAnswer,
  status: number,
  code: number,
  message: string,
  envelope: Envelope | null = null,
): void {
  const id = envelope?.kind === 'request' ? (envelope.id?.value ?? null) : null;
  const body = JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
  answer.onHead(status, ['content-type', 'application/json']);
  answer.onData(Buffer.from(body));
  answer.onEnd();
}

/** 404: the client is to initialize again (MCP 2025-03-26, Session Management). */
export function answerUnknownSession(
  answer: UpstreamAnswer,
  envelope: Envelope | null = null,
): void {
  answerError(answer, 404, -32001, 'Session not found', envelope);
}

/** 503: no connection can be opened, and none is idle. */
export function answerNoRoom(answer: UpstreamAnswer): void {
  answer.onFailure('UPSTREAM_OVERLOADED', 'all connections of the SSE server are in use');
}

/** Hands on what kept a connection from opening. */
export function answerNotReady(
  answer: UpstreamAnswer,
  outcome: Exclude<OpenOutcome, { kind: 'ready' }>,
): void {
  if (outcome.kind === 'session-refused') answerUnknownSession(answer);
  else answerNotTaken(answer, outcome);
}

/** Hands on that the server has not taken a message: its status and words, or the failure. */
export function answerNotTaken(
  answer: UpstreamAnswer,
  outcome: Exclude<PostOutcome, { kind: 'accepted' }>,
): void {
  if (outcome.kind === 'failed') {
    answer.onFailure(outcome.code, outcome.detail);
    return;
  }
  answer.onHead(outcome.status, outcome.headers);
  answer.onData(outcome.body);
  answer.onEnd();
}
