import type { McpRequest } from '../message.ts';
import { errorMessage, resultMessage, unavailable } from './answers.ts';
import { openCursor, sealCursor, type ListPosition } from './cursor.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import { failsWhole, type FederationParts } from './federation-parts.ts';
import { listedNames, tellTools } from './learn-names.ts';
import { writeListResult, type ListItem, type MergedList } from './merge-lists.ts';
import { maxPageBytes, maxPageItems, readPages, type TargetPages } from './read-pages.ts';

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
    from === null ? 0 : parts.targets.findIndex(({ targetName }) => targetName === from.target);
  const rest = start < 0 ? [] : parts.targets.slice(start);
  const read = await fanOut(rest, (upstream) =>
    readPages(
      parts,
      sessions,
      call,
      upstream,
      request.method,
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
  tellTools(parts, list.member, read);
  const { names } = parts;
  const isNamed = names === null || list.member === 'tasks';
  if (names !== null && list.member !== 'tasks') {
    const isWhole =
      cursor === undefined && failures.length === 0 && read.every((one) => one.nextCursor === null);
    names.learn(base.owner, list.member, read.map(listedNames), isWhole);
  }
  const { items, next, ttlMs } = fill(
    read,
    (target, item) => isNamed || parts.locate(base.owner, list.kind, item.name)?.target === target,
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
      const isFull = items.length + shown.length > maxPageItems || bytes + more > maxPageBytes;
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
