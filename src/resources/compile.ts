import type {
  AuthenticationPlan,
  AuthorizationPlan,
  BackendPlan,
  GlobalRateLimitPlan,
  LocalRateLimitPlan,
  Plan,
  RateLimitIndexes,
  RulePlan,
} from '../plan.ts';
import { systemClock, type Clock } from '../units.ts';
import type { ResourceStatus } from './conditions.ts';
import { linkBackends, type Backends, type LinkedBackend } from './link/backends.ts';
import type { LinkContext, PlanChecks } from './link/context.ts';
import { linkGateways, type LinkedListener } from './link/gateways.ts';
import { linkRoutes, type LinkedBackendRef, type LinkedRoute } from './link/routes.ts';
import { linkTlsPolicies } from './link/tls.ts';
import { attachPolicies, type Attachments } from './policy/attach.ts';
import { checkAudience } from './policy/check-audience.ts';
import { inlineMcpPolicies, type InlineMcpPolicies } from './policy/inline-mcp-policies.ts';
import { normaliseAgentgatewayPolicy } from './policy/normalise-agentgateway-policy.ts';
import { extensionProviders, normaliseTrafficPolicy } from './policy/normalise-traffic-policy.ts';
import { checkOnDeny } from './policy/on-deny.ts';
import type { NormalisedPolicy } from './policy/normalised-policy.ts';
import { rateLimitsOf, rulePolicies, type RateLimitPlans } from './policy/rule-policies.ts';
import { createPool } from './pool.ts';
import { groupByPort } from './ports.ts';
import type { Problem } from './problem.ts';
import { createReport } from './report.ts';
import type { ResourceSet } from './resource.ts';
import { describeStatuses } from './statuses.ts';

export type { PlanChecks } from './link/context.ts';

export interface CompileOptions {
  /** Counts the plans of this process, from 1. */
  readonly generation: number;
  readonly checks: PlanChecks;
  /** Whether loading found errors: a resource may then be missing, and there is no plan. Default false. */
  readonly loadFailed?: boolean;
  /** Certificates are checked against it. Default: the wall clock. */
  readonly clock?: Clock;
}

export interface Compiled {
  /** `null` where there is any error: nothing half-applies. */
  readonly plan: Plan | null;
  /** By resource in load order, then by line. */
  readonly problems: readonly Problem[];
  /** One for each resource, in load order. */
  readonly statuses: readonly ResourceStatus[];
}

/**
 * Compiles resources, each right in itself, to the plan: follows every reference, normalises and attaches
 * the policies, and reports everything that leads nowhere or does not fit, not only the first. Pure but for
 * the clock; never throws for any resources that were loaded.
 */
export function compilePlan(resources: ResourceSet, options: CompileOptions): Compiled {
  const report = createReport(resources.all);
  const context: LinkContext = {
    resources,
    report,
    checks: options.checks,
    nowMs: (options.clock ?? systemClock)(),
  };

  for (const resource of resources.all) checkOnDeny(report, resource);
  const listeners = linkGateways(context);
  const tls = linkTlsPolicies(context);
  const backends = linkBackends(context, tls);
  const routes = linkRoutes(context, listeners, backends);
  const policies = normalisePolicies(context, backends);
  const attachments = attachPolicies(context, policies, routes);
  const inlineMcp = inlineMcpPolicies(context, backends);

  const built = buildPlan(context, options.generation, listeners, routes, attachments, inlineMcp);
  const usable = !report.hasErrors() && options.loadFailed !== true;
  return {
    plan: usable ? built : null,
    problems: report.problems(),
    statuses: describeStatuses({ context, routes, attachments, tls, usable }),
  };
}

function normalisePolicies(context: LinkContext, backends: Backends): readonly NormalisedPolicy[] {
  const { resources } = context;
  for (const extension of resources.ofKind('GatewayExtension')) {
    extensionProviders(context, backends, extension);
  }
  return [
    ...[
      ...resources.ofKind('GlooTrafficPolicy'),
      ...resources.ofKind('EnterpriseKgatewayTrafficPolicy'),
      ...resources.ofKind('TrafficPolicy'),
    ].map((policy) => normaliseTrafficPolicy(context, backends, policy)),
    ...[
      ...resources.ofKind('AgentgatewayPolicy'),
      ...resources.ofKind('EnterpriseAgentgatewayPolicy'),
    ].map((policy) => normaliseAgentgatewayPolicy(context, backends, policy)),
  ];
}

function buildPlan(
  { report }: LinkContext,
  generation: number,
  listeners: readonly LinkedListener[],
  routes: readonly LinkedRoute[],
  attachments: Attachments,
  inlineMcp: InlineMcpPolicies,
): Plan {
  const authentications = createPool<AuthenticationPlan>();
  const authorizations = createPool<AuthorizationPlan>();
  const localRateLimits = createPool<LocalRateLimitPlan>();
  const globalRateLimits = createPool<GlobalRateLimitPlan>();
  const backends = createPool<LinkedBackend>();
  const rateLimitIndexes = ({ local, global }: RateLimitPlans): RateLimitIndexes => ({
    localRateLimit: local === null ? null : localRateLimits.indexOf(local),
    globalRateLimit: global === null ? null : globalRateLimits.indexOf(global),
  });

  const rulesOn = (listener: LinkedListener): readonly RulePlan[] =>
    routes.flatMap(({ resource, rules, attachments: parents }) => {
      const parent = parents.find((attachment) => attachment.listener === listener);
      if (parent === undefined) return [];
      return rules.map((rule): RulePlan => {
        const policies = rulePolicies(attachments, inlineMcp, listener, resource, rule);
        checkAudience(report, resource, parent.hostnames, policies.authentications);
        return {
          route: `${resource.namespace}/${resource.name}`,
          name: rule.name,
          index: rule.index,
          createdAt: resource.createdAt,
          hostnames: parent.hostnames,
          matches: rule.matches,
          filters: rule.filters,
          cors: rule.cors,
          timeouts: rule.timeouts,
          backends: rule.backendRefs.map(({ resolved, weight, filters }: LinkedBackendRef) => ({
            backend: resolved.backend === null ? null : backends.indexOf(resolved.backend),
            invalid: resolved.invalid,
            weight,
            filters,
          })),
          authentications: policies.authentications.map((plan) => authentications.indexOf(plan)),
          authorizations: policies.authorizations.map((plan) => authorizations.indexOf(plan)),
          ...rateLimitIndexes(policies.rateLimits),
        };
      });
    });

  const ports = groupByPort(listeners, rulesOn);
  const backendPlans = backends.items().map((backend): BackendPlan => {
    const inline = inlineMcp.authorizations.get(backend.resource);
    const attached = attachments.onBackend(backend.resource);
    return {
      name: backend.name,
      kind: backend.resource.kind,
      type: backend.type,
      targets: backend.targets,
      federation: backend.federation,
      mcpAuthorizations: (inline === undefined ? attached : [inline, ...attached]).map(
        ({ section, target }) => ({ authorization: authorizations.indexOf(section.plan), target }),
      ),
      ...rateLimitIndexes(rateLimitsOf(attachments.on(backend.resource, null))),
    };
  });
  return {
    generation,
    ports,
    authentications: authentications.items(),
    authorizations: authorizations.items(),
    localRateLimits: localRateLimits.items(),
    globalRateLimits: globalRateLimits.items(),
    backends: backendPlans,
  };
}
