import type { McpKind } from '../../authorize/mcp-members.ts';
import type { SealOwner } from '../seal-binding.ts';
import { splitName, type LocatedObject } from './names.ts';

export interface Locator {
  locate(owner: SealOwner, kind: McpKind, name: string): LocatedObject | null;
}

/**
 * Makes the one function that says whose object a name means: for calls, for lists and for the rules that decide on
 * both.
 *
 * @param targets in their order
 * @param isPrefixed whether names begin with their target's name
 */
export function createLocator(targets: readonly string[], isPrefixed: boolean): Locator {
  const known = new Set(targets);
  if (isPrefixed) {
    return {
      locate(_owner, kind, name) {
        const located = splitName(kind, name);
        return located !== null && known.has(located.target) ? located : null;
      },
    };
  }
  const [first] = targets;
  return {
    locate: (_owner, _kind, name) => (first === undefined ? null : { target: first, name }),
  };
}
