/** Requests to one target: what the client's request and the federation need of it, over Streamable HTTP. */

import type { HeaderFields } from '../../accept/request-head.ts';
import type {
  Upstream,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamRequest,
} from '../../forward/upstream.ts';
import type { RefusalCode } from '../../errors.ts';
import type { Milliseconds } from '../../units.ts';
import { encodeNameHeader } from '../name-header.ts';
import { isModernVersion } from '../protocol-version.ts';
import type { CallScope } from './call-scope.ts';

/** What differs from target to target. */
export interface TargetRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly body: Buffer | null;
  readonly sessionId: string | null;
  /** `null` before the target has agreed on one. */
  readonly version: string | null;
  /** What the body says, for the headers that mirror it in the modern era. */
  readonly mcpMethod: string | null;
  readonly mcpName: string | null;
  readonly lastEventId?: string | null;
}

/** Fields that are the target's own; the others are as the route made them. */
const REPLACED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-type',
  'digest',
  'host',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'repr-digest',
]);

/**
 * Sends one request to a target; it ends with the scope.
 *
 * @param base the client's request as the route made it: its header fields go to every target. A Host of its own
 *   (URLRewrite) is kept
 * @param timeoutMs bounds the wait for the head of the answer; `null`: whoever asked bounds it
 */
export function sendToTarget(
  scope: CallScope,
  upstream: Upstream,
  base: UpstreamRequest,
  request: TargetRequest,
  answer: UpstreamAnswer,
  timeoutMs: Milliseconds | null,
): void {
  const watched = new WatchedAnswer(answer, scope);
  if (timeoutMs !== null) watched.boundHead(timeoutMs);
  watched.begin(
    upstream.request(
      {
        method: request.method,
        path: upstream.path ?? base.path,
        headers: targetHeaders(upstream, base.headers, request),
        body: request.body,
        owner: base.owner,
        hasTimeout: timeoutMs !== null || base.hasTimeout,
      },
      watched,
    ),
  );
}

/** Takes a call out of its scope when it is over, and ends it where its head does not come in time. */
class WatchedAnswer implements UpstreamAnswer {
  readonly #answer: UpstreamAnswer;
  readonly #scope: CallScope;
  #call: UpstreamCall | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(answer: UpstreamAnswer, scope: CallScope) {
    this.#answer = answer;
    this.#scope = scope;
  }

  begin(call: UpstreamCall): void {
    if (this.#isOver) return;
    this.#call = call;
    this.#scope.add(call);
    this.#scope.onOver(this.#stopTimer);
  }

  boundHead(timeoutMs: Milliseconds): void {
    this.#timer = setTimeout(() => {
      this.#call?.abort();
      this.onFailure('UPSTREAM_TIMEOUT', `no answer within ${timeoutMs} ms`);
    }, timeoutMs);
  }

  onHead(status: number, headers: HeaderFields): void {
    this.#stopTimer();
    if (!this.#isOver) this.#answer.onHead(status, headers);
  }

  onData(piece: Uint8Array): boolean {
    return this.#isOver || this.#answer.onData(piece);
  }

  onEnd(): void {
    if (this.#finish()) this.#answer.onEnd();
  }

  onFailure(code: RefusalCode, detail: string): void {
    if (this.#finish()) this.#answer.onFailure(code, detail);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stopTimer();
    if (this.#call !== null) this.#scope.delete(this.#call);
    this.#scope.forget(this.#stopTimer);
    return true;
  }

  readonly #stopTimer = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  };
}

function targetHeaders(
  upstream: Upstream,
  base: HeaderFields,
  request: TargetRequest,
): HeaderFields {
  const { method, body, sessionId, version, mcpMethod, mcpName, lastEventId } = request;
  const fields: HeaderFields = ['host', ''];
  for (let index = 0; index < base.length; index += 2) {
    const name = base[index] ?? '';
    const value = base[index + 1] ?? '';
    if (name === 'host' && value !== '') fields[1] = value;
    // `Mcp-Param-*` repeats arguments of the client's own request.
    if (REPLACED.has(name) || (mcpName === null && name.startsWith('mcp-param-'))) continue;
    fields.push(name, value);
  }
  if (fields[1] === '') fields[1] = upstream.authority;
  fields.push(
    'accept',
    method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
  );
  if (body !== null) fields.push('content-type', 'application/json');
  if (sessionId !== null) fields.push('mcp-session-id', sessionId);
  if (version !== null) fields.push('mcp-protocol-version', version);
  if (version !== null && isModernVersion(version) && mcpMethod !== null) {
    fields.push('mcp-method', mcpMethod);
    if (mcpName !== null) fields.push('mcp-name', encodeNameHeader(mcpName));
  }
  if (lastEventId != null) fields.push('last-event-id', lastEventId);
  return fields;
}
