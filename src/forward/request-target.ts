import type { RequestHead } from '../accept/request-head.ts';
import type { TokenLocation } from '../authenticate/authenticator.ts';

/**
 * Path and query that go to a target which gets the client's own, as the route may have rewritten it. The
 * query parameter that held the token is left out, every other octet of the query stays.
 *
 * @param path the normalised path, or what URLRewrite made of it
 * @param tokensToRemove where tokens stood that must not go upstream
 */
export function requestTarget(
  path: string,
  query: RequestHead['query'],
  tokensToRemove: readonly TokenLocation[],
): string {
  if (query === null) return path;
  const names = tokensToRemove.filter((location) => location.in === 'query');
  if (names.length === 0) return `${path}?${query}`;
  const kept = query
    .split('&')
    .filter((pair) => !names.some(({ name }) => name === decodedName(pair)));
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`;
}

function decodedName(pair: string): string {
  const end = pair.indexOf('=');
  const name = (end === -1 ? pair : pair.slice(0, end)).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
