import { generateKeyPairSync } from 'node:crypto';

import { guideJwks } from '../fixtures/guide-key.ts';
import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import {
  base,
  glooJwt,
  glooRbac,
  onBackend,
  onGateway,
  onRoute,
  service,
  staticBackend,
} from '../fixtures/small-resources.ts';

/** A policy on line 1, so that the lines of the problems can be counted by eye. */
const policy = (kind: string, group: string, spec: string): string =>
  `apiVersion: ${group}/v1alpha1
kind: ${kind}
metadata: {name: bad}
spec:
${spec}
---${base}---${staticBackend}---${service}`;

const gloo = (spec: string): string => policy('GlooTrafficPolicy', 'gloo.solo.io', spec);
const agentgateway = (spec: string): string =>
  policy('AgentgatewayPolicy', 'agentgateway.dev', spec);
const glooOnGateway = (spec: string): string => gloo(`  targetRefs: [${onGateway}]\n${spec}`);
const glooKey = (key: string): string =>
  glooOnGateway(`  glooJWT: {beforeExtAuth: {providers: {p: {jwks: {local: {key: ${key}}}}}}}`);
const remote = (members: string): string =>
  glooOnGateway(`  glooJWT:
    beforeExtAuth:
      providers:
        p:
          jwks:
            remote: {${members}}`);
const rbac = '  rbac: {policy: {matchExpressions: [\'jwt.sub == "a"\']}}';

const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
const skipped = { ...smallRsa.export({ format: 'jwk' }), kid: 'small' };
const withSkipped = JSON.stringify({
  keys: [skipped, ...(JSON.parse(guideJwks) as { keys: unknown[] }).keys],
});

