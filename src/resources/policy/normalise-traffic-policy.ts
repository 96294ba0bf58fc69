import type { AuthenticationPlan, ProviderPlan } from '../../plan.ts';
import type { StagedJwt } from '../kinds/staged-jwt.ts';
import type { TrafficPolicySpec } from '../kinds/traffic-policy.ts';
import type { Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import { requireGrant } from '../link/grants.ts';
import { notFound } from '../link/not-found.ts';
import { findTargets, trafficPolicyTargetKinds } from '../link/targets.ts';
import type { Resource } from '../resource.ts';
import { normaliseAuthorization } from './authorization.ts';
import type { AuthenticationSection, NormalisedPolicy } from './normalised-policy.ts';
import { linkExtensionProvider, linkGlooProvider } from './providers.ts';
import { withRequiredScopes } from './required-scopes.ts';
import { trafficRateLimits } from './rate-limits.ts';

type TrafficPolicyResource =
  | Resource<'GlooTrafficPolicy'>
  | Resource<'TrafficPolicy'>
  | Resource<'EnterpriseKgatewayTrafficPolicy'>;

type JwtAuth = NonNullable<TrafficPolicySpec['jwtAuth']>;

/** These kinds answer a failed authentication with 403 and no challenge, as the guide shows. */
const failureStatus = 403;
const kgateway = 'gateway.kgateway.dev';

/** Normalises a GlooTrafficPolicy, TrafficPolicy or EnterpriseKgatewayTrafficPolicy. */
export function normaliseTrafficPolicy(
  context: LinkContext,
  backends: Backends,
  policy: TrafficPolicyResource,
): NormalisedPolicy {
  const { targetRefs, targetSelectors } = policy.spec;
  const authorization = normaliseAuthorization(policy, policy.spec.rbac, ['spec', 'rbac']);
  const [authentication = null] = withRequiredScopes(context, policy, [
    authenticationOf(context, backends, policy),
  ]);
  return {
    resource: policy,
    targets: findTargets(context, policy, policy.spec, trafficPolicyTargetKinds, {
      type: 'Accepted',
      reason: 'Invalid',
    }),
    namesTargets: targetRefs !== undefined || targetSelectors !== undefined,
    authentication,
    backendAuthentication: null,
    httpAuthorization: authorization,
    mcpAuthorization: authorization,
    ...trafficRateLimits(context, policy),
    hasBackendTls: false,
  };
}

function authenticationOf(
  context: LinkContext,
  backends: Backends,
  policy: TrafficPolicyResource,
): AuthenticationSection | null {
  switch (policy.kind) {
    case 'GlooTrafficPolicy':
      return stagedJwt(context, backends, policy, 'glooJWT', policy.spec.glooJWT);
    case 'EnterpriseKgatewayTrafficPolicy':
      return (
        stagedJwt(context, backends, policy, 'entJWT', policy.spec.entJWT) ??
        jwtAuth(context, backends, policy, policy.spec.jwtAuth)
      );
    case 'TrafficPolicy':
      return jwtAuth(context, backends, policy, policy.spec.jwtAuth);
  }
}

function stagedJwt(
  context: LinkContext,
  backends: Backends,
  policy: TrafficPolicyResource,
  field: 'glooJWT' | 'entJWT',
  spec: StagedJwt | undefined,
): AuthenticationSection | null {
  if (spec === undefined) return null;
  const plans: AuthenticationPlan[] = [];
  for (const stage of ['beforeExtAuth', 'afterExtAuth'] as const) {
    const { providers, validationPolicy } = spec[stage] ?? {};
    if (providers === undefined) continue;
    plans.push({
      ...nameOf(policy),
      mode: validationPolicy ?? 'RequireValid',
      failureStatus,
      providers: Object.entries(providers).flatMap(([name, provider]) => {
        const path = ['spec', field, stage, 'providers', name];
        return orNothing(linkGlooProvider(context, backends, policy, name, provider, path));
      }),
    });
  }
  return { path: ['spec', field], plans };
}

function jwtAuth(
  context: LinkContext,
  backends: Backends,
  policy: TrafficPolicyResource,
  spec: JwtAuth | undefined,
): AuthenticationSection | null {
  if (spec === undefined) return null;
  const section = ['spec', 'jwtAuth'];
  if (spec.extensionRef === undefined) return { path: section, plans: [] };

  const { report, resources } = context;
  const { name, kind = 'GatewayExtension', group = kgateway } = spec.extensionRef;
  const namespace = spec.extensionRef.namespace ?? policy.namespace;
  const path = [...section, 'extensionRef'];
  const closed = { ...nameOf(policy), mode: 'RequireValid', failureStatus } as const;
  const unresolved = { path: section, plans: [{ ...closed, providers: [] }] };

  if (kind !== 'GatewayExtension' || group !== kgateway) {
    const message = `${kind} (group "${group}") is not supported; use a GatewayExtension (group "${kgateway}")`;
    report.error(policy, [...path, 'kind'], message, {
      type: 'ResolvedRefs',
      reason: 'InvalidKind',
    });
    return unresolved;
  }
  if (!requireGrant(context, policy, { group, kind, namespace, name }, path)) return unresolved;
  const extension = resources.find('GatewayExtension', namespace, name);
  if (extension === undefined) {
    if (!resources.isBroken('GatewayExtension', namespace, name)) {
      report.error(
        policy,
        [...path, 'name'],
        notFound(resources, 'GatewayExtension', namespace, name),
      );
    }
    return unresolved;
  }
  const { jwt } = extension.spec;
  if (jwt === undefined) {
    const message = `GatewayExtension ${namespace}/${name} is not of type JWT: it has no jwt block`;
    report.error(policy, [...path, 'name'], message);
    return unresolved;
  }
  const plan: AuthenticationPlan = {
    ...closed,
    mode: jwt.validationMode === 'AllowMissing' ? 'AllowMissing' : 'RequireValid',
    providers: extensionProviders(context, backends, extension),
  };
  return { path: section, plans: [plan] };
}

/** Links the providers of a GatewayExtension, whether or not a policy refers to it. */
export function extensionProviders(
  context: LinkContext,
  backends: Backends,
  extension: Resource<'GatewayExtension'>,
): readonly ProviderPlan[] {
  return (extension.spec.jwt?.providers ?? []).flatMap((provider, index) => {
    const path = ['spec', 'jwt', 'providers', index];
    return orNothing(linkExtensionProvider(context, backends, extension, provider, path));
  });
}

function nameOf(policy: TrafficPolicyResource): { policy: string; policyKind: string } {
  return { policy: `${policy.namespace}/${policy.name}`, policyKind: policy.kind };
}

function orNothing(provider: ProviderPlan | null): readonly ProviderPlan[] {
  return provider === null ? [] : [provider];
}
