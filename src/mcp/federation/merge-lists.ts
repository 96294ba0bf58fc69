/** One page of one target's list: the items as they stand, under the names that clients use. */

import { isUtf8 } from 'node:buffer';
import { findValues, type ValueTree } from '../find-values.ts';
import { stringAt } from '../json-octets.ts';
import { splice, type Edit } from '../splice.ts';
import { itemTrees } from './message-trees.ts';
import { namePrefix } from './names.ts';
import type { McpKind } from '../../authorize/mcp-members.ts';

/** The lists that are merged, by the method that asks for one. */
export interface MergedList {
  /** The member of the result that holds the items. */
  readonly member: 'tools' | 'prompts' | 'resources' | 'resourceTemplates' | 'tasks';
  readonly kind: McpKind;
  /** The letter of what a target must offer to be asked. */
  readonly offer: string;
}

export const mergedLists: ReadonlyMap<string, MergedList> = new Map<string, MergedList>([
  ['tools/list', { member: 'tools', kind: 'tool', offer: 't' }],
  ['prompts/list', { member: 'prompts', kind: 'prompt', offer: 'p' }],
  ['resources/list', { member: 'resources', kind: 'resource', offer: 'r' }],
  ['resources/templates/list', { member: 'resourceTemplates', kind: 'resource', offer: 'r' }],
  ['tasks/list', { member: 'tasks', kind: 'resource', offer: 'k' }],
]);

export interface ListItem {
  /** The target's own name for it. */
  readonly name: string;
  /** As it goes to the client. */
  readonly text: Buffer;
}

export interface ListPage {
  readonly items: readonly ListItem[];
  readonly nextCursor: string | null;
  /** How long the page may be kept (MCP 2026-07-28, caching); `null` where it does not say. */
  readonly ttlMs: number | null;
}

const listTrees = new Map<string, ValueTree>();

function treeOf(member: string): ValueTree {
  const known = listTrees.get(member);
  if (known !== undefined) return known;
  const made: ValueTree = {
    members: {
      [member]: { items: { label: 'item' } },
      nextCursor: { label: 'cursor' },
      ttlMs: { label: 'ttl' },
    },
  };
  listTrees.set(member, made);
  return made;
}

/**
 * Reads the result of a list request.
 *
 * Items without a name that is a string are left out: nobody could call them. Numbers and members nobody knows stay
 * as they are.
 *
 * @param isPrefixed whether names get the target's name in front of them; tasks always do
 * @returns `null` where it is not JSON, or a member that is read occurs twice
 */
export function readListPage(
  result: Buffer,
  list: MergedList,
  target: string,
  isPrefixed: boolean,
): ListPage | null {
  const found = isUtf8(result) ? findValues(result, treeOf(list.member)) : -1;
  if (typeof found === 'number') return null;
  const items: ListItem[] = [];
  let nextCursor: string | null = null;
  let ttlMs: number | null = null;
  for (const { label, start, end } of found) {
    if (label === 'cursor') {
      nextCursor = stringAt(result, start, end);
    } else if (label === 'ttl') {
      const value = Number(result.toString('latin1', start, end));
      if (Number.isFinite(value) && value >= 0) ttlMs = value;
    } else {
      const item = readItem(result.subarray(start, end), list, target, isPrefixed);
      if (item === 'twice') return null;
      if (item !== null) items.push(item);
    }
  }
  return { items, nextCursor, ttlMs };
}

function readItem(
  text: Buffer,
  { member, kind }: MergedList,
  target: string,
  isPrefixed: boolean,
): ListItem | 'twice' | null {
  const found = findValues(text, itemTrees[member] ?? { members: {} });
  if (typeof found === 'number') return 'twice';
  let name: string | null = null;
  const edits: Edit[] = [];
  for (const { label, start, end } of found) {
    const value = stringAt(text, start, end);
    if (value === null) continue;
    if (label === 'name') name = value;
    if (!isPrefixed && member !== 'tasks') continue;
    const prefix = namePrefix(label === 'name' ? kind : 'resource', target);
    edits.push({ start: start + 1, end: start + 1, text: prefix });
  }
  if (name === null) return null;
  return { name, text: edits.length === 0 ? Buffer.from(text) : splice(text, edits) };
}

/** The JSON text of a result that holds these items; `extra` are members in JSON, each with a comma in front. */
export function writeListResult(member: string, items: readonly Buffer[], extra: string): Buffer {
  const parts: Buffer[] = [Buffer.from(`{"${member}":[`)];
  const comma = Buffer.from(',');
  for (const [index, item] of items.entries()) {
    if (index > 0) parts.push(comma);
    parts.push(item);
  }
  parts.push(Buffer.from(`]${extra}}`));
  return Buffer.concat(parts);
}
