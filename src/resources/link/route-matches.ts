import type { MatchPlan, ValueMatchPlan } from '../../plan.ts';
import type { RouteMatch } from '../kinds/http-route.ts';
import type { FieldPath } from '../problem.ts';
import type { Resource } from '../resource.ts';
import type { LinkContext } from './context.ts';

interface ValueMatch {
  readonly type?: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}

/**
 * Links the matches of one rule; none means every path. Regular expressions must compile. Of two
 * conditions on one header or query parameter the first counts (Gateway API, HTTPRouteMatch).
 */
export function linkMatches(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  matches: readonly RouteMatch[],
  path: FieldPath,
): readonly MatchPlan[] {
  if (matches.length === 0) return [linkMatch(context, route, {}, path)];
  return matches.map((match, index) => linkMatch(context, route, match, [...path, index]));
}

function linkMatch(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  match: RouteMatch,
  path: FieldPath,
): MatchPlan {
  const { type = 'PathPrefix', value = '/' } = match.path ?? {};
  if (type === 'RegularExpression') checkPattern(context, route, value, [...path, 'path', 'value']);
  const lowerCase = (name: string): string => name.toLowerCase();
  const asIs = (name: string): string => name;
  return {
    path: { type, value },
    method: match.method ?? null,
    headers: linkValues(context, route, match.headers ?? [], [...path, 'headers'], lowerCase),
    queryParams: linkValues(
      context,
      route,
      match.queryParams ?? [],
      [...path, 'queryParams'],
      asIs,
    ),
  };
}

function linkValues(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  values: readonly ValueMatch[],
  path: FieldPath,
  canonical: (name: string) => string,
): readonly ValueMatchPlan[] {
  const linked = new Map<string, ValueMatchPlan>();
  for (const [index, { type = 'Exact', name: written, value }] of values.entries()) {
    const name = canonical(written);
    if (type === 'RegularExpression')
      checkPattern(context, route, value, [...path, index, 'value']);
    if (linked.has(name)) {
      context.report.warning(
        route,
        [...path, index, 'name'],
        `${name} has a condition already; only the first one counts`,
      );
    } else {
      linked.set(name, { type, name, value });
    }
  }
  return [...linked.values()];
}

function checkPattern(
  { report, checks }: LinkContext,
  route: Resource<'HTTPRoute'>,
  pattern: string,
  path: FieldPath,
): void {
  const problem = checks.checkRegularExpression(pattern);
  if (problem === null) return;
  report.error(route, path, `not a regular expression (RE2): ${problem}`, {
    type: 'Accepted',
    reason: 'UnsupportedValue',
  });
}
