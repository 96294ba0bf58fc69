import type { McpKind } from '../../authorize/mcp-members.ts';
import type { Milliseconds } from '../../units.ts';
import { bindingFields, type SealOwner } from '../seal-binding.ts';
import type { BoundedMap } from './bounded-map.ts';
import type { LocateFor } from './locate.ts';
import { matchesTemplate } from './match-template.ts';

/** The lists that tell what names of a kind there are. */
export type ListMember = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** What one list says: the target of each name. */
interface KnownList {
  readonly targets: Map<string, string>;
  atMs: number;
}

/** By list. */
export type KnownNames = Map<ListMember, KnownList>;

export interface ListedNames {
  readonly target: string;
  readonly names: readonly string[];
}

/** Who has what, where names carry no target: what the lists said that an owner was shown. */
export interface NameIndex {
  readonly locate: LocateFor;
  /**
   * Takes what the targets list, in their order: of two that have a name the first one wins.
   *
   * @param isWhole whether nothing is missing, so that names that are not there are gone
   */
  learn(owner: SealOwner, list: ListMember, listed: readonly ListedNames[], isWhole: boolean): void;
  /** The lists that have to be asked before it is known who has a name; none where that is known, or was just asked. */
  missing(owner: SealOwner, kind: McpKind, name: string): readonly ListMember[];
}

const LISTS: Readonly<Record<McpKind, readonly ListMember[]>> = {
  tool: ['tools'],
  prompt: ['prompts'],
  resource: ['resources', 'resourceTemplates'],
};
const MAX_NAMES = 10_000;
/** A URI that is not listed is compared with each. */
const MAX_TEMPLATES = 500;
/** How often, for one owner, a name that nobody has makes the gate ask all targets again. */
const MIN_AGE_MS: Milliseconds = 10_000;

/** @param known by backend and owner */
export function createNameIndex(
  backend: string,
  known: BoundedMap<KnownNames>,
  monotonicNow: () => number,
): NameIndex {
  const keyOf = (owner: SealOwner): string => JSON.stringify(bindingFields({ owner, backend }));

  const locate: LocateFor = (owner, kind, name) => {
    const lists = known.get(keyOf(owner));
    if (lists === undefined) return null;
    for (const list of LISTS[kind]) {
      const target = lists.get(list)?.targets.get(name);
      if (target !== undefined) return { target, name };
    }
    if (kind !== 'resource') return null;
    for (const [template, target] of lists.get('resourceTemplates')?.targets ?? []) {
      if (matchesTemplate(template, name)) return { target, name };
    }
    return null;
  };

  return {
    locate,
    learn(owner, list, listed, isWhole) {
      const key = keyOf(owner);
      const lists: KnownNames = known.get(key) ?? new Map<ListMember, KnownList>();
      const targets = isWhole
        ? new Map<string, string>()
        : (lists.get(list)?.targets ?? new Map<string, string>());
      const most = list === 'resourceTemplates' ? MAX_TEMPLATES : MAX_NAMES;
      for (const { target, names } of listed) {
        for (const name of names) {
          if (targets.size < most && !targets.has(name)) targets.set(name, target);
        }
      }
      lists.set(list, { targets, atMs: monotonicNow() });
      known.set(key, lists);
    },
    missing(owner, kind, name) {
      if (locate(owner, kind, name) !== null) return [];
      const lists = known.get(keyOf(owner));
      return LISTS[kind].filter((list) => {
        const asked = lists?.get(list);
        return asked === undefined || monotonicNow() - asked.atMs >= MIN_AGE_MS;
      });
    },
  };
}
