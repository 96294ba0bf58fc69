import { cutItems } from './cut-items.ts';
import type { IsVisible } from './list-kind.ts';
import type { McpEra } from './message.ts';
import type { MessageScan } from './scan-message.ts';
import { splice, type Edit } from './splice.ts';

const PRIVATE = '"private"';

/**
 * Takes the items that the caller may not see out of every list in a message's result. Octets are only cut
 * out: items that stay, their order, `nextCursor`, members nobody knows and the spelling of numbers are as
 * they were. An item that is not called by a string is taken out.
 *
 * In the modern era a list that a gate filters differs from caller to caller, so its `cacheScope` becomes
 * `"private"` whatever it was, also where nothing was taken out (MCP 2026-07-28, Caching). It is put in where
 * it is missing: the schema's comment and clients that follow it read that as `"public"`.
 *
 * @returns the new message, or `null` if nothing changes
 */
export function filterListResult(
  scan: MessageScan,
  era: McpEra,
  isVisible: IsVisible,
): Buffer | null {
  const edits: Edit[] = [];
  let hasList = false;
  for (const list of scan.lists) {
    if (list.shape !== 'array') continue;
    hasList = true;
    const { kind, names, starts, ends } = list;
    const hidden = names.map((name) => name === null || !isVisible(kind, name));
    cutItems(hidden, starts, ends, edits);
  }
  if (hasList && era === 'modern') makePrivate(scan, edits);
  return edits.length === 0 ? null : splice(scan.text, edits);
}

function makePrivate(scan: MessageScan, edits: Edit[]): void {
  const { cacheScope, text, resultInside } = scan;
  if (cacheScope === null) {
    edits.push({ start: resultInside, end: resultInside, text: `"cacheScope":${PRIVATE},` });
  } else if (text.toString('latin1', cacheScope.start, cacheScope.end) !== PRIVATE) {
    const { start, end } = cacheScope;
    edits.push({ start, end, text: PRIVATE });
  }
}
