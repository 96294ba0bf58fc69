/** Makes verified claims safe to hand to the CEL library. */

import type { Claims, ClaimValue } from '../authenticate/principal.ts';

/**
 * Bounds of what rules may look at. The library remembers the type of every nesting of lists and maps
 * that it sees, and a rule's loops multiply the members of a list.
 */
export const maxClaimDepth = 12;
export const maxClaimMembers = 1024;

/**
 * The claims as rules see them: members named `constructor` or `__proto__` are left out at any depth.
 * The first makes the library fail on the whole object; an object with the second equals any other
 * object with one member.
 *
 * @returns the same object where nothing had to go; `null` where they are nested deeper than
 *   {@link maxClaimDepth} or a list or map has more than {@link maxClaimMembers} members
 */
export function visibleClaims(claims: Claims): Claims | null {
  const cleaned = measure(claims, 1);
  if (cleaned === 'clean') return claims;
  return cleaned === 'tainted' ? copyObject(claims) : null;
}

function isTainted(name: string): boolean {
  return name === 'constructor' || name === '__proto__';
}

function measure(value: ClaimValue, depth: number): 'clean' | 'tainted' | 'excessive' {
  if (typeof value !== 'object' || value === null) return 'clean';
  if (depth > maxClaimDepth) return 'excessive';
  const members = isList(value) ? value : Object.values(value);
  if (members.length > maxClaimMembers) return 'excessive';
  let result: 'clean' | 'tainted' =
    !isList(value) && Object.keys(value).some(isTainted) ? 'tainted' : 'clean';
  for (const member of members) {
    const inner = measure(member, depth + 1);
    if (inner === 'excessive') return inner;
    if (inner === 'tainted') result = inner;
  }
  return result;
}

function copy(value: ClaimValue): ClaimValue {
  if (typeof value !== 'object' || value === null) return value;
  return isList(value) ? value.map(copy) : copyObject(value);
}

function copyObject(claims: Claims): Claims {
  const result: Record<string, ClaimValue> = {};
  for (const [name, value] of Object.entries(claims)) {
    if (!isTainted(name)) result[name] = copy(value);
  }
  return result;
}

function isList(value: ClaimValue): value is readonly ClaimValue[] {
  return Array.isArray(value);
}
