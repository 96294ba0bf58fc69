import type { HeaderFields } from '../accept/request-head.ts';
import type { HeaderModifierPlan } from '../plan.ts';

/**
 * Makes the change of one header modifier (Gateway API, HTTPHeaderFilter): first `set`, then `add`, then
 * `remove`, as Envoy does. `set` leaves exactly one field of the name; `add` appends a field line and
 * keeps those that are there (RFC 9110, 5.3); `remove` takes all of the name away.
 *
 * @param plan names in lower case; names and values were checked when the plan was made
 * @returns a function that changes header fields in place
 */
export function compileHeaderModifier(plan: HeaderModifierPlan): (headers: HeaderFields) => void {
  const removed = new Set(plan.remove);
  return (headers) => {
    for (const { name, value } of plan.set) setField(headers, name, value);
    for (const { name, value } of plan.add) headers.push(name, value);
    if (removed.size > 0) removeFields(headers, (name) => removed.has(name));
  };
}

function setField(headers: HeaderFields, name: string, value: string): void {
  let isSet = false;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== name) continue;
    if (isSet) {
      removeFieldsFrom(headers, index, (other) => other === name);
      return;
    }
    headers[index + 1] = value;
    isSet = true;
  }
  if (!isSet) headers.push(name, value);
}

function removeFields(headers: HeaderFields, isRemoved: (name: string) => boolean): void {
  removeFieldsFrom(headers, 0, isRemoved);
}

/** Moves the fields that stay towards the front, in one pass. */
function removeFieldsFrom(
  headers: HeaderFields,
  start: number,
  isRemoved: (name: string) => boolean,
): void {
  let kept = start;
  for (let index = start; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (isRemoved(name)) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[index + 1] ?? '';
    kept += 2;
  }
  headers.length = kept;
}
