import {
  NOT_JSON,
  OPEN_BRACE,
  OPEN_BRACKET,
  readArray,
  readObject,
  skipSpace,
  skipValue,
} from './json-octets.ts';

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
  const entries = Object.entries(tree.members);
  return readObject(text, start, depth, {
    names: entries.map(([name]) => name),
    member: (index, at) => {
      const subtree = entries[index]?.[1];
      return subtree === undefined ? NOT_JSON : walk(text, at, depth + 1, subtree, found);
    },
  });
}
