import type { ClaimToHeaderPlan } from '../plan.ts';
import type { ClaimValue } from './principal.ts';

/** The longest header value made from a claim, in octets; a longer one is left out. */
const maxValueBytes = 8192;

/** Header fields made from claims, name and value in turn. */
export interface ClaimHeaders {
  readonly set: readonly string[];
  readonly append: readonly string[];
}

/** Most policies make none, and each principal has its own. */
const NONE: ClaimHeaders = Object.freeze({ set: Object.freeze([]), append: Object.freeze([]) });

/**
 * Turns verified claims into header fields for the upstream.
 *
 * Strings, numbers and booleans become their text; a list of those becomes its items joined with commas;
 * an object becomes its JSON text. Text beyond ASCII is sent as its UTF-8 octets. No field is made for a
 * claim that is missing, `null` or an empty list, whose text has a control character (RFC 9110, 5.5) or
 * is too long, or for a list with a comma inside an item, which the upstream would take for two items.
 */
export function claimsToHeaders(
  claims: Readonly<Record<string, ClaimValue>>,
  plan: readonly ClaimToHeaderPlan[],
): ClaimHeaders {
  if (plan.length === 0) return NONE;
  const headers = { set: [] as string[], append: [] as string[] };
  for (const { claim, header, append } of plan) {
    const value = findClaim(claims, claim);
    const text = value === undefined ? null : claimText(value);
    const fieldValue = text === null ? null : toFieldValue(text);
    if (fieldValue === null) continue;
    (append ? headers.append : headers.set).push(header.toLowerCase(), fieldValue);
  }
  return headers;
}

/**
 * Finds a claim by name. A name with dots is first taken as it is (`https://example.com/roles`), then as a
 * path into objects.
 */
export function findClaim(
  claims: Readonly<Record<string, ClaimValue>>,
  path: string,
): ClaimValue | undefined {
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (!isClaimObject(inner)) continue;
    const found = findClaim(inner, path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function claimText(value: ClaimValue): string | null {
  if (isClaimList(value)) {
    const items = value.map(scalarText);
    if (items.every((item) => item !== null)) {
      return items.length === 0 || items.some((item) => item.includes(','))
        ? null
        : items.join(',');
    }
    return JSON.stringify(value);
  }
  return isClaimObject(value) ? JSON.stringify(value) : scalarText(value);
}

function scalarText(value: ClaimValue): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function toFieldValue(text: string): string | null {
  if (/[\u0000-\u001f\u007f]/.test(text)) return null;
  const octets = Buffer.from(text, 'utf8');
  return octets.length > maxValueBytes ? null : octets.toString('latin1');
}

function isClaimList(value: ClaimValue): value is readonly ClaimValue[] {
  return Array.isArray(value);
}

function isClaimObject(
  value: ClaimValue | undefined,
): value is Readonly<Record<string, ClaimValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
