/**
 * The part of the runtime that OAuth clients discover: which rule is which protected resource, and under which
 * paths its metadata is found.
 */

import { normalisePath } from './accept/request-path.ts';
import type { AuthorizationServer } from './discover/authorization-server.ts';
import { createProtectedResource, type ProtectedResource } from './discover/protected-resource.ts';
import { createProtectedRoutes, type ProtectedRoutes } from './discover/protected-routes.ts';
import type { AuthorizationServerPlan, MatchPlan, Plan, RulePlan } from './plan.ts';
import { createRouteTable, type RouteTableEntry } from './route/route-table.ts';

/** The authorization servers whose metadata is mirrored: one for each authentication that names a resource. */
export function authorizationServerPlans(plan: Plan): readonly AuthorizationServerPlan[] {
  return plan.authentications.flatMap(({ protectedResource }) =>
    protectedResource === undefined ? [] : [protectedResource.authorizationServer],
  );
}

/**
 * The protected resource that a rule is: what the first of its authentications says that says something.
 *
 * @param servers in the order of {@link authorizationServerPlans}
 */
export function ruleResource(
  plan: Plan,
  rule: RulePlan,
  servers: readonly AuthorizationServer[],
): ProtectedResource | null {
  for (const index of rule.authentications) {
    const { protectedResource } = plan.authentications[index] ?? {};
    if (protectedResource === undefined) continue;
    const before = plan.authentications.slice(0, index);
    const authorizationServer = servers[before.filter((one) => one.protectedResource).length];
    if (authorizationServer === undefined) throw new Error('an authorization server is missing');
    const requiredScopes = rule.authentications.flatMap(
      (one) => plan.authentications[one]?.requiredScopes ?? [],
    );
    return createProtectedResource(protectedResource, {
      firstPath: firstPathOf(rule),
      requiredScopes: [...new Set(requiredScopes)],
      authorizationServer,
    });
  }
  return null;
}

/** The search among the rules of one listener; `null` where none is a protected resource. */
export function protectedRoutesOf(entries: readonly RouteTableEntry[]): ProtectedRoutes | null {
  const isProtected = entries.filter(({ rule }) => rule.protectedResource !== null);
  if (isProtected.length === 0) return null;
  const under = (matchesOf: (plan: RulePlan) => readonly MatchPlan[]): readonly RouteTableEntry[] =>
    isProtected.map(({ plan, rule }) => ({ plan: { ...plan, matches: matchesOf(plan) }, rule }));
  return createProtectedRoutes({
    byPath: createRouteTable(under((plan) => endpoints(plan).map(anyRequest))),
    byHost: createRouteTable(
      under((plan) =>
        firstPathOf(plan) === null ? [] : [anyRequest({ type: 'PathPrefix', value: '/' })],
      ),
    ),
  });
}

/** The paths of a rule but for those under `/.well-known/`, which guides lead to the backend as well. */
function endpoints({ matches }: RulePlan): readonly MatchPlan['path'][] {
  return matches.map(({ path }) => path).filter(({ value }) => !value.startsWith('/.well-known/'));
}

function firstPathOf(rule: RulePlan): string | null {
  const first = endpoints(rule).find(({ type }) => type !== 'RegularExpression');
  if (first === undefined) return null;
  const normalised = normalisePath(first.value);
  return normalised.ok ? normalised.path : null;
}

function anyRequest(path: MatchPlan['path']): MatchPlan {
  return { path, method: null, headers: [], queryParams: [] };
}
