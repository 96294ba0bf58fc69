/** Sentences for what JSON Schema finds: what a value must be, and what it is. */

import type { JsonSchema } from '../kinds/schema.ts';

const maxShownLength = 60;

/** What an ajv error says, as far as it is needed here. */
export interface SchemaError {
  readonly keyword: string;
  readonly schema: JsonSchema;
  readonly data: unknown;
}

/**
 * One sentence about an error at a value.
 *
 * @param hidden whether the value must not be shown: it is sensitive, or came from the environment
 */
export function schemaMessage({ keyword, schema, data }: SchemaError, hidden: boolean): string {
  const is = hidden ? '' : `; is ${show(data)}`;
  switch (keyword) {
    case 'type':
    case 'minimum':
    case 'maximum':
    case 'enum':
    case 'pattern':
      return `must be ${expected(schema)}${is}`;
    case 'x-kubernetes-int-or-string':
      return `must be a whole number or a string${is}`;
    case 'minLength':
    case 'maxLength':
      return stringLength(schema, data, is);
    case 'minItems':
      return `must have at least ${items(schema.minItems ?? 1)}; has ${String(sizeOf(data))}`;
    case 'maxItems':
      return `must have at most ${items(schema.maxItems ?? 0)}; has ${String(sizeOf(data))}`;
    case 'minProperties':
      return `must have at least ${fields(schema.minProperties ?? 1)}; has ${String(sizeOf(data))}`;
    case 'maxProperties':
      return `must have at most ${fields(schema.maxProperties ?? 0)}; has ${String(sizeOf(data))}`;
    default:
      return `does not satisfy ${keyword}`;
  }
}

function expected(schema: JsonSchema): string {
  if (schema.enum !== undefined) {
    const words = schema.enum.join(', ');
    return schema.enum.length === 1 ? words : `one of ${words}`;
  }
  if (schema.says !== undefined) return schema.says;
  switch (schema.type) {
    case 'integer':
      return `a whole number from ${String(schema.minimum)} to ${String(schema.maximum)}`;
    case 'array':
      return 'a list';
    case 'object':
      return 'a mapping';
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a string';
    case undefined:
    default:
      return 'another value';
  }
}

function stringLength(schema: JsonSchema, data: unknown, is: string): string {
  if (schema.says !== undefined) return `must be ${schema.says}${is}`;
  if (data === '') return 'must not be empty';
  const { minLength = 0, maxLength = 0 } = schema;
  const length = typeof data === 'string' ? Array.from(data).length : 0;
  return length < minLength
    ? `must have at least ${String(minLength)} characters; has ${String(length)}`
    : `must have at most ${String(maxLength)} characters; has ${String(length)}`;
}

const items = (count: number): string => (count === 1 ? '1 item' : `${String(count)} items`);
const fields = (count: number): string => (count === 1 ? '1 entry' : `${String(count)} entries`);

function sizeOf(data: unknown): number {
  if (Array.isArray(data)) return data.length;
  return typeof data === 'object' && data !== null ? Object.keys(data).length : 0;
}

/** Shows a value in a sentence: words as they are, other strings in quotes and cut. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return showString(value);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return String(value);
  return 'a mapping';
}

function showString(value: string): string {
  if (/^[A-Za-z][A-Za-z0-9_-]{0,59}$/.test(value)) return value;
  if (value.length <= maxShownLength) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, maxShownLength))}...`;
}
