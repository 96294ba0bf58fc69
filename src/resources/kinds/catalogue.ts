/** Every kind that Postern reads: its API group and versions, its schema, and what its spec looks like. */

import {
  agentgatewayBackendSpec,
  enterpriseAgentgatewayBackendSpec,
  type AgentgatewayBackendSpec,
  type EnterpriseAgentgatewayBackendSpec,
} from './agentgateway-backend.ts';
import {
  agentgatewayPolicySpec,
  enterpriseAgentgatewayPolicySpec,
  type AgentgatewayPolicySpec,
  type EnterpriseAgentgatewayPolicySpec,
} from './agentgateway-policy.ts';
import { backendSpec, type BackendSpec } from './backend.ts';
import { backendTlsPolicySpec, type BackendTlsPolicySpec } from './backend-tls-policy.ts';
import { checkConfigMap, configMapBody, type ConfigMapBody } from './config-map.ts';
import type { Finding } from './finding.ts';
import { checkGateway, gatewaySpec, type GatewaySpec } from './gateway.ts';
import { gatewayClassSpec, type GatewayClassSpec } from './gateway-class.ts';
import { gatewayExtensionSpec, type GatewayExtensionSpec } from './gateway-extension.ts';
import { checkHttpRoute, httpRouteSpec, type HttpRouteSpec } from './http-route.ts';
import { namespaceSpec, type NamespaceSpec } from './namespace.ts';
import { referenceGrantSpec, type ReferenceGrantSpec } from './reference-grant.ts';
import type { Schema } from './schema.ts';
import { checkSecret, secretBody, type SecretBody } from './secret.ts';
import { serviceSpec, type ServiceSpec } from './service.ts';
import {
  enterpriseKgatewayTrafficPolicySpec,
  glooTrafficPolicySpec,
  trafficPolicySpec,
  type EnterpriseKgatewayTrafficPolicySpec,
  type GlooTrafficPolicySpec,
  type TrafficPolicySpec,
} from './traffic-policy.ts';

/** What `spec` is for each kind. Secret and ConfigMap have none: it is their body then. */
export interface SpecByKind {
  GatewayClass: GatewayClassSpec;
  Gateway: GatewaySpec;
  HTTPRoute: HttpRouteSpec;
  Backend: BackendSpec;
  AgentgatewayBackend: AgentgatewayBackendSpec;
  EnterpriseAgentgatewayBackend: EnterpriseAgentgatewayBackendSpec;
  BackendTLSPolicy: BackendTlsPolicySpec;
  GlooTrafficPolicy: GlooTrafficPolicySpec;
  TrafficPolicy: TrafficPolicySpec;
  AgentgatewayPolicy: AgentgatewayPolicySpec;
  EnterpriseAgentgatewayPolicy: EnterpriseAgentgatewayPolicySpec;
  EnterpriseKgatewayTrafficPolicy: EnterpriseKgatewayTrafficPolicySpec;
  GatewayExtension: GatewayExtensionSpec;
  Service: ServiceSpec;
  Secret: SecretBody;
  ConfigMap: ConfigMapBody;
  ReferenceGrant: ReferenceGrantSpec;
  Namespace: NamespaceSpec;
}

export type Kind = keyof SpecByKind;

export interface KindDefinition<K extends Kind> {
  readonly kind: K;
  /** Empty for the core group. */
  readonly group: string;
  /** Accepted versions, the preferred one first. */
  readonly versions: readonly string[];
  /** Cluster-scoped kinds have no namespace. */
  readonly scope: 'Namespaced' | 'Cluster';
  /** Where the schema applies: `spec`, `spec` that may be absent, or the root beside metadata. */
  readonly layout: 'spec' | 'optionalSpec' | 'body';
  readonly schema: Schema<SpecByKind[K]>;
  /** Rules that the schema can't say; runs only when the schema accepts. */
  readonly check: ((spec: SpecByKind[K]) => readonly Finding[]) | null;
}

