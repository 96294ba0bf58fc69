/** Which fields of a document Postern does not know, does not act on yet, or refuses to go without. */

import type { Finding } from './kinds/finding.ts';
import type { JsonSchema } from './kinds/schema.ts';
import type { FieldPath } from './problem.ts';
import { nearest } from './nearest.ts';

export interface FieldFinding extends Finding {
  readonly kind: 'unknown' | 'ignored' | 'refused';
}

/**
 * Walks a value beside its schema. Values of a wrong type are passed over: validation reports them.
 *
 * @param path where the value stands in its document; it is the start of each finding's path
 */
export function findUnknownFields(
  value: unknown,
  schema: JsonSchema,
  path: FieldPath,
): readonly FieldFinding[] {
  const findings: FieldFinding[] = [];
  walk(value, schema, path, findings);
  return findings;
}

function walk(value: unknown, schema: JsonSchema, path: FieldPath, out: FieldFinding[]): void {
  if (schema.support === 'ignored') {
    const message = 'is not implemented in this version and has no effect';
    out.push({ kind: 'ignored', path, message });
    return;
  }
  if (schema.support === 'refused') {
    if (isHarmless(value, schema.harmless)) return;
    const message = `is not supported by this version: ${schema.why ?? 'it would not run'}`;
    out.push({ kind: 'refused', path, message });
    return;
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    value.forEach((item, index) => walk(item, items, [...path, index], out));
  } else if (typeof value === 'object' && value !== null && schema.type === 'object') {
    for (const [name, item] of Object.entries(value)) {
      const known = schema.properties ?? {};
      const field = Object.hasOwn(known, name) ? known[name] : schema.additionalProperties;
      if (field !== undefined) walk(item, field, [...path, name], out);
      else if (schema.open !== true) {
        const message = unknownField(name, Object.keys(known));
        out.push({ kind: 'unknown', path: [...path, name], message });
      }
    }
  }
}

/** The sentence about a field that is not one of `known`. */
export function unknownField(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== null) return `is not a known field; did you mean ${near}?`;
  if (known.length === 0) return 'is not a known field; none is expected here';
  if (known.length > 16) return 'is not a known field';
  return `is not a known field; known here: ${known.join(', ')}`;
}

function isHarmless(value: unknown, harmless: string | undefined): boolean {
  if (harmless === undefined || typeof value !== 'object' || value === null) return false;
  const names = Object.keys(value);
  return names.length === 1 && names[0] === harmless;
}
