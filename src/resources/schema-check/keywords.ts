/** The meaning of our own JSON Schema keywords (kinds/schema.ts), as functions from a value to what is wrong. */

import type { JsonSchema } from '../kinds/schema.ts';
import type { FieldPath } from '../problem.ts';

/** One thing wrong with a value; the path starts at that value. */
export interface KeywordFault {
  readonly path: FieldPath;
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;

const present = (names: readonly string[], value: Fields): readonly string[] =>
  names.filter((name) => Object.hasOwn(value, name));

const count = (names: readonly string[], found: readonly string[]): string => {
  if (found.length === 0) return names.length === 2 ? 'has neither' : 'has none';
  return names.length === 2 ? 'has both' : `has ${found.join(', ')}`;
};

export const ownKeywords = {
  object: ['exactlyOneOf', 'atLeastOneOf', 'atMostOneOf', 'unionBy'],
  array: ['uniqueBy', 'wildcardAlone'],
} as const;

export type OwnKeyword = (typeof ownKeywords)['object' | 'array'][number];

/** What one own keyword of a schema finds wrong with a value; values of another type have no faults. */
export function testKeyword(
  keyword: OwnKeyword,
  schema: JsonSchema,
  value: unknown,
): readonly KeywordFault[] {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (keyword === 'uniqueBy') return uniqueBy(schema.uniqueBy ?? '', items);
    return keyword === 'wildcardAlone' ? wildcardAlone(items) : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const fields: Fields = { ...value };
  switch (keyword) {
    case 'exactlyOneOf':
      return exactlyOneOf(schema.exactlyOneOf ?? [], fields);
    case 'atLeastOneOf':
      return atLeastOneOf(schema.atLeastOneOf ?? [], fields);
    case 'atMostOneOf':
      return atMostOneOf(schema.atMostOneOf ?? [], fields);
    case 'unionBy':
      return schema.unionBy === undefined ? [] : unionBy(schema.unionBy, fields);
    case 'uniqueBy':
    case 'wildcardAlone':
      return [];
  }
}

/** Exactly one of the named fields. */
function exactlyOneOf(names: readonly string[], value: Fields): readonly KeywordFault[] {
  const found = present(names, value);
  if (found.length === 1) return [];
  const message = `needs exactly one of ${names.join(', ')}; ${count(names, found)}`;
  return [{ path: [], message }];
}

/** At least one of the named fields. */
function atLeastOneOf(names: readonly string[], value: Fields): readonly KeywordFault[] {
  const found = present(names, value);
  if (found.length > 0) return [];
  return [{ path: [], message: `needs at least one of ${names.join(', ')}; ${count(names, [])}` }];
}

/** At most one field of each group. */
function atMostOneOf(
  groups: readonly (readonly string[])[],
  value: Fields,
): readonly KeywordFault[] {
  return groups.flatMap((names) => {
    const found = present(names, value);
    if (found.length <= 1) return [];
    const message = `may have only one of ${names.join(', ')}; ${count(names, found)}`;
    return [{ path: [], message }];
  });
}

/** The block that the discriminator names must be there, and no block of another value. */
function unionBy(
  { discriminator, blocks }: NonNullable<JsonSchema['unionBy']>,
  value: Fields,
): readonly KeywordFault[] {
  const chosen = value[discriminator];
  if (typeof chosen !== 'string' || !Object.hasOwn(blocks, chosen)) return [];
  const faults: KeywordFault[] = [];
  for (const [word, block] of Object.entries(blocks)) {
    if (block === null) continue;
    const has = Object.hasOwn(value, block);
    if (word === chosen && !has) {
      faults.push({ path: [block], message: `is required when ${discriminator} is ${chosen}` });
    } else if (word !== chosen && has) {
      const message = `must be absent when ${discriminator} is ${chosen}; it belongs to ${discriminator} ${word}`;
      faults.push({ path: [block], message });
    }
  }
  return faults;
}

/** No two items with the same value in one field; header names are compared without regard to case. */
function uniqueBy(field: string, items: readonly unknown[]): readonly KeywordFault[] {
  const seen = new Set<string>();
  const faults: KeywordFault[] = [];
  items.forEach((item, index) => {
    if (typeof item !== 'object' || item === null || !Object.hasOwn(item, field)) return;
    const value: unknown = Reflect.get(item, field);
    if (typeof value !== 'string') return;
    const key = value.toLowerCase();
    if (seen.has(key)) {
      faults.push({ path: [index, field], message: `must be unique; ${value} is used twice` });
    }
    seen.add(key);
  });
  return faults;
}

/** `*` alone, or words without `*`. */
function wildcardAlone(items: readonly unknown[]): readonly KeywordFault[] {
  if (items.length <= 1 || !items.includes('*')) return [];
  return [{ path: [items.indexOf('*')], message: '"*" must be the only item' }];
}
