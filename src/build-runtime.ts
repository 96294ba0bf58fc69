/**
 * Turns a plan into the runtime that the stages read. Pure composition: which live object stands where.
 */

import type { Authenticator } from './authenticate/authenticator.ts';
import { createAuthorizer } from './authorize/authorize.ts';
import type { Authorizer } from './authorize/authorizer.ts';
import type { DecisionMemo } from './authorize/decision-memo.ts';
import { createMcpAuthorizer } from './authorize/mcp-authorizer.ts';
import { buildRateLimits, type LiveRateLimits } from './build-rate-limits.ts';
import { createBackendChooser, type WeightedBackend } from './forward/backend-chooser.ts';
import type { OnDeny } from './mcp/denial-answer.ts';
import { createMcpBackend, type McpBackend, type McpBackendParts } from './mcp/mcp-backend.ts';
import type { Federation, FederationOptions } from './mcp/federation/federation.ts';
import type { Sealer } from './mcp/seal.ts';
import type { Exchange } from './exchange.ts';
import type { Upstream, UpstreamRequest } from './forward/upstream.ts';
import type {
  AuthorizationPlan,
  BackendPlan,
  Plan,
  RulePlan,
  WeightedBackendPlan,
} from './plan.ts';
import type { AuthorizationServer } from './discover/authorization-server.ts';
import { protectedRoutesOf, ruleResource } from './build-discovery.ts';
import { compileCors, exposedToMcpClients } from './route/cors.ts';
import { compileFilters } from './route/filters.ts';
import { createListenerTable, type ListenerTable } from './route/listener-table.ts';
import { createPageGuard, isLoopbackHost } from './route/page-guard.ts';
import { createRouteTable } from './route/route-table.ts';
import { portKey, type ListenerRuntime, type RuleRuntime } from './runtime.ts';

/** The live objects that outlast a reload, in the order of the plan's lists. */
export interface LiveParts {
  readonly authenticators: readonly Authenticator[];
  /** By backend, then by target. */
  readonly upstreams: readonly (readonly Upstream[])[];
  /** In the order of {@link authorizationServerPlans}. */
  readonly authorizationServers: readonly AuthorizationServer[];
  readonly rateLimits: LiveRateLimits;
}

/** What holds for every MCP backend, and the process's default listen address. */
export interface McpOptions {
  readonly listenAddress: string;
  readonly onDeny: OnDeny;
  /** Told of the names in lists of tools that a target sent. */
  readonly onTools: McpBackendParts['onTools'];
  readonly sealer: Sealer;
  readonly decisionMemo: DecisionMemo;
  /** The request that an exchange is forwarded with. */
  readonly requestFor: (exchange: Exchange) => UpstreamRequest | null;
  /** Makes several targets one server. */
  readonly federate: (
    parts: Pick<FederationOptions, 'backend' | 'targets' | 'isPrefixed' | 'failureMode'>,
  ) => Federation;
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
  const mcpBackends = plan.backends.map((backend, index) =>
    buildMcpBackend(plan, backend, at(live.upstreams, index), options),
  );
  const backendRateLimits = plan.backends.map((backend) =>
    buildRateLimits(plan, backend, live.rateLimits, 'mcp'),
  );

  /** Rules under the same policies share one authorizer. */
  function authorizerFor(indexes: readonly number[]): Authorizer | null {
    if (indexes.length === 0) return null;
    const key = indexes.join(' ');
    const existing = authorizers.get(key);
    if (existing !== undefined) return existing;
    const created = createAuthorizer(
      indexes.map((index) => at(plan.authorizations, index)),
      options.decisionMemo,
    );
    authorizers.set(key, created);
    return created;
  }

  function buildRule(rule: RulePlan, isLoopback: boolean): RuleRuntime {
    const authenticators = rule.authentications.map((index) => at(live.authenticators, index));
    const speaksMcp = rule.backends.some(
      ({ backend }) => backend !== null && at(plan.backends, backend).type === 'MCP',
    );
    const cors = rule.cors && compileCors(speaksMcp ? exposedToMcpClients(rule.cors) : rule.cors);
    return {
      route: rule.route,
      name: rule.name,
      cors,
      authenticators,
      reservedHeaders: new Set(authenticators.flatMap(({ reservedHeaders }) => reservedHeaders)),
      authorizer: authorizerFor(rule.authorizations),
      protectedResource: ruleResource(plan, rule, live.authorizationServers),
      pageGuard: speaksMcp
        ? createPageGuard({ cors, hostnames: rule.hostnames, isLoopback })
        : null,
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
      const address = port.address ?? options.listenAddress;
      const isLoopback = isLoopbackHost(address.includes(':') ? `[${address}]` : address);
      const listeners = port.listeners.map(
        ({ gateway, name, hostname, rules }): ListenerRuntime => {
          const entries = rules.map((rule) => ({ plan: rule, rule: buildRule(rule, isLoopback) }));
          const routes = createRouteTable(entries);
          return { gateway, name, hostname, routes, protectedRoutes: protectedRoutesOf(entries) };
        },
      );
      return [portKey(port), createListenerTable(listeners)];
    }),
  );
}

function buildMcpBackend(
  plan: Plan,
  backend: BackendPlan,
  targets: readonly Upstream[],
  options: McpOptions,
): McpBackend | null {
  const [target] = backend.targets;
  if (backend.type !== 'MCP' || target === undefined) return null;
  const policies = backend.mcpAuthorizations.map(({ authorization, target: narrowedTo }) => ({
    plan: at(plan.authorizations, authorization),
    target: narrowedTo,
  }));
  return createMcpBackend({
    name: backend.name,
    target: target.name,
    federation:
      backend.federation === null
        ? null
        : options.federate({ backend: backend.name, targets, ...backend.federation }),
    requestFor: options.requestFor,
    authorizer: policies.length === 0 ? null : createMcpAuthorizer(policies, options.decisionMemo),
    firstPolicy: policies[0]?.plan.policy ?? '',
    onDeny: options.onDeny,
    onDenyByPolicy: onDenyByPolicy(policies.map(({ plan: policy }) => policy)),
    onTools: options.onTools,
    sealer: options.sealer,
  });
}

/** Policies of two kinds may have one name; where they differ, the one that shows less counts for both. */
function onDenyByPolicy(policies: readonly AuthorizationPlan[]): ReadonlyMap<string, OnDeny> {
  const modes = new Map<string, OnDeny>();
  for (const { policy, onDeny } of policies) {
    if (onDeny === null) continue;
    const known = modes.get(policy);
    modes.set(policy, known === undefined || known === onDeny ? onDeny : 'hide');
  }
  return modes;
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index];
  if (item === undefined)
    throw new Error(`the plan refers to item ${index} of a list of ${list.length}`);
  return item;
}
