import type { Upstream } from '../../forward/upstream.ts';
import { randomUUID } from 'node:crypto';
import type { McpRequest } from '../message.ts';
import type { Bytes } from '../../units.ts';
import { CLIENT_CAPABILITIES, isModernVersion } from '../protocol-version.ts';
import { isJsonObject } from '../../json/read-json.ts';
import { errorMessage, resultMessage, unavailable } from './answers.ts';
import { askTarget } from './ask-target.ts';
import { openCursor, sealCursor, type ListPosition } from './cursor.ts';
import { fanOut } from './fan-out.ts';
import { isFailed, type FederatedCall, type TargetSessions } from './federated-call.ts';
import { failsWhole, type FederationParts } from './federation-parts.ts';
import {
  readListPage,
  writeListResult,
  type ListItem,
  type ListPage,
  type MergedList,
} from './merge-lists.ts';
import { modernMeta } from './open-target.ts';
import type { TargetSession } from './session-text.ts';

/** One page that a client gets holds no more than this; the rest follows under a cursor. */
const MAX_PAGE_ITEMS = 2500;
const MAX_PAGE_BYTES: Bytes = 4 * 1024 * 1024;
/** Pages of one target for one request of a client. */
const MAX_TARGET_PAGES = 100;
const METHOD_NOT_FOUND = -32601;

/** What one target has from a position on. */
interface TargetPages {
  readonly target: string;
  readonly pages: readonly { readonly cursor: string | null; readonly page: ListPage }[];
  /** Of the page behind the last one that was read; `null`: that was all. */
  readonly nextCursor: string | null;
  readonly failure: string | null;
}

/**
 * Answers a list request with what all targets have, in their order, over all of their pages; more than fits one
 * answer follows under one cursor.
 */
export async function routeList(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  request: McpRequest,
  list: MergedList,
): Promise<void> {
  const { base, answer } = call;
  const binding = { owner: base.owner, backend: parts.backend };
  const { cursor } = request.params;
  let from: ListPosition | null = null;
  if (cursor !== undefined) {
    from =
      typeof cursor === 'string' ? openCursor(parts.sealer, binding, request.method, cursor) : null;
    if (from === null) {
      answer.respond(
        200,
        errorMessage(request.id, -32602, 'Invalid params: the cursor is not valid'),
      );
      return;
    }
  }
  const start =
    from === null ? 0 : parts.targets.findIndex(({ targetName }) => targetName === from?.target);
  const rest = start < 0 ? [] : parts.targets.slice(start);
  const read = await fanOut(rest, (upstream) =>
    readPages(
      parts,
      sessions,
      call,
      upstream,
      request,
      list,
      from?.target === upstream.targetName ? from.cursor : null,
    ),
  );
  if (call.scope.isOver) return;
  const failures = read.flatMap(({ target, failure }) =>
    failure === null ? [] : [{ target, reason: failure }],
  );
  if (failsWhole(parts, call, failures, rest.length)) {
    answer.respond(200, errorMessage(request.id, unavailable.code, unavailable.message));
    return;
  }
  const { items, next, ttlMs } = fill(
    read,
    (target, item) =>
      parts.isPrefixed ||
      list.member === 'tasks' ||
      parts.locate(base.owner, list.kind, item.name)?.target === target,
  );
  let extra = '';
  if (next !== null) {
    const sealed = sealCursor(parts.sealer, binding, request.method, next);
    if (sealed === null) {
      call.note(`${next.target} has a cursor that is too long`);
      answer.respond(200, errorMessage(request.id, unavailable.code, unavailable.message));
      return;
    }
    extra += `,"nextCursor":"${sealed}"`;
  }
  if (request.era === 'modern') {
    extra += `,"resultType":"complete","ttlMs":${ttlMs ?? 0},"cacheScope":"private"`;
  }
  answer.respond(200, resultMessage(request.id, writeListResult(list.member, items, extra)));
}

/** Takes pages as long as they fit; the first one always does. */
function fill(
  read: readonly TargetPages[],
  isShown: (target: string, item: ListItem) => boolean,
): { readonly items: Buffer[]; readonly next: ListPosition | null; readonly ttlMs: number | null } {
  const items: Buffer[] = [];
  let bytes = 0;
  let ttlMs: number | null = null;
  for (const { target, pages, nextCursor } of read) {
    for (const { cursor, page } of pages) {
      const shown = page.items.filter((item) => isShown(target, item));
      const more = shown.reduce((sum, { text }) => sum + text.length + 1, 0);
      const isFull = items.length + shown.length > MAX_PAGE_ITEMS || bytes + more > MAX_PAGE_BYTES;
      if (items.length > 0 && isFull) return { items, next: { target, cursor }, ttlMs };
      bytes += more;
      for (const { text } of shown) items.push(text);
      const pageTtlMs = page.ttlMs ?? 0;
      ttlMs = ttlMs === null ? pageTtlMs : Math.min(ttlMs, pageTtlMs);
    }
    if (nextCursor !== null) return { items, next: { target, cursor: nextCursor }, ttlMs };
  }
  return { items, next: null, ttlMs };
}