const gatewayApi = 'gateway.networking.k8s.io';
const kgateway = 'gateway.kgateway.dev';

function define<K extends Kind>(
  kind: K,
  group: string,
  versions: readonly string[],
  schema: Schema<SpecByKind[K]>,
  more: Partial<KindDefinition<K>> = {},
): KindDefinition<K> {
  return {
    kind,
    group,
    versions,
    schema,
    scope: 'Namespaced',
    layout: 'spec',
    check: null,
    ...more,
  };
}

// prettier-ignore
export const kinds: { readonly [K in Kind]: KindDefinition<K> } = {
  GatewayClass: define('GatewayClass', gatewayApi, ['v1', 'v1beta1'], gatewayClassSpec, { scope: 'Cluster' }),
  Gateway: define('Gateway', gatewayApi, ['v1', 'v1beta1'], gatewaySpec, { check: checkGateway }),
  HTTPRoute: define('HTTPRoute', gatewayApi, ['v1', 'v1beta1'], httpRouteSpec, { check: checkHttpRoute }),
  Backend: define('Backend', kgateway, ['v1alpha1'], backendSpec),
  AgentgatewayBackend: define('AgentgatewayBackend', 'agentgateway.dev', ['v1alpha1'], agentgatewayBackendSpec),
  EnterpriseAgentgatewayBackend: define('EnterpriseAgentgatewayBackend', 'enterpriseagentgateway.solo.io', ['v1alpha1'], enterpriseAgentgatewayBackendSpec),
  BackendTLSPolicy: define('BackendTLSPolicy', gatewayApi, ['v1', 'v1alpha3'], backendTlsPolicySpec),
  GlooTrafficPolicy: define('GlooTrafficPolicy', 'gloo.solo.io', ['v1alpha1'], glooTrafficPolicySpec),
  TrafficPolicy: define('TrafficPolicy', kgateway, ['v1alpha1'], trafficPolicySpec),
  AgentgatewayPolicy: define('AgentgatewayPolicy', 'agentgateway.dev', ['v1alpha1'], agentgatewayPolicySpec),
  EnterpriseAgentgatewayPolicy: define('EnterpriseAgentgatewayPolicy', 'enterpriseagentgateway.solo.io', ['v1alpha1'], enterpriseAgentgatewayPolicySpec),
  EnterpriseKgatewayTrafficPolicy: define('EnterpriseKgatewayTrafficPolicy', 'enterprisekgateway.solo.io', ['v1alpha1'], enterpriseKgatewayTrafficPolicySpec),
  GatewayExtension: define('GatewayExtension', kgateway, ['v1alpha1'], gatewayExtensionSpec),
  Service: define('Service', '', ['v1'], serviceSpec, { layout: 'optionalSpec' }),
  Secret: define('Secret', '', ['v1'], secretBody, { layout: 'body', check: checkSecret }),
  ConfigMap: define('ConfigMap', '', ['v1'], configMapBody, { layout: 'body', check: checkConfigMap }),
  ReferenceGrant: define('ReferenceGrant', gatewayApi, ['v1', 'v1beta1'], referenceGrantSpec),
  Namespace: define('Namespace', '', ['v1'], namespaceSpec, { scope: 'Cluster', layout: 'optionalSpec' }),
};

/** Kinds whose absence of effect would open access, each with why; an error. */
export const refusedKinds: ReadonlyMap<string, string> = new Map([
  ['RateLimitConfig', 'its rate limits would not run; use rateLimit of a policy'],
]);

/** Kinds that the guides' files hold beside ours; they are skipped with a warning. */
export const kindsWithoutEffect: ReadonlySet<string> = new Set([
  'GatewayParameters',
  'GlooGatewayParameters',
  'AgentgatewayParameters',
  'EnterpriseAgentgatewayParameters',
  'EnterpriseKgatewayParameters',
  'Deployment',
  'ServiceAccount',
]);
