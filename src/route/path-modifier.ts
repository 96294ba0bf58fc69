import type { PathModifierPlan } from '../plan.ts';

/** Characters that can't stand in a path of a request or a Location header (RFC 3986, 3.3). */
const UNSAFE = /[^\x21-\x7e]|[?#]/gu;

/**
 * Prepares the path modifier of a URLRewrite or RequestRedirect (Gateway API, HTTPPathModifier).
 *
 * ReplaceFullPath yields its value. ReplacePrefixMatch puts its value in the place of the matched prefix:
 * whole segments, with one slash between the two parts, and a trailing slash of the value ignored; `/`
 * where nothing is left. A value always yields exactly one leading slash, so that no result can be read
 * as `//host`; characters that a path can't carry are percent-encoded.
 *
 * @returns a function from the request's path and the length of the prefix that its rule matched (0 for
 *   `/`) to the new path
 */
export function compilePathModifier(
  plan: PathModifierPlan,
): (path: string, matchedPrefixLength: number) => string {
  const value = toPath(plan.value);
  if (plan.type === 'ReplaceFullPath') return () => value;
  const prefix = value.replace(/\/+$/, '');
  return (path, matchedPrefixLength) => {
    const replaced = prefix + path.slice(matchedPrefixLength);
    return replaced === '' ? '/' : replaced;
  };
}

function toPath(value: string): string {
  // By way of a buffer, so that no half of a surrogate pair is left.
  const wellFormed = Buffer.from(value).toString();
  const escaped = wellFormed.replace(UNSAFE, (character) => encodeURIComponent(character));
  return `/${escaped.replace(/^\/+/, '')}`;
}
