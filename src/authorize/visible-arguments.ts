/**
 * The arguments of an MCP request as rules see them. A client chooses them freely, so what a rule could
 * be made slow by, or what the gate could read otherwise than the upstream, can't be read: an access to
 * it is an error of the rule, and what stands beside it is as it was.
 */

import { foldCase } from '../json/fold-case.ts';
import type { JsonObject } from '../json/read-json.ts';

/** Most members of one list or map: loops of rules may be nested two deep. */
export const maxMembers = 256;
/** Deepest nesting; the CEL library remembers the type of each nesting that it has seen. */
export const maxArgumentDepth = 8;
/** Most values altogether. */
export const maxValues = 4096;
/** Longest text, in UTF-16 code units; patterns are matched in time linear in it. */
export const maxTextLength = 65_536;

const unreadable: unique symbol = Symbol('unreadable');

/**
 * Not readable are lists and maps with more than {@link maxMembers} members or nested deeper than
 * {@link maxArgumentDepth}, texts longer than {@link maxTextLength}, whatever comes after
 * {@link maxValues} values, maps with two members that differ in nothing but case, and numbers that a double does not hold exactly as other parsers may
 * (RFC 8259, section 6): beyond 2^53 and infinite.
 *
 * @param values parsed JSON; it must not change while rules look at it
 * @returns the same object where everything is readable. An object with a member named `constructor` or
 *   `__proto__` becomes a `Map`, because the CEL library takes an object's kind from the former.
 * @throws RangeError where the object as a whole is not readable
 */
export function visibleArguments(values: JsonObject): JsonObject | ReadonlyMap<string, unknown> {
  const visible = showMap(values, 1, { left: maxValues });
  if (visible === unreadable) throw tooLarge();
  return visible;
}

interface Budget {
  left: number;
}

function show(value: unknown, depth: number, budget: Budget): unknown {
  budget.left -= 1;
  if (budget.left < 0) return unreadable;
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'string') return value.length > maxTextLength ? unreadable : value;
  if (typeof value === 'number') {
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? unreadable : value;
  }
  if (typeof value !== 'object' || depth > maxArgumentDepth) return unreadable;
  if (Array.isArray(value)) return showList(value, depth, budget);
  return showMap(value as JsonObject, depth, budget);
}

function showList(list: readonly unknown[], depth: number, budget: Budget): unknown {
  if (list.length > maxMembers) return unreadable;
  const members = list.map((member) => show(member, depth + 1, budget));
  if (members.every((member, index) => member === list[index])) return list;
  for (const [index, member] of members.entries()) {
    if (member === unreadable) defineUnreadable(members, String(index));
  }
  return members;
}

function showMap(
  map: JsonObject,
  depth: number,
  budget: Budget,
): JsonObject | ReadonlyMap<string, unknown> | typeof unreadable {
  const names = Object.keys(map);
  if (names.length > maxMembers || differInCaseAlone(names)) return unreadable;
  const members = new Map<string, unknown>();
  let same = true;
  let readable = true;
  for (const name of names) {
    const member = show(map[name], depth + 1, budget);
    members.set(name, member);
    same &&= member === map[name];
    readable &&= member !== unreadable;
  }
  if (members.has('constructor') || members.has('__proto__')) {
    return readable ? members : unreadable;
  }
  if (same) return map;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of members) {
    if (member === unreadable) defineUnreadable(copy, name);
    else copy[name] = member;
  }
  return copy;
}

/** Servers that find members without regard to case would take the one, a rule the other. */
function differInCaseAlone(names: readonly string[]): boolean {
  return names.length > 1 && new Set(names.map(foldCase)).size < names.length;
}

function defineUnreadable(holder: object, name: string): void {
  Object.defineProperty(holder, name, {
    enumerable: true,
    get: () => {
      throw tooLarge();
    },
  });
}

function tooLarge(): RangeError {
  return new RangeError('the arguments are too large for rules to look at');
}
