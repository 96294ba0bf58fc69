import { randomUUID } from 'node:crypto';
import type { Upstream } from '../../forward/upstream.ts';
import type { Bytes } from '../../units.ts';
import { isModernVersion } from '../protocol-version.ts';
import { askTarget } from './ask-target.ts';
import { isFailed, type FederatedCall, type TargetSessions } from './federated-call.ts';
import { isExpired } from './expired-session.ts';
import type { FederationParts } from './federation-parts.ts';
import { readListPage, type ListPage, type MergedList } from './merge-lists.ts';
import { modernMeta } from './open-target.ts';
import type { TargetSession } from './session-text.ts';

/** One answer to a client holds no more than this. */
export const maxPageItems = 2500;
export const maxPageBytes: Bytes = 4 * 1024 * 1024;
/** Pages of one target for one request of a client. */
const MAX_TARGET_PAGES = 100;
const METHOD_NOT_FOUND = -32601;

/** What one target has from a position on. */
export interface TargetPages {
  readonly target: string;
  readonly pages: readonly { readonly cursor: string | null; readonly page: ListPage }[];
  /** Of the page behind the last one that was read; `null`: that was all. */
  readonly nextCursor: string | null;
  readonly failure: string | null;
}

/**
 * Reads what one target lists, page by page, until that is all or enough for one answer. Asks nothing of a target that
 * does not offer such lists, and once more where it has forgotten the session.
 *
 * @param from the target's own cursor to begin at; `null`: at its first page
 */
export async function readPages(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  upstream: Upstream,
  method: string,
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
    if (pages.length >= MAX_TARGET_PAGES || items >= maxPageItems || bytes >= maxPageBytes) {
      return { target, pages, nextCursor: cursor, failure: null };
    }
    const leftMs = Math.max(1, deadline - performance.now());
    const asked = await askPage(call, upstream, session, method, cursor, leftMs);
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
  method: string,
  cursor: string | null,
  timeoutMs: number,
): Promise<AskedPage> {
  const id = `postern-${randomUUID()}`;
  const isModern = isModernVersion(session.version);
  const members = [
    ...(cursor === null ? [] : [`"cursor":${JSON.stringify(cursor)}`]),
    ...(isModern ? [`"_meta":${modernMeta(session.version, call.client)}`] : []),
  ];
  const text = `{"jsonrpc":"2.0","id":"${id}","method":"${method}","params":{${members.join()}}}`;
  const answer = await askTarget(
    call.scope,
    upstream,
    call.base,
    {
      method: 'POST',
      body: Buffer.from(text),
      sessionId: session.id,
      version: session.version,
      mcpMethod: method,
      mcpName: null,
    },
    id,
    timeoutMs,
  );
  if (answer.kind === 'failure') return answer;
  const { status, response } = answer;
  if (response.kind === 'result') return { kind: 'result', result: response.result };
  if (isExpired(session, answer)) return { kind: 'expired' };
  if (response.kind === 'error') {
    if (response.code === METHOD_NOT_FOUND) return { kind: 'none' };
    return { kind: 'failure', reason: `JSON-RPC error ${response.code}` };
  }
  return { kind: 'failure', reason: `HTTP status ${status}` };
}
