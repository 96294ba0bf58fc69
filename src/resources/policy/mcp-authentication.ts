import type { AuthenticationPlan, ProviderPlan } from '../../plan.ts';
import { linkRemoteKeys } from '../jwks/remote-keys.ts';
import type { McpAuthentication } from '../kinds/mcp-authentication.ts';
import type { Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';
import type { AuthenticationSection } from './normalised-policy.ts';
import { linkProtectedResource } from './protected-resource.ts';

/** What `mode` of the Agentgateway kinds means; the default is Strict. */
export const agentgatewayModes = {
  Strict: 'RequireValid',
  Optional: 'AllowMissing',
  Permissive: 'AllowMissingOrFailed',
} as const;

const clockSkewSeconds = 60;

/**
 * Links `mcp.authentication` of a backend policy: one issuer, keys from a backend, and the metadata that MCP
 * clients look for. A failed authentication is answered with 401 and a challenge (RFC 6750).
 *
 * @param path of the block
 */
export function linkMcpAuthentication(
  context: LinkContext,
  backends: Backends,
  resource: AnyResource,
  spec: McpAuthentication | undefined,
  path: FieldPath,
): AuthenticationSection | null {
  if (spec === undefined) return null;
  const { issuer } = spec;
  const keys = linkRemoteKeys(
    context,
    backends,
    resource,
    {
      ...spec.jwks,
      location: { path: spec.jwks.jwksPath },
      minCacheDuration: '5m',
      waitForFirstFetch: true,
    },
    [...path, 'jwks'],
  );
  const provider: ProviderPlan | null = keys && {
    name: issuer,
    issuer,
    audiences: spec.audiences ?? null,
    clockSkewSeconds,
    keepToken: false,
    tokenSources: { headers: [{ header: 'authorization', prefix: 'Bearer ' }], queryParams: [] },
    claimsToHeaders: [],
    keys,
  };
  const linked = provider && linkProtectedResource(context, resource, spec, [provider], path);
  const plan: AuthenticationPlan = {
    policy: `${resource.namespace}/${resource.name}`,
    policyKind: resource.kind,
    mode: agentgatewayModes[spec.mode ?? 'Strict'],
    failureStatus: 401,
    providers: linked?.providers ?? [],
    ...(linked === null ? {} : { protectedResource: linked.protectedResource }),
  };
  return { path, plans: [plan] };
}
