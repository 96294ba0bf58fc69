import type { HeaderFields } from '../accept/request-head.ts';
import type { Exchange, HeaderEdit } from '../exchange.ts';
import type { RuleRuntime } from '../runtime.ts';
import { Refusal } from '../errors.ts';
import { ANSWERED, type Verdict } from '../verdict.ts';
import { AnswerStream } from './answer-stream.ts';
import type { ChosenBackend } from './backend-chooser.ts';
import { requestHeaders } from './request-headers.ts';
import { requestTarget } from './request-target.ts';
import { isForwardedAlike, type RememberedRequest } from './remembered-request.ts';
import { WrittenHead, type Upstream, type UpstreamRequest } from './upstream.ts';

export interface ForwardOptions {
  /** Milliseconds that only ever grow. */
  readonly monotonicNow: () => number;
}

/**
 * The last stage: sends the request to the chosen backend and streams the answer back. From
 * here on the exchange belongs to its {@link AnswerStream}, which ends it, also in refusal.
 *
 * @returns ANSWERED, or UPSTREAM_TIMEOUT where the rule's request timeout has passed already
 */
export function createForward(options: ForwardOptions): (exchange: Exchange) => Verdict {
  return (exchange) => {
    const { rule, backend: chosen, upstream } = exchange;
    if (rule === null || chosen === null || upstream === null) {
      return new Refusal('INTERNAL', { detail: 'forward without a backend' });
    }

    const startedAtMs = options.monotonicNow();
    const timeoutMs = timeLeftMs(rule, startedAtMs - exchange.startedAtMonotonicMs);
    if (timeoutMs !== null && timeoutMs <= 0) return new Refusal('UPSTREAM_TIMEOUT');

    exchange.upstreamStartedAtMonotonicMs = startedAtMs;
    const stream = new AnswerStream(exchange, rule, chosen, options.monotonicNow);
    const request = upstreamRequest(exchange, rule, chosen, upstream, timeoutMs !== null);
    stream.start(upstream, request, timeoutMs);
    return ANSWERED;
  };
}

/**
 * The request that an exchange is forwarded with, for what has to be asked of the backend before it is decided on.
 *
 * @returns `null` before a backend was chosen
 */
export function requestFor(exchange: Exchange): UpstreamRequest | null {
  const { rule, backend, upstream } = exchange;
  if (rule === null || backend === null || upstream === null) return null;
  return upstreamRequest(exchange, rule, backend, upstream, false);
}

/** The smaller of what is left of `request` and `backendRequest`; `null` where neither is set. */
function timeLeftMs(rule: RuleRuntime, elapsedMs: number): number | null {
  const { requestTimeoutMs, backendRequestTimeoutMs } = rule;
  const left = requestTimeoutMs === null ? null : requestTimeoutMs - elapsedMs;
  if (left === null) return backendRequestTimeoutMs;
  return backendRequestTimeoutMs === null ? left : Math.min(left, backendRequestTimeoutMs);
}

function upstreamRequest(
  exchange: Exchange,
  rule: RuleRuntime,
  chosen: ChosenBackend,
  upstream: Upstream,
  hasTimeout: boolean,
): UpstreamRequest {
  const known = exchange.findings?.request ?? null;
  const { path, headers, written } =
    known !== null && isForwardedAlike(known, exchange, rule, chosen, upstream)
      ? known
      : makeRequest(exchange, rule, chosen, upstream);
  return {
    method: exchange.head.method,
    path,
    headers,
    written,
    body: exchange.body,
    owner: exchange.owner,
    hasTimeout,
  };
}

function makeRequest(
  exchange: Exchange,
  rule: RuleRuntime,
  chosen: ChosenBackend,
  upstream: Upstream,
): Pick<UpstreamRequest, 'path' | 'headers' | 'written'> {
  const { head, principal, tokensToRemove, keptTokenHeader, session, answerFilter } = exchange;
  const { type, filters } = chosen;
  const rewritten =
    filters.rewrite?.(head, exchange.matchedPrefixLength) ??
    rule.filters.rewrite?.(head, exchange.matchedPrefixLength) ??
    null;
  const ownHost = type === 'MCP' ? upstream.authority : head.authority;
  const isFiltered = answerFilter !== null;
  const headers: HeaderFields = requestHeaders(
    head,
    rewritten?.host ?? ownHost,
    { principal, tokensToRemove, keptTokenHeader, reservedHeaders: rule.reservedHeaders },
    { cookies: type === 'MCP', acceptEncoding: isFiltered },
  );
  if (session !== null) replaceHeader(headers, 'mcp-session-id', session.upstreamId);
  for (const edit of exchange.headerEdits) editHeader(headers, edit);
  rule.filters.modifyRequestHeaders?.(headers);
  filters.modifyRequestHeaders?.(headers);
  const path =
    upstream.path ?? requestTarget(rewritten?.path ?? head.path, head.query, tokensToRemove);
  // What stands for several servers is made for each request, and edits are of one message.
  const isRemembered = exchange.headerEdits.length === 0 && upstream === chosen.upstream;
  if (exchange.findings === null || !isRemembered) return { path, headers };
  Object.freeze(headers);
  const made: RememberedRequest = {
    rule,
    chosen,
    upstream,
    principal,
    tokensToRemove,
    keptTokenHeader,
    sessionId: session === null ? null : session.upstreamId,
    remoteAddress: head.remoteAddress,
    isFiltered,
    path,
    headers,
    written: new WrittenHead(),
  };
  exchange.findings.request = made;
  return made;
}

function replaceHeader(headers: HeaderFields, name: string, value: string): void {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) headers[index + 1] = value;
  }
}

function editHeader(headers: HeaderFields, { name, value }: HeaderEdit): void {
  if (value !== null) {
    replaceHeader(headers, name, value);
    return;
  }
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index] === name) headers.splice(index, 2);
  }
}
