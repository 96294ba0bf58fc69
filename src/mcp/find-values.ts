import {
  NOT_JSON,
  OPEN_BRACE,
  OPEN_BRACKET,
  readArray,
  readObject,
  skipSpace,
  skipValue,
  type MemberReader,
} from './json-octets.ts';
import { MemberNames } from './member-names.ts';

/** What to find: a value under a label, or what stands in the members of an object or the items of an array. */
export type ValueTree =
  | { readonly label: string }
  | { readonly members: Readonly<Record<string, ValueTree>> }
  | { readonly items: ValueTree };

export interface FoundValue {
  readonly label: string;
  /** Octets of the text. */
  readonly start: number;
  readonly end: number;
}

/**
 * Finds values in a JSON text (RFC 8259) without building it. Members are found under every spelling of their
 * names; where something of another type stands than the tree says, nothing is found there.
 *
 * @param text UTF-8
 * @returns what was found, in the order it stands, or the failure of {@link readObject}: the text is not JSON, or
 *   a member that was looked for occurs twice
 */
export function findValues(text: Buffer, tree: ValueTree): readonly FoundValue[] | number {
  const found: FoundValue[] = [];
  const end = walk(text, skipSpace(text, 0), 0, tree, found);
  if (end < 0) return end;
  return skipSpace(text, end) === text.length ? found : NOT_JSON;
}

/** Trees are constants: what was made of one serves for all texts. */
const knownNames = new WeakMap<object, MemberNames>();

function namesOf(members: Readonly<Record<string, ValueTree>>): MemberNames {
  let names = knownNames.get(members);
  if (names === undefined) {
    names = new MemberNames(Object.keys(members));
    knownNames.set(members, names);
  }
  return names;
}

function walk(
  text: Buffer,
  start: number,
  depth: number,
  tree: ValueTree,
  found: FoundValue[],
): number {
  if ('label' in tree) {
    const end = skipValue(text, start, depth);
    if (end > 0) found.push({ label: tree.label, start, end });
    return end;
  }
  if ('items' in tree) {
    if (text[start] !== OPEN_BRACKET) return skipValue(text, start, depth);
    return readArray(text, start, depth, (_text, at, itemDepth) =>
      walk(text, at, itemDepth, tree.items, found),
    );
  }
  if (text[start] !== OPEN_BRACE) return skipValue(text, start, depth);
  const { members } = tree;
  const names = namesOf(members);
  const reader: MemberReader<null> = {
    names,
    member: (_reading, index, at) => {
      const subtree = members[names.texts[index] ?? ''];
      return subtree === undefined ? NOT_JSON : walk(text, at, depth + 1, subtree, found);
    },
  };
  return readObject(text, start, depth, reader, null);
}
