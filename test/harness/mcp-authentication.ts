/** Resources that make the usual gate an OAuth protected resource. */
import { startFakeUpstream, type FakeUpstream } from './fake-upstream.ts';
import { startGate, type Gate } from './gate.ts';
import { GATEWAY_GROUP, KGATEWAY_GROUP, type Resource } from './resources.ts';
import { jwksPath, startFakeIssuer, type FakeIssuer } from './fake-issuer.ts';
import type { Scope } from './scope.ts';

/** The Static Backend named `idp` that keys and metadata are fetched through. */
export function issuerBackend({ port }: { readonly port: number }): Resource {
  return {
    apiVersion: `${KGATEWAY_GROUP}/v1alpha1`,
    kind: 'Backend',
    metadata: { name: 'idp' },
    spec: { type: 'Static', static: { hosts: [{ host: '127.0.0.1', port }] } },
  };
}

const backendRef = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'idp' };

/** An AgentgatewayPolicy on the Backend named `mcp` with `backend.mcp.authentication`. */
export function mcpAuthentication(
  { issuer }: Pick<FakeIssuer, 'issuer'>,
  spec: Resource,
  options: { name?: string; backend?: string; requiredScopes?: string } = {},
): Resource {
  return {
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayPolicy',
    metadata: metadataOf(options),
    spec: {
      targetRefs: [{ group: KGATEWAY_GROUP, kind: 'Backend', name: options.backend ?? 'mcp' }],
      backend: { mcp: { authentication: { issuer, jwks: { backendRef, jwksPath }, ...spec } } },
    },
  };
}

/** An AgentgatewayPolicy on the Gateway with `traffic.jwtAuthentication`. */
export function jwtAuthentication(
  { issuer }: Pick<FakeIssuer, 'issuer'>,
  spec: Resource,
  options: { name?: string; requiredScopes?: string; audiences?: readonly string[] } = {},
): Resource {
  const { audiences } = options;
  const provider = {
    issuer,
    jwks: { remote: { backendRef, jwksPath } },
    ...(audiences === undefined ? {} : { audiences }),
  };
  return {
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayPolicy',
    metadata: metadataOf(options),
    spec: {
      targetRefs: [{ group: GATEWAY_GROUP, kind: 'Gateway', name: 'gate' }],
      traffic: { jwtAuthentication: { providers: [provider], ...spec } },
    },
  };
}

function metadataOf(options: { name?: string; requiredScopes?: string }): Resource {
  const { name = 'oauth', requiredScopes } = options;
  return requiredScopes === undefined
    ? { name }
    : { name, annotations: { 'postern.dev/required-scopes': requiredScopes } };
}

/** A gate, what stands behind it, and who signs its tokens. */
export interface ProtectedGate {
  readonly issuer: FakeIssuer;
  readonly upstream: FakeUpstream;
  readonly gate: Gate;
}

/** Starts all three; the policies are made for the issuer. */
export async function startProtectedGate(
  scope: Scope,
  policies: (issuer: FakeIssuer) => readonly Resource[],
): Promise<ProtectedGate> {
  const issuer = await startFakeIssuer(scope);
  const upstream = await startFakeUpstream(scope);
  const more = [issuerBackend(issuer), ...policies(issuer)];
  const gate = await startGate(scope, { upstreamPort: upstream.port, more });
  return { issuer, upstream, gate };
}
