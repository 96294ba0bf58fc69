import type {
  AuthenticationPlan,
  AuthorizationPlan,
  GlobalRateLimitPlan,
  LocalRateLimitPlan,
} from '../../plan.ts';
import type { LinkedListener } from '../link/gateways.ts';
import type { AnyResource } from '../resource.ts';
import type { LinkedRule } from '../link/routes.ts';
import type { Attachments } from './attach.ts';
import type { InlineMcpPolicies } from './inline-mcp-policies.ts';
import type { NormalisedPolicy } from './normalised-policy.ts';

export interface RulePolicies {
  /** In the order in which they run. */
  readonly authentications: readonly AuthenticationPlan[];
  /** The most specific first. */
  readonly authorizations: readonly AuthorizationPlan[];
  readonly rateLimits: RateLimitPlans;
}

/** The rate limits of one place; `null` where none applies. */
export interface RateLimitPlans {
  readonly local: LocalRateLimitPlan | null;
  readonly global: GlobalRateLimitPlan | null;
}

/**
 * Which policies apply to one rule of a route on one listener. Precedence: ExtensionRef of the rule > rule
 * by name > HTTPRoute > listener > Gateway. For authentication and for each kind of rate limit the most specific policy wins whole, also one
 * that turns it off; authorization of all levels counts together.
 *
 * What the rule's backends say of tokens is asked besides, and first: whoever owns a backend can close it
 * further and never open it, and a client without a token gets its challenge. A backend is chosen only after
 * authentication, so all backends of the rule have their say in every request.
 */
export function rulePolicies(
  attachments: Attachments,
  inlineMcp: InlineMcpPolicies,
  listener: LinkedListener,
  route: AnyResource,
  rule: Pick<LinkedRule, 'name' | 'index' | 'backendRefs'>,
): RulePolicies {
  const levels = [
    attachments.onRule(route, rule.index),
    rule.name === null ? [] : attachments.on(route, rule.name),
    attachments.on(route, null),
    attachments.on(listener.gateway, listener.name),
    attachments.on(listener.gateway, null),
  ];
  const policies = levels.flat();
  const winner = policies.find(({ authentication }) => authentication !== null);
  const authorizations = policies.flatMap(({ httpAuthorization }) =>
    httpAuthorization === null ? [] : [httpAuthorization.plan],
  );
  const ofBackends = rule.backendRefs.flatMap(({ resolved: { backend } }) => {
    if (backend === null) return [];
    const { resource } = backend;
    const section =
      inlineMcp.authentications.get(resource) ?? attachments.authenticationOn(resource);
    return section?.plans ?? [];
  });
  return {
    authentications: [...new Set(ofBackends), ...(winner?.authentication?.plans ?? [])],
    authorizations: [...new Set(authorizations)],
    rateLimits: rateLimitsOf(policies),
  };
}

/** @param policies the most specific first */
export function rateLimitsOf(policies: readonly NormalisedPolicy[]): RateLimitPlans {
  const local = policies.find(({ localRateLimit }) => localRateLimit !== null);
  const global = policies.find(({ globalRateLimit }) => globalRateLimit !== null);
  return {
    local: local?.localRateLimit?.plan ?? null,
    global: global?.globalRateLimit?.plan ?? null,
  };
}
