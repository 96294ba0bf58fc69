import type { CorsPlan, FilterPlan, MatchPlan, RulePlan } from '../../plan.ts';
import { parseDuration } from '../duration.ts';
import type { RouteBackendReference, RouteRule } from '../kinds/http-route.ts';
import type { FieldPath } from '../problem.ts';
import type { Resource } from '../resource.ts';
import type { Backends, ResolvedBackend } from './backends.ts';
import type { LinkContext } from './context.ts';
import type { LinkedListener } from './gateways.ts';
import { linkFilters, type LinkedExtension } from './route-filters.ts';
import { linkMatches } from './route-matches.ts';
import { attachToListeners, type RouteAttachment } from './route-parents.ts';

export interface LinkedBackendRef {
  readonly resolved: ResolvedBackend;
  readonly weight: number;
  readonly filters: readonly FilterPlan[];
}

/** One rule, checked: all of a `RulePlan` but the listener's and the policies' part. */
export interface LinkedRule {
  readonly name: string | null;
  readonly index: number;
  readonly matches: readonly MatchPlan[];
  readonly filters: readonly FilterPlan[];
  readonly cors: CorsPlan | null;
  readonly extensions: readonly LinkedExtension[];
  readonly timeouts: RulePlan['timeouts'];
  readonly backendRefs: readonly LinkedBackendRef[];
}

export interface LinkedRoute {
  readonly resource: Resource<'HTTPRoute'>;
  readonly rules: readonly LinkedRule[];
  readonly attachments: readonly RouteAttachment[];
}

/** Links all HTTPRoutes: parents, matches, filters, timeouts and backends of each rule. */
export function linkRoutes(
  context: LinkContext,
  listeners: readonly LinkedListener[],
  backends: Backends,
): readonly LinkedRoute[] {
  return context.resources.ofKind('HTTPRoute').map((resource) => ({
    resource,
    rules: (resource.spec.rules ?? [{}]).map((rule, index) =>
      linkRule(context, resource, rule, index, backends),
    ),
    attachments: attachToListeners(context, resource, listeners),
  }));
}

function linkRule(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  rule: RouteRule,
  index: number,
  backends: Backends,
): LinkedRule {
  const path = ['spec', 'rules', index];
  const { backendRefs = [] } = rule;
  const matches = linkMatches(context, route, rule.matches ?? [], [...path, 'matches']);
  const { redirects, ...filters } = linkFilters(
    context,
    route,
    rule.filters ?? [],
    'rule',
    matches,
    [...path, 'filters'],
  );
  if (redirects && backendRefs.length > 0) {
    context.report.error(
      route,
      [...path, 'backendRefs'],
      "a rule with RequestRedirect can't have backendRefs: nothing is forwarded",
      { type: 'Accepted', reason: 'IncompatibleFilters' },
    );
  }
  if (!redirects && backendRefs.every(({ weight = 1 }) => weight === 0)) {
    context.report.warning(
      route,
      path,
      'the rule has neither a backendRef with weight nor a RequestRedirect: every request is answered with 500',
    );
  }
  return {
    name: rule.name ?? null,
    index,
    matches,
    ...filters,
    timeouts: linkTimeouts(context, route, rule, [...path, 'timeouts']),
    backendRefs: backendRefs.map((ref, refIndex) =>
      linkBackendRef(context, route, ref, matches, backends, [...path, 'backendRefs', refIndex]),
    ),
  };
}

function linkBackendRef(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  ref: RouteBackendReference,
  matches: readonly MatchPlan[],
  backends: Backends,
  path: FieldPath,
): LinkedBackendRef {
  const filterPath = [...path, 'filters'];
  return {
    resolved: backends.resolve(route, ref, path),
    weight: ref.weight ?? 1,
    filters: linkFilters(context, route, ref.filters ?? [], 'backendRef', matches, filterPath)
      .filters,
  };
}

function linkTimeouts(
  { report }: LinkContext,
  route: Resource<'HTTPRoute'>,
  { timeouts = {} }: RouteRule,
  path: FieldPath,
): RulePlan['timeouts'] {
  const read = (text: string | undefined): number | null => {
    const ms = text === undefined ? null : parseDuration(text);
    return ms === 0 ? null : ms;
  };
  const requestMs = read(timeouts.request);
  const backendRequestMs = read(timeouts.backendRequest);
  if (requestMs !== null && backendRequestMs !== null && backendRequestMs > requestMs) {
    report.error(
      route,
      [...path, 'backendRequest'],
      `must not be longer than timeouts.request, which is ${timeouts.request ?? ''}`,
      { type: 'Accepted', reason: 'UnsupportedValue' },
    );
  }
  return { requestMs, backendRequestMs };
}
