import { isAlias, isMap, isScalar, isSeq, type Alias, type Node } from 'yaml';
import type { FieldPath } from '../problem.ts';
import type { YamlLimits } from './documents.ts';
import { offsetOf } from './locate.ts';

export interface PlainData {
  readonly value: unknown;
  /** What each alias stands for. */
  readonly aliases: ReadonlyMap<Alias, Node>;
  readonly faults: readonly PlainDataFault[];
}

export interface PlainDataFault {
  readonly path: FieldPath;
  readonly offset: number | undefined;
  readonly message: string;
}

type Mapping = Record<string, unknown>;

/**
 * Takes the nodes of a document and gives plain JSON data. Refused, each with its place: a field given
 * twice, a field name that is not a string, an alias inside itself or without anchor, more aliases or
 * values (aliases expanded) than the limits allow, and values that JSON does not have.
 */
export function toPlainData(root: Node | null, limits: YamlLimits): PlainData {
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  const open = new Set<unknown>();
  const faults: PlainDataFault[] = [];
  let values = 0;
  let aliasUses = 0;
  let aliasDepth = 0;

  const fault = (path: FieldPath, node: unknown, message: string): null => {
    faults.push({ path, offset: offsetOf(node), message });
    return null;
  };

  const fromAlias = (alias: Alias, path: FieldPath): unknown => {
    const target = aliases.get(alias) ?? anchors.get(alias.source);
    if (target === undefined) return fault(path, alias, 'must refer to an anchor set before it');
    if (open.has(target)) return fault(path, alias, 'must not refer to a value that it is part of');
    aliasUses += 1;
    if (aliasUses > limits.maxAliases) {
      if (aliasUses > limits.maxAliases + 1) return null;
      return fault(path, alias, `is one alias too many; at most ${limits.maxAliases} are read`);
    }
    aliases.set(alias, target);
    aliasDepth += 1;
    const value = convert(target, path);
    aliasDepth -= 1;
    return value;
  };

  const fromMap = (
    items: readonly { key: unknown; value: unknown }[],
    path: FieldPath,
  ): Mapping => {
    const mapping: Mapping = {};
    for (const { key, value } of items) {
      const name = fieldName(key);
      if (name === null) {
        fault(path, key, 'has a field name that is not a string; put it in quotes');
        continue;
      }
      const here = [...path, name];
      if (name === '__proto__') fault(here, key, 'is not a field name that can be used');
      else if (Object.hasOwn(mapping, name)) fault(here, key, 'is given twice; remove one');
      else mapping[name] = convert(value, here);
    }
    return mapping;
  };

  const fromCollection = (node: Node, path: FieldPath): unknown => {
    if (path.length > limits.maxDepth) return fault(path, node, 'is nested too deeply');
    open.add(node);
    let value: unknown;
    if (isMap(node)) value = fromMap(node.items, path);
    else if (isSeq(node)) value = node.items.map((item, index) => convert(item, [...path, index]));
    open.delete(node);
    return value;
  };

  const convert = (node: unknown, path: FieldPath): unknown => {
    values += 1;
    if (values > limits.maxValues) {
      if (values > limits.maxValues + 1) return null;
      return fault(path, node, `holds too many values; at most ${limits.maxValues} are read`);
    }
    if (isAlias(node)) return fromAlias(node, path);
    if (isMap(node) || isSeq(node) || isScalar(node)) {
      if (node.anchor !== undefined && aliasDepth === 0) anchors.set(node.anchor, node);
    }
    if (isMap(node) || isSeq(node)) return fromCollection(node, path);
    const value = isScalar(node) ? node.value : null;
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return fault(path, node, 'is not a value that JSON has; put it in quotes');
  };

  return { value: convert(root, []), aliases, faults };
}

/** The name that a key gives to a field, or `null` where the key is not a string. */
function fieldName(key: unknown): string | null {
  return isScalar(key) && typeof key.value === 'string' ? key.value : null;
}
