/**
 * The runtime: a {@link Plan} turned into live, immutable objects by the composition root. The hot path
 * reads it and nothing else. A reload builds a new one and swaps it between two requests; requests in
 * flight keep the one they started with.
 */

import type { Authenticator } from './authenticate/authenticator.ts';
import type { Authorizer } from './authorize/authorizer.ts';
import type { ProtectedResource } from './discover/protected-resource.ts';
import type { ProtectedRoutes } from './discover/protected-routes.ts';
import type { BackendChooser } from './forward/backend-chooser.ts';
import type { RateLimits } from './limit/limit-rate.ts';
import type { CompiledCors } from './route/cors.ts';
import type { CompiledFilters } from './route/filters.ts';
import type { ListenerTable } from './route/listener-table.ts';
import type { PageGuard } from './route/page-guard.ts';
import type { RouteTable } from './route/route-table.ts';
import type { Plan, PortPlan } from './plan.ts';
import type { Milliseconds } from './units.ts';

export interface Runtime {
  readonly generation: number;
  readonly plan: Plan;
  /** By {@link portKey}. */
  readonly ports: ReadonlyMap<string, ListenerTable>;
}

/** Names one socket of a plan: the same key means the same address and port. */
export function portKey({ address, port }: Pick<PortPlan, 'address' | 'port'>): string {
  return `${address ?? ''}|${port}`;
}

export interface ListenerRuntime {
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  readonly name: string;
  readonly hostname: string | null;
  readonly routes: RouteTable;
  /** `null` where no rule is an OAuth protected resource. */
  readonly protectedRoutes: ProtectedRoutes | null;
}

/** One rule of one HTTPRoute on one listener, ready to run. */
export interface RuleRuntime {
  /** `namespace/name` of the HTTPRoute. */
  readonly route: string;
  readonly name: string | null;
  readonly cors: CompiledCors | null;
  /** In the order in which they run; all must accept. */
  readonly authenticators: readonly Authenticator[];
  /** Lower-case names of all fields that the authenticators set from claims. */
  readonly reservedHeaders: ReadonlySet<string>;
  /** `null` where no authorization policy applies. */
  readonly authorizer: Authorizer | null;
  /** `null` where no policy makes the rule an OAuth protected resource. */
  readonly protectedResource: ProtectedResource | null;
  /** Which web pages may send requests; `null` for a rule without an MCP backend, which any page may. */
  readonly pageGuard: PageGuard | null;
  /** `null` where no rate limit applies. */
  readonly rateLimits: RateLimits | null;
  readonly filters: CompiledFilters;
  readonly requestTimeoutMs: Milliseconds | null;
  readonly backendRequestTimeoutMs: Milliseconds | null;
  readonly backends: BackendChooser;
}
