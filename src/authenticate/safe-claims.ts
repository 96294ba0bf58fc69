import { isJsonObject } from './json-object.ts';
import type { ClaimValue } from './principal.ts';

/**
 * Member names that expression engines and JavaScript itself may take for something else than data. A
 * claim `constructor` makes a CEL rule on the same object fail to evaluate.
 */
const droppedNames: ReadonlySet<string> = new Set(['constructor', '__proto__', 'prototype']);

/**
 * Copies a verified payload without members of those names, at any depth, and freezes all of it, because
 * many requests share it.
 *
 * @param payload as {@link readJsonObject} returned it, so its nesting is bounded
 */
export function safeClaims(
  payload: Readonly<Record<string, unknown>>,
): Readonly<Record<string, ClaimValue>> {
  const claims: Record<string, ClaimValue> = {};
  for (const [name, value] of Object.entries(payload)) {
    if (!droppedNames.has(name)) claims[name] = safeValue(value);
  }
  return Object.freeze(claims);
}

function safeValue(value: unknown): ClaimValue {
  if (Array.isArray(value)) return Object.freeze(value.map(safeValue));
  if (isJsonObject(value)) return safeClaims(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  return null;
}
