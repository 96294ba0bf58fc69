import type { Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import type { AnyResource } from '../resource.ts';
import type { McpAttachment } from './attach.ts';
import { checkAuthorization, normaliseAuthorization } from './authorization.ts';
import { linkMcpAuthentication } from './mcp-authentication.ts';
import type { AuthenticationSection } from './normalised-policy.ts';
import { withRequiredScopes } from './required-scopes.ts';

/** What Agentgateway backends say in `policies.mcp`. */
export interface InlineMcpPolicies {
  /** Adds to what policies say. */
  readonly authorizations: ReadonlyMap<AnyResource, McpAttachment>;
  /** Replaces what policies on the backend say. */
  readonly authentications: ReadonlyMap<AnyResource, AuthenticationSection>;
}

/** Links `policies.mcp` of all Agentgateway backends; it needs an `mcp` block to have an effect on. */
export function inlineMcpPolicies(context: LinkContext, backends: Backends): InlineMcpPolicies {
  const { resources, report } = context;
  const authorizations = new Map<AnyResource, McpAttachment>();
  const authentications = new Map<AnyResource, AuthenticationSection>();
  for (const backend of [
    ...resources.ofKind('AgentgatewayBackend'),
    ...resources.ofKind('EnterpriseAgentgatewayBackend'),
  ]) {
    const path = ['spec', 'policies', 'mcp'];
    const { authorization, authentication } = backend.spec.policies?.mcp ?? {};
    const rules = normaliseAuthorization(backend, authorization, [...path, 'authorization']);
    if (rules !== null) {
      checkAuthorization(context, backend, rules, 'mcp');
      authorizations.set(backend, { section: rules, target: null });
    }
    const [tokens] = withRequiredScopes(context, backend, [
      linkMcpAuthentication(context, backends, backend, authentication, [
        ...path,
        'authentication',
      ]),
    ]);
    if (tokens != null) authentications.set(backend, tokens);
    if (backend.spec.mcp !== undefined) continue;
    for (const block of ['authorization', 'authentication'] as const) {
      if (backend.spec.policies?.mcp?.[block] === undefined) continue;
      const message = 'has no effect on a backend without an mcp block';
      report.error(backend, [...path, block], message);
    }
  }
  return { authorizations, authentications };
}
