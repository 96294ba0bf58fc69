import type {
  AuthenticationPlan,
  AuthorizationPlan,
  GlobalRateLimitPlan,
  LocalRateLimitPlan,
} from '../../plan.ts';
import type { PolicyTarget } from '../link/targets.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';

/** What a policy says of tokens. It replaces all that less specific policies say of them. */
export interface AuthenticationSection {
  readonly path: FieldPath;
  /** In the order in which they run; empty where the policy turns JWT off. */
  readonly plans: readonly AuthenticationPlan[];
}

/** What a policy says of who may do what. It adds to what other policies say. */
export interface AuthorizationSection {
  /** Of the list of expressions. */
  readonly path: FieldPath;
  readonly plan: AuthorizationPlan;
}

/** What a policy says of how often. It replaces all that less specific policies say of it. */
export interface RateLimitSection<Plan> {
  readonly path: FieldPath;
  /** `null` where the policy turns the limit off. */
  readonly plan: Plan | null;
  /** CEL that the plan holds, with where it stands. */
  readonly expressions: readonly { readonly path: FieldPath; readonly expression: string }[];
}

/** The one internal form of all kinds of policies. */
export interface NormalisedPolicy {
  readonly resource: AnyResource;
  readonly targets: readonly PolicyTarget[];
  /** Whether it names targets at all; one that does not waits for a route to refer to it. */
  readonly namesTargets: boolean;
  /** Takes effect on Gateways and routes. */
  readonly authentication: AuthenticationSection | null;
  /** Takes effect on MCP backends, before what Gateway and route say of tokens. */
  readonly backendAuthentication: AuthenticationSection | null;
  /** Takes effect on Gateways and routes. */
  readonly httpAuthorization: AuthorizationSection | null;
  /** Takes effect on MCP backends. One and the same section as `httpAuthorization` for `rbac`. */
  readonly mcpAuthorization: AuthorizationSection | null;
  /** Takes effect on Gateways, routes and backends. */
  readonly localRateLimit: RateLimitSection<LocalRateLimitPlan> | null;
  /** Takes effect on Gateways, routes and backends. */
  readonly globalRateLimit: RateLimitSection<GlobalRateLimitPlan> | null;
  /** Whether it has a `tls` block, which takes effect on backends. */
  readonly hasBackendTls: boolean;
}
