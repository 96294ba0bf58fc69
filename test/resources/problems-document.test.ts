import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'a list as document',
    text: `- kind: Gateway
`,
    problems: [
      'error t.yaml:1:1: document 1: must be a mapping with apiVersion, kind and metadata',
    ],
  },
  {
    name: 'a text as document',
    text: `hello
`,
    problems: [
      'error t.yaml:1:1: document 1: must be a mapping with apiVersion, kind and metadata',
    ],
  },
  {
    name: 'nothing but a comment',
    text: `# nothing
---
---
# here
`,
    problems: [],
  },
  {
    name: 'neither apiVersion nor kind',
    text: `metadata: {name: x}
`,
    problems: [
      'error t.yaml:1:1: document 1: kind: is required',
      'error t.yaml:1:1: document 1: apiVersion: is required',
    ],
  },
  {
    name: 'a kind that is not a string',
    text: `apiVersion: v1
kind: 5
`,
    problems: ['error t.yaml:2:7: document 1: kind: must be a string such as Gateway'],
  },
  {
    name: 'an unknown kind',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HttpRoute
metadata: {name: x}
`,
    problems: [
      'error t.yaml:2:7: document 1: kind: "HttpRoute" is not a kind that is read here; did you mean HTTPRoute?; known kinds: GatewayClass, Gateway, HTTPRoute, Backend, AgentgatewayBackend, EnterpriseAgentgatewayBackend, BackendTLSPolicy, GlooTrafficPolicy, TrafficPolicy, AgentgatewayPolicy, EnterpriseAgentgatewayPolicy, EnterpriseKgatewayTrafficPolicy, GatewayExtension, Service, Secret, ConfigMap, ReferenceGrant, Namespace',
    ],
  },
  {
    name: 'an unknown kind far from all known ones',
    text: `apiVersion: v1
kind: Pod
metadata: {name: x}
`,
    problems: [
      'error t.yaml:2:7: document 1: kind: "Pod" is not a kind that is read here; known kinds: GatewayClass, Gateway, HTTPRoute, Backend, AgentgatewayBackend, EnterpriseAgentgatewayBackend, BackendTLSPolicy, GlooTrafficPolicy, TrafficPolicy, AgentgatewayPolicy, EnterpriseAgentgatewayPolicy, EnterpriseKgatewayTrafficPolicy, GatewayExtension, Service, Secret, ConfigMap, ReferenceGrant, Namespace',
    ],
  },
  {
    name: 'a known kind with another apiVersion',
    text: `apiVersion: gateway.networking.k8s.io/v1alpha2
kind: HTTPRoute
metadata: {name: x}
spec: {}
`,
    problems: [
      'error t.yaml:1:13: document 1: apiVersion: must be gateway.networking.k8s.io/v1 or gateway.networking.k8s.io/v1beta1 for kind HTTPRoute; is "gateway.networking.k8s.io/v1alpha2"',
    ],
  },
  {
    name: 'a known kind of another group',
    text: `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: x}
spec: {}
`,
    problems: [
      'error t.yaml:1:13: document 1: apiVersion: must be gateway.kgateway.dev/v1alpha1 for kind Backend; is "gateway.envoyproxy.io/v1alpha1"',
    ],
  },
  {
    name: 'a kind with two accepted versions',
    text: `apiVersion: gateway.networking.k8s.io/v2
kind: BackendTLSPolicy
metadata: {name: x}
spec: {}
`,
    problems: [
      'error t.yaml:1:13: document 1: apiVersion: must be gateway.networking.k8s.io/v1 or gateway.networking.k8s.io/v1alpha3 for kind BackendTLSPolicy; is "gateway.networking.k8s.io/v2"',
    ],
  },
  {
    name: 'a kind of security control that would not run',
    text: `apiVersion: ratelimit.solo.io/v1alpha1
kind: RateLimitConfig
metadata: {name: x}
spec: {}
`,
    problems: [
      'error t.yaml:2:7: document 1: kind: RateLimitConfig is not supported by this version: its rate limits would not run; use rateLimit of a policy',
    ],
  },
  {
    name: 'a kind that has no effect here',
    text: `apiVersion: v1
kind: ServiceAccount
metadata: {name: x}
`,
    problems: [
      'warning t.yaml:2:7: document 1: kind: ServiceAccount is not implemented in this version and has no effect',
    ],
  },
  {
    name: 'an item of a List',
    text: `apiVersion: v1
kind: List
items:
- apiVersion: gateway.networking.k8s.io/v1
  kind: Gateway
  metadata: {name: x}
  spec: {gatewayClassName: c}
- {kind: Secret}
`,
    problems: [
      'error t.yaml:7:9: Gateway/default/x: spec.listeners: is required',
      'error t.yaml:8:3: document 1: items[1].apiVersion: is required',
    ],
  },
]);
