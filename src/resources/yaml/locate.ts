import { isAlias, isMap, isScalar, isSeq, type Alias, type Node } from 'yaml';
import type { FieldPath } from '../problem.ts';

/** The nodes of one document, and what its aliases stand for. */
export interface NodeTree {
  readonly root: Node | null;
  readonly aliases: ReadonlyMap<Alias, Node>;
}

/**
 * Takes a path and gives the offsets of its value and of its field name; where the path leads nowhere,
 * those of its nearest existing ancestor. Offsets count UTF-16 code units from the start of the text.
 */
export function locate(
  tree: NodeTree,
  path: FieldPath,
): { readonly value: number | undefined; readonly key: number | undefined } {
  let node: Node | null = tree.root;
  let value = offsetOf(node);
  let key = value;
  for (const step of path) {
    if (isAlias(node)) node = tree.aliases.get(node) ?? null;
    if (isMap(node)) {
      const pair: { key: unknown; value: unknown } | undefined = node.items.find(
        (item) => isScalar(item.key) && item.key.value === step,
      );
      if (pair === undefined) break;
      key = offsetOf(pair.key);
      value = offsetOf(pair.value) ?? key;
      node = asNode(pair.value);
    } else if (isSeq(node) && typeof step === 'number') {
      const item: unknown = node.items[step];
      if (item === undefined) break;
      value = offsetOf(item) ?? value;
      key = value;
      node = asNode(item);
    } else break;
  }
  return { value, key };
}

function asNode(value: unknown): Node | null {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value) ? value : null;
}

/** Where a node starts, if it was read from a text. */
export function offsetOf(value: unknown): number | undefined {
  return asNode(value)?.range?.[0];
}