async function readPages(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  upstream: Upstream,
  request: McpRequest,
  list: MergedList,
  from: string | null,
): Promise<TargetPages> {
  const target = upstream.targetName;
  const pages: { cursor: string | null; page: ListPage }[] = [];
  const failed = (failure: string): TargetPages => ({
    target,
    pages: [],
    nextCursor: null,
    failure,
  });
  let session = await sessions.get(call, upstream);
  if (isFailed(session)) return failed(session.reason);
  let wasRenewed = false;
  let cursor = from;
  let items = 0;
  let bytes = 0;
  const deadline = performance.now() + parts.timeoutMs;
  while (session.offers.includes(list.offer)) {
    if (pages.length >= MAX_TARGET_PAGES || items >= MAX_PAGE_ITEMS || bytes >= MAX_PAGE_BYTES) {
      return { target, pages, nextCursor: cursor, failure: null };
    }
    const leftMs = Math.max(1, deadline - performance.now());
    const asked = await askPage(call, upstream, session, request, cursor, leftMs);
    if (asked.kind === 'expired' && !wasRenewed) {
      wasRenewed = true;
      const renewedSession = await sessions.renew(call, upstream, session);
      if (isFailed(renewedSession)) return failed(renewedSession.reason);
      session = renewedSession;
      continue;
    }
    if (asked.kind === 'none') break;
    if (asked.kind !== 'result')
      return failed(asked.kind === 'failure' ? asked.reason : 'its session expired twice');
    const page = readListPage(asked.result, list, target, parts.isPrefixed);
    if (page === null) return failed('its list can not be read');
    pages.push({ cursor, page });
    items += page.items.length;
    bytes += asked.result.length;
    if (page.nextCursor === null || page.nextCursor === cursor) break;
    cursor = page.nextCursor;
  }
  return { target, pages, nextCursor: null, failure: null };
}

type AskedPage =
  | { readonly kind: 'result'; readonly result: Buffer }
  | { readonly kind: 'none' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'failure'; readonly reason: string };

async function askPage(
  call: FederatedCall,
  upstream: Upstream,
  session: TargetSession,
  request: McpRequest,
  cursor: string | null,
  timeoutMs: number,
): Promise<AskedPage> {
  const id = `postern-${randomUUID()}`;
  const isModern = isModernVersion(session.version);
  const members = [
    ...(cursor === null ? [] : [`"cursor":${JSON.stringify(cursor)}`]),
    ...(isModern ? [`"_meta":${modernMeta(session.version, clientOf(call, request))}`] : []),
  ];
  const text = `{"jsonrpc":"2.0","id":"${id}","method":"${request.method}","params":{${members.join()}}}`;
  const answer = await askTarget(
    call.scope,
    upstream,
    call.base,
    {
      method: 'POST',
      body: Buffer.from(text),
      sessionId: session.id,
      version: session.version,
      mcpMethod: request.method,
      mcpName: null,
    },
    id,
    timeoutMs,
  );
  if (answer.kind === 'failure') return answer;
  const { status, response } = answer;
  if (response.kind === 'result') return { kind: 'result', result: response.result };
  if (session.id !== null && (status === 404 || (status === 400 && speaksOfSession(response)))) {
    return { kind: 'expired' };
  }
  if (response.kind === 'error') {
    if (response.code === METHOD_NOT_FOUND) return { kind: 'none' };
    return { kind: 'failure', reason: `JSON-RPC error ${response.code}` };
  }
  return { kind: 'failure', reason: `HTTP status ${status}` };
}

function speaksOfSession(response: { readonly kind: string; readonly message?: string }): boolean {
  return response.kind === 'error' && /\bsession\b|not initialized/i.test(response.message ?? '');
}

/** A modern client says in each request what it can. */
function clientOf(call: FederatedCall, { params }: McpRequest): FederatedCall['client'] {
  const { _meta: meta } = params;
  const capabilities = isJsonObject(meta) ? meta[CLIENT_CAPABILITIES] : undefined;
  return isJsonObject(capabilities) ? { ...call.client, capabilities } : call.client;
}
