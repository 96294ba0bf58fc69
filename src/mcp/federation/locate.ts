import type { McpKind } from '../../authorize/mcp-members.ts';
import type { SealOwner } from '../seal-binding.ts';
import { splitName, type LocatedObject } from './names.ts';

/**
 * Says whose object a name means: the one function for calls, for lists and for the rules that decide on both.
 *
 * @returns `null` where no target has it
 */
export type LocateFor = (owner: SealOwner, kind: McpKind, name: string) => LocatedObject | null;

/** Makes it for names that begin with their target's name. */
export function locateByPrefix(targets: readonly string[]): LocateFor {
  const known = new Set(targets);
  return (_owner, kind, name) => {
    const located = splitName(kind, name);
    return located !== null && known.has(located.target) ? located : null;
  };
}
