/**
 * Turns a plan into the runtime that the stages read. Pure composition: which live object stands where.
 */

import type { Authenticator } from './authenticate/authenticator.ts';
import { createAuthorizer } from './authorize/authorize.ts';
import type { Authorizer } from './authorize/authorizer.ts';
import { createMcpAuthorizer } from './authorize/mcp-authorizer.ts';
import { buildRateLimits, type LiveRateLimits } from './build-rate-limits.ts';
import { createBackendChooser, type WeightedBackend } from './forward/backend-chooser.ts';
import type { OnDeny } from './mcp/denial-answer.ts';
import { createMcpBackend, type McpBackend } from './mcp/mcp-backend.ts';
import type { Sealer } from './mcp/seal.ts';
import type { Upstream } from './forward/upstream.ts';
import type { BackendPlan, Plan, RulePlan, WeightedBackendPlan } from './plan.ts';
import { compileCors } from './route/cors.ts';
import { compileFilters } from './route/filters.ts';
import { createListenerTable, type ListenerTable } from './route/listener-table.ts';
import { createRouteTable } from './route/route-table.ts';
import { portKey, type ListenerRuntime, type RuleRuntime } from './runtime.ts';

/** The live objects that outlast a reload, in the order of the plan's lists. */
export interface LiveParts {
  readonly authenticators: readonly Authenticator[];
  /** By backend, then by target. */
  readonly upstreams: readonly (readonly Upstream[])[];
  readonly rateLimits: LiveRateLimits;
}

/** What holds for every MCP backend. */
export interface McpOptions {
  readonly onDeny: OnDeny;
  readonly sealer: Sealer;
}

/**
 * Builds the tables of every port.
 *
 * @returns by {@link portKey}
 */
export function buildTables(
  plan: Plan,
  live: LiveParts,
  options: McpOptions,
): ReadonlyMap<string, ListenerTable> {
  const authorizers = new Map<string, Authorizer>();
  const mcpBackends = plan.backends.map((backend) => buildMcpBackend(plan, backend, options));
  const backendRateLimits = plan.backends.map((backend) =>
    buildRateLimits(plan, backend, live.rateLimits, 'mcp'),
  );

  /** Rules under the same policies share one authorizer. */
  function authorizerFor(indexes: readonly number[]): Authorizer | null {
    if (indexes.length === 0) return null;
    const key = indexes.join(' ');
    const existing = authorizers.get(key);
    if (existing !== undefined) return existing;
    const created = createAuthorizer(indexes.map((index) => at(plan.authorizations, index)));
    authorizers.set(key, created);
    return created;
  }

  function buildRule(rule: RulePlan): RuleRuntime {
    const authenticators = rule.authentications.map((index) => at(live.authenticators, index));
    return {
      route: rule.route,
      name: rule.name,
      cors: rule.cors === null ? null : compileCors(rule.cors),
      authenticators,
      reservedHeaders: new Set(authenticators.flatMap(({ reservedHeaders }) => reservedHeaders)),
      authorizer: authorizerFor(rule.authorizations),
      rateLimits: buildRateLimits(plan, rule, live.rateLimits, 'http'),
      filters: compileFilters(rule.filters),
      requestTimeoutMs: rule.timeouts.requestMs,
      backendRequestTimeoutMs: rule.timeouts.backendRequestMs,
      backends: createBackendChooser(rule.backends.map(weightedBackend)),
    };
  }

  function weightedBackend({ backend, weight, filters }: WeightedBackendPlan): WeightedBackend {
    if (backend === null) return { weight, backend: null };
    const [upstream] = at(live.upstreams, backend);
    if (upstream === undefined) return { weight, backend: null };
    const { type } = at(plan.backends, backend);
    const mcp = mcpBackends[backend] ?? null;
    const rateLimits = backendRateLimits[backend] ?? null;
    return {
      weight,
      backend: { type, upstream, mcp, rateLimits, filters: compileFilters(filters) },
    };
  }

  return new Map(
    plan.ports.map((port) => {
      const listeners = port.listeners.map(
        ({ gateway, name, hostname, rules }): ListenerRuntime => {
          const entries = rules.map((rule) => ({ plan: rule, rule: buildRule(rule) }));
          return { gateway, name, hostname, routes: createRouteTable(entries) };
        },
      );
      return [portKey(port), createListenerTable(listeners)];
    }),
  );
}

function buildMcpBackend(plan: Plan, backend: BackendPlan, options: McpOptions): McpBackend | null {
  const [target] = backend.targets;
  if (backend.type !== 'MCP' || target === undefined) return null;
  const policies = backend.mcpAuthorizations.map(({ authorization, target: narrowedTo }) => ({
    plan: at(plan.authorizations, authorization),
    target: narrowedTo,
  }));
  return createMcpBackend({
    name: backend.name,
    target: target.name,
    authorizer: policies.length === 0 ? null : createMcpAuthorizer(policies),
    firstPolicy: policies[0]?.plan.policy ?? '',
    onDeny: options.onDeny,
    sealer: options.sealer,
  });
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index];
  if (item === undefined)
    throw new Error(`the plan refers to item ${index} of a list of ${list.length}`);
  return item;
}
