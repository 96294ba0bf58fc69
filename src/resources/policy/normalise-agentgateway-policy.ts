import type { AuthenticationPlan } from '../../plan.ts';
import type { JwtAuthentication } from '../kinds/agentgateway-policy.ts';
import type { Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import { agentgatewayTargetKinds, findTargets } from '../link/targets.ts';
import type { AnyResource, Resource } from '../resource.ts';
import { normaliseAuthorization } from './authorization.ts';
import type { AuthenticationSection, NormalisedPolicy } from './normalised-policy.ts';
import { linkAgentgatewayProvider } from './providers.ts';
import { agentgatewayRateLimits } from './rate-limits.ts';

const modes = {
  Strict: 'RequireValid',
  Optional: 'AllowMissing',
  Permissive: 'AllowMissingOrFailed',
} as const;

/** These kinds answer a failed authentication with 401 and a challenge (RFC 6750). */
const failureStatus = 401;

/** Normalises an AgentgatewayPolicy or EnterpriseAgentgatewayPolicy. */
export function normaliseAgentgatewayPolicy(
  context: LinkContext,
  backends: Backends,
  policy: Resource<'AgentgatewayPolicy'> | Resource<'EnterpriseAgentgatewayPolicy'>,
): NormalisedPolicy {
  const { traffic, backend, targetRefs, targetSelectors } = policy.spec;
  return {
    resource: policy,
    targets: findTargets(context, policy, policy.spec, agentgatewayTargetKinds, {
      type: 'Accepted',
      reason: 'Invalid',
    }),
    namesTargets: targetRefs !== undefined || targetSelectors !== undefined,
    authentication: authenticationOf(context, backends, policy, traffic?.jwtAuthentication),
    httpAuthorization: normaliseAuthorization(policy, traffic?.authorization, [
      'spec',
      'traffic',
      'authorization',
    ]),
    mcpAuthorization: normaliseAuthorization(policy, backend?.mcp?.authorization, [
      'spec',
      'backend',
      'mcp',
      'authorization',
    ]),
    ...agentgatewayRateLimits(context, policy, traffic?.rateLimit),
    hasBackendTls: backend?.tls !== undefined,
  };
}

function authenticationOf(
  context: LinkContext,
  backends: Backends,
  policy: AnyResource,
  spec: JwtAuthentication | undefined,
): AuthenticationSection | null {
  if (spec === undefined) return null;
  const path = ['spec', 'traffic', 'jwtAuthentication'];
  const plan: AuthenticationPlan = {
    policy: `${policy.namespace}/${policy.name}`,
    policyKind: policy.kind,
    mode: modes[spec.mode ?? 'Strict'],
    failureStatus,
    providers: spec.providers.flatMap((provider, index) => {
      const at = [...path, 'providers', index];
      const linked = linkAgentgatewayProvider(
        context,
        backends,
        policy,
        provider,
        spec.location,
        at,
      );
      return linked === null ? [] : [linked];
    }),
  };
  return { path, plans: [plan] };
}
