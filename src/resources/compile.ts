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
import { attachPolicies, type Attachments, type McpAttachment } from './policy/attach.ts';
import { checkAuthorization, normaliseAuthorization } from './policy/authorization.ts';
import { normaliseAgentgatewayPolicy } from './policy/normalise-agentgateway-policy.ts';
import { extensionProviders, normaliseTrafficPolicy } from './policy/normalise-traffic-policy.ts';
import type { NormalisedPolicy } from './policy/normalised-policy.ts';
import { rateLimitsOf, rulePolicies, type RateLimitPlans } from './policy/rule-policies.ts';
import { createPool } from './pool.ts';
import { groupByPort } from './ports.ts';
import type { Problem } from './problem.ts';
import { createReport } from './report.ts';
import type { AnyResource, ResourceSet } from './resource.ts';
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

  const listeners = linkGateways(context);
  const tls = linkTlsPolicies(context);
  const backends = linkBackends(context, tls);
  const routes = linkRoutes(context, listeners, backends);
  const policies = normalisePolicies(context, backends);
  const attachments = attachPolicies(context, policies, routes);
  const inlineMcp = inlineMcpAuthorizations(context);

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

/** `policies.mcp.authorization` inside Agentgateway backends; it adds to what policies say. */
function inlineMcpAuthorizations(context: LinkContext): ReadonlyMap<AnyResource, McpAttachment> {
  const { resources } = context;
  const inline = new Map<AnyResource, McpAttachment>();
  for (const backend of [
    ...resources.ofKind('AgentgatewayBackend'),
    ...resources.ofKind('EnterpriseAgentgatewayBackend'),
  ]) {
    const path = ['spec', 'policies', 'mcp', 'authorization'];
    const spec = backend.spec.policies?.mcp?.authorization;
    const section = normaliseAuthorization(backend, spec, path);
    if (section === null) continue;
    checkAuthorization(context, backend, section, 'mcp');
    if (backend.spec.mcp === undefined) {
      context.report.error(backend, path, 'has no effect on a backend without an mcp block');
    }
    inline.set(backend, { section, target: null });
  }
  return inline;
}

/** Also reports backends that can't be served as they are written. */
function buildPlan(
  { report, checks }: LinkContext,
  generation: number,
  listeners: readonly LinkedListener[],
  routes: readonly LinkedRoute[],
  attachments: Attachments,
  inlineMcp: ReadonlyMap<AnyResource, McpAttachment>,
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
        const policies = rulePolicies(attachments, listener, resource, rule);
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
    const inline = inlineMcp.get(backend.resource);
    const attached = attachments.onBackend(backend.resource);
    const plan: BackendPlan = {
      name: backend.name,
      kind: backend.resource.kind,
      type: backend.type,
      targets: backend.targets,
      mcpAuthorizations: (inline === undefined ? attached : [inline, ...attached]).map(
        ({ section, target }) => ({ authorization: authorizations.indexOf(section.plan), target }),
      ),
      ...rateLimitIndexes(rateLimitsOf(attachments.on(backend.resource, null))),
    };
    for (const problem of checks.checkBackend(plan))
      report.error(backend.resource, ['spec'], problem);
    return plan;
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