testCompileProblems([
  {
    name: 'a target that is not there, with the name that was probably meant',
    text: gloo(`  targetRefs:
  - {group: gateway.networking.k8s.io, kind: Gateway, name: gv}
  - {group: gateway.kgateway.dev, kind: Backend, name: nowhere}
${rbac}`),
    lines: [
      'error t.yaml:6:61: GlooTrafficPolicy/default/bad: spec.targetRefs[0].name: Gateway default/gv not found; did you mean gw?',
      'error t.yaml:7:56: GlooTrafficPolicy/default/bad: spec.targetRefs[1].name: Backend default/nowhere not found',
    ],
  },
  {
    name: 'a kind and a group that are no targets',
    text: gloo(`  targetRefs:
  - {group: gateway.networking.x-k8s.io, kind: XListenerSet, name: gw}
  - {group: "", kind: Service, name: svc}
  - {group: example.com, kind: Gateway, name: gw}
${rbac}`),
    lines: [
      "error t.yaml:6:48: GlooTrafficPolicy/default/bad: spec.targetRefs[0].kind: XListenerSet can't be the target of a GlooTrafficPolicy; use Gateway, HTTPRoute, Backend, AgentgatewayBackend, EnterpriseAgentgatewayBackend",
      "error t.yaml:7:23: GlooTrafficPolicy/default/bad: spec.targetRefs[1].kind: Service can't be the target of a GlooTrafficPolicy; use Gateway, HTTPRoute, Backend, AgentgatewayBackend, EnterpriseAgentgatewayBackend",
      'error t.yaml:8:13: GlooTrafficPolicy/default/bad: spec.targetRefs[2].group: example.com is not a group of targets; use gateway.networking.k8s.io for a Gateway or HTTPRoute, gateway.kgateway.dev or agentgateway.dev for a backend, "" for a Service',
    ],
  },
  {
    name: 'a listener, a rule and an MCP target that are not there',
    text: gloo(`  targetRefs:
  - {group: gateway.networking.k8s.io, kind: Gateway, name: gw, sectionName: https}
  - {group: gateway.networking.k8s.io, kind: HTTPRoute, name: route, sectionName: other}
  - {group: gateway.kgateway.dev, kind: Backend, name: mcp, sectionName: two}
${rbac}`),
    lines: [
      'error t.yaml:6:78: GlooTrafficPolicy/default/bad: spec.targetRefs[0].sectionName: Gateway gw has no listener https; it has http',
      'error t.yaml:7:83: GlooTrafficPolicy/default/bad: spec.targetRefs[1].sectionName: HTTPRoute route has no rule named other; it has main',
      'error t.yaml:8:74: GlooTrafficPolicy/default/bad: spec.targetRefs[2].sectionName: Backend mcp has no target two; it has one',
    ],
  },
  {
    name: 'labels that select nothing',
    text: gloo(`  targetSelectors:
  - {group: gateway.networking.k8s.io, kind: Gateway, matchLabels: {app: none}}
${rbac}`),
    lines: [
      'warning t.yaml:6:68: GlooTrafficPolicy/default/bad: spec.targetSelectors[0].matchLabels: no Gateway in namespace default has these labels, so that the policy has no effect there',
    ],
  },
  {
    name: 'a policy that nothing refers to',
    text: gloo(rbac),
    lines: [
      'warning t.yaml:5:3: GlooTrafficPolicy/default/bad: spec: the policy has neither targetRefs nor targetSelectors, and no route refers to it: it has no effect',
    ],
  },
  {
    name: 'expressions that do not compile',
    text: glooOnGateway(`  rbac:
    policy:
      matchExpressions:
      - 'jwt.sub = "alice"'
      - 'user == "alice"'
      - 'jwt.sub'`),
    lines: [
      'error t.yaml:9:9: GlooTrafficPolicy/default/bad: spec.rbac.policy.matchExpressions[0]: 1:9: Unexpected character: =; write == to compare',
      'error t.yaml:10:9: GlooTrafficPolicy/default/bad: spec.rbac.policy.matchExpressions[1]: 1:1: Unknown variable: user; rules use jwt, request, source; text stands in quotes',
    ],
  },
  {
    name: 'mcp in a policy on a Gateway, where it is never true',
    text: glooOnGateway(`  rbac: {policy: {matchExpressions: ['mcp.tool.name == "echo"']}}`),
    lines: [
      'warning t.yaml:6:38: GlooTrafficPolicy/default/bad: spec.rbac.policy.matchExpressions[0]: mcp is available only to policies that target a Backend, so this rule is never true here',
    ],
  },
  {
    name: 'expressions on a Backend that do not compile',
    text: glooRbac('bad', onBackend, 'mcp.tool.name = 1') + `---${base}`,
    lines: [
      'error t.yaml:7:53: GlooTrafficPolicy/default/bad: spec.rbac.policy.matchExpressions[0]: 1:15: Unexpected character: =; write == to compare',
    ],
  },
  {
    name: 'JWT on a Backend, where it would not run',
    text: glooJwt('bad', onBackend) + `---${base}`,
    lines: [
      'error t.yaml:7:12: GlooTrafficPolicy/default/bad: spec.glooJWT: has no effect on Backend mcp; target a Gateway or HTTPRoute instead',
    ],
  },
  {
    name: 'rules on a Backend that is not MCP',
    text:
      glooRbac('bad', '{group: gateway.kgateway.dev, kind: Backend, name: plain}', 'true') +
      `---${base}---${staticBackend}`,
    lines: [
      'error t.yaml:7:52: GlooTrafficPolicy/default/bad: spec.rbac.policy.matchExpressions: has no effect on Backend plain; target a backend of type MCP instead',
    ],
  },
  {
    name: 'two JWT policies on one target: the first by name wins',
    text: [glooJwt('b', onRoute), glooJwt('a', onRoute), base].join('---'),
    lines: [
      'warning t.yaml:7:12: GlooTrafficPolicy/default/b: spec.glooJWT: is overridden by GlooTrafficPolicy/default/a on the same target: the oldest wins, then the first by name',
    ],
  },
  {
    name: 'a key without kid',
    text: glooKey(`'${guideJwks.replace('"kid":"solo-public-key-001",', '')}'`),
    lines: [
      'error t.yaml:6:65: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.local.key: keys[0]: the key is missing the `kid` attribute',
    ],
  },
  {
    name: 'a symmetric key',
    text: glooKey(`'{"kty":"oct","kid":"a","k":"c2VjcmV0"}'`),
    lines: [
      'error t.yaml:6:65: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.local.key: a symmetric key must not be used: everybody who verifies with it could sign too',
    ],
  },
  {
    name: 'a key that can not be used beside a good one',
    text: glooKey(`'${withSkipped}'`),
    lines: [
      'warning t.yaml:6:65: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.local.key: keys[0]: the key is skipped: an RSA key needs at least 2048 bits',
    ],
  },
  {
    name: 'no key that can be used',
    text: glooKey(`'${JSON.stringify({ keys: [skipped] })}'`),
    lines: [
      'error t.yaml:6:65: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.local.key: no key in it can be used: keys[0]: the key is skipped: an RSA key needs at least 2048 bits',
    ],
  },
  {
    name: 'no key at all',
    text: glooKey('hello'),
    lines: [
      'error t.yaml:6:65: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.local.key: it is neither PEM nor JSON; give a JWKS, a JWK or a PEM public key',
    ],
  },
  {
    name: 'a claim in a header that belongs to the connection',
    text: glooOnGateway(`  glooJWT:
    beforeExtAuth:
      providers:
        p:
          jwks: {local: {key: '${guideJwks}'}}
          claimsToHeaders: [{claim: sub, header: Connection}]`),
    lines: [
      'error t.yaml:11:50: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.claimsToHeaders[0].header: the header "connection" belongs to the connection and may not be changed',
    ],
  },
  {
    name: 'remote keys from a Service that is not there',
    text: remote('url: http://idp/keys, backendRef: {name: idp, port: 80}'),
    lines: [
      'error t.yaml:11:63: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.remote.backendRef.name: Service default/idp not found',
    ],
  },
  {
    name: 'remote keys from a Service of another namespace without a grant',
    text: remote('url: http://idp/keys, backendRef: {name: idp, namespace: idp, port: 80}'),
    lines: [
      'error t.yaml:11:56: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.remote.backendRef: Service idp/idp is in another namespace and no ReferenceGrant there allows it; add one in idp from GlooTrafficPolicy of default to Service',
    ],
  },
  {
    name: 'remote keys from an MCP backend',
    text: remote(
      'url: http://idp/keys, backendRef: {group: gateway.kgateway.dev, kind: Backend, name: mcp}',
    ),
    lines: [
      "error t.yaml:11:56: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.remote.backendRef: keys can't be fetched from an MCP backend; GlooTrafficPolicy/default/bad needs a Service or a Backend of type Static",
    ],
  },
  {
    name: 'remote keys that are fetched without a pause',
    text: remote('url: http://idp/keys, backendRef: {name: svc, port: 80}, cacheDuration: 0s'),
    lines: [
      'error t.yaml:11:94: GlooTrafficPolicy/default/bad: spec.glooJWT.beforeExtAuth.providers.p.jwks.remote.cacheDuration: must be a duration of at least 1ms, such as 5m',
    ],
  },
  {
    name: 'a GatewayExtension that is not there',
    text: policy(
      'TrafficPolicy',
      'gateway.kgateway.dev',
      `  targetRefs: [${onGateway}]
  jwtAuth: {extensionRef: {name: jwt}}`,
    ),
    lines: [
      'error t.yaml:6:34: TrafficPolicy/default/bad: spec.jwtAuth.extensionRef.name: GatewayExtension default/jwt not found',
    ],
  },
  {
    name: 'a GatewayExtension of another type, and one whose ConfigMap is not there',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: GatewayExtension
metadata: {name: jwt}
spec:
  jwt:
    providers: [{name: p, jwks: {local: {configMapRef: {name: keys}}}}]
---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: bad}
spec:
  targetRefs: [${onGateway}]
  jwtAuth: {extensionRef: {name: jwt}}
---${base}`,
    lines: [
      'error t.yaml:6:63: GatewayExtension/default/jwt: spec.jwt.providers[0].jwks.local.configMapRef.name: ConfigMap default/keys not found',
    ],
  },
  {
    name: 'keys of an AgentgatewayPolicy that are fetched too often',
    text: agentgateway(`  targetRefs: [${onGateway}]
  traffic:
    jwtAuthentication:
      providers:
      - issuer: a
        jwks:
          remote: {jwksPath: keys, backendRef: {name: svc, port: 80}, cacheDuration: 1m}`),
    lines: [
      'error t.yaml:11:86: AgentgatewayPolicy/default/bad: spec.traffic.jwtAuthentication.providers[0].jwks.remote.cacheDuration: must be a duration of at least 5m, such as 5m',
    ],
  },
  {
    name: 'the traffic section of an AgentgatewayPolicy on a backend',
    text: agentgateway(`  targetRefs: [${onBackend}]
  traffic:
    authorization: {policy: {matchExpressions: ['true']}}
    jwtAuthentication: {providers: [{issuer: a, jwks: {inline: '${guideJwks}'}}]}`),
    lines: [
      'error t.yaml:7:48: AgentgatewayPolicy/default/bad: spec.traffic.authorization.policy.matchExpressions: has no effect on Backend mcp; target a Gateway or HTTPRoute instead',
      'error t.yaml:8:24: AgentgatewayPolicy/default/bad: spec.traffic.jwtAuthentication: has no effect on Backend mcp; target a Gateway or HTTPRoute instead',
    ],
  },
  {
    name: 'the backend section of an AgentgatewayPolicy on a Gateway',
    text: agentgateway(`  targetRefs: [${onGateway}]
  backend:
    tls: {}
    mcp: {authorization: {policy: {matchExpressions: ['mcp.tool.name == "a"']}}}`),
    lines: [
      'error t.yaml:7:10: AgentgatewayPolicy/default/bad: spec.backend.tls: has no effect on Gateway gw; target the backend instead',
      'error t.yaml:8:54: AgentgatewayPolicy/default/bad: spec.backend.mcp.authorization.policy.matchExpressions: has no effect on Gateway gw; target the backend instead',
    ],
  },
  {
    name: 'MCP rules of an AgentgatewayPolicy on a Service',
    text: agentgateway(`  targetRefs: [{group: "", kind: Service, name: svc}]
  backend: {mcp: {authorization: {policy: {matchExpressions: ['true']}}}}`),
    lines: [
      'error t.yaml:6:62: AgentgatewayPolicy/default/bad: spec.backend.mcp.authorization.policy.matchExpressions: has no effect on Service svc; target a backend of type MCP instead',
    ],
  },
  {
    name: 'MCP rules inside a backend that is not MCP',
    text: `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: bad}
spec:
  static: {host: 127.0.0.1, port: 80}
  policies: {mcp: {authorization: {policy: {matchExpressions: ['true', 'nonsense(']}}}}
`,
    lines: [
      'error t.yaml:6:35: AgentgatewayBackend/default/bad: spec.policies.mcp.authorization: has no effect on a backend without an mcp block',
      'error t.yaml:6:72: AgentgatewayBackend/default/bad: spec.policies.mcp.authorization.policy.matchExpressions[1]: 1:10: Unexpected token: EOF',
    ],
  },
]);
