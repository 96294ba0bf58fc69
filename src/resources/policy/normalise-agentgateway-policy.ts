import type { AuthenticationPlan } from '../../plan.ts';
import type { JwtAuthentication } from '../kinds/agentgateway-policy.ts';
import type { Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import { agentgatewayTargetKinds, findTargets } from '../link/targets.ts';
import type { AnyResource, Resource } from '../resource.ts';
import { normaliseAuthorization } from './authorization.ts';
import { agentgatewayModes, linkMcpAuthentication } from './mcp-authentication.ts';
import type { AuthenticationSection, NormalisedPolicy } from './normalised-policy.ts';
import { linkProtectedResource } from './protected-resource.ts';
import { linkAgentgatewayProvider } from './providers.ts';
import { withRequiredScopes } from './required-scopes.ts';
import { agentgatewayRateLimits } from './rate-limits.ts';

/** These kinds answer a failed authentication with 401 and a challenge (RFC 6750). */
const failureStatus = 401;

/** Normalises an AgentgatewayPolicy or EnterpriseAgentgatewayPolicy. */
export function normaliseAgentgatewayPolicy(
  context: LinkContext,
  backends: Backends,
  policy: Resource<'AgentgatewayPolicy'> | Resource<'EnterpriseAgentgatewayPolicy'>,
): NormalisedPolicy {
  const { traffic, backend, targetRefs, targetSelectors } = policy.spec;
  const [authentication = null, backendAuthentication = null] = withRequiredScopes(
    context,
    policy,
    [
      authenticationOf(context, backends, policy, traffic?.jwtAuthentication),
      linkMcpAuthentication(context, backends, policy, backend?.mcp?.authentication, [
        'spec',
        'backend',
        'mcp',
        'authentication',
      ]),
    ],
  );
  return {
    resource: policy,
    targets: findTargets(context, policy, policy.spec, agentgatewayTargetKinds, {
      type: 'Accepted',
      reason: 'Invalid',
    }),
    namesTargets: targetRefs !== undefined || targetSelectors !== undefined,
    authentication,
    backendAuthentication,
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
  const providers = spec.providers.flatMap((provider, index) => {
    const at = [...path, 'providers', index];
    const linked = linkAgentgatewayProvider(context, backends, policy, provider, spec.location, at);
    return linked === null ? [] : [linked];
  });
  const linked =
    spec.mcp === undefined || providers.length === 0
      ? null
      : linkProtectedResource(context, policy, spec.mcp, providers, [...path, 'mcp']);
  const plan: AuthenticationPlan = {
    policy: `${policy.namespace}/${policy.name}`,
    policyKind: policy.kind,
    mode: agentgatewayModes[spec.mode ?? 'Strict'],
    failureStatus,
    providers: linked?.providers ?? providers,
    ...(linked === null ? {} : { protectedResource: linked.protectedResource }),
  };
  return { path, plans: [plan] };
}
