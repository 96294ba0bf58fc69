/** How the targets of a federation share one space of names. */

import type { McpKind } from '../../authorize/mcp-members.ts';

/** A tool, prompt or resource (template) of one target, under the name that the target itself gave it. */
export interface LocatedObject {
  readonly target: string;
  readonly name: string;
}

/** Between target and name; no target of a federation has it in its own name. */
const SEPARATORS: Readonly<Record<McpKind, string>> = { tool: '_', prompt: '_', resource: '+' };

/** What stands in front of an object's own name: ASCII that needs no escape in JSON. */
export function namePrefix(kind: McpKind, target: string): string {
  return target + SEPARATORS[kind];
}

/**
 * Splits a name that a client uses at its first separator: `_` for tools and prompts, `+` for the URIs of resources.
 *
 * @returns `null` where there is none, or nothing in front of it or behind it
 */
export function splitName(kind: McpKind, prefixed: string): LocatedObject | null {
  const at = prefixed.indexOf(SEPARATORS[kind]);
  if (at <= 0 || at === prefixed.length - 1) return null;
  return { target: prefixed.slice(0, at), name: prefixed.slice(at + 1) };
}
