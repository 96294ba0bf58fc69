import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'GlooTrafficPolicy: neither stage',
    text: `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: x}
spec: {glooJWT: {}}
`,
    problems: [
      'error t.yaml:4:17: GlooTrafficPolicy/default/x: spec.glooJWT: needs at least one of beforeExtAuth, afterExtAuth; has neither',
    ],
  },
  {
    name: 'GlooTrafficPolicy: JWT',
    text: `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: x}
spec:
  targetRefs: []
  glooJWT:
    beforeExtAuth:
      validationPolicy: Required
      providers:
        a: {jwks: {local: {key: k}, remote: {url: https://a, backendRef: {name: b}}}}
        b: {jwks: {}}
        c: {}
        d: {jwks: {local: {key: ""}}, clockSkewSeconds: -1, audiences: a, issuer: ""}
        e: {jwks: {remote: {cacheDuration: 5}}, claimsToHeaders: [{claim: sub}], attachFailedStatusToMetadata: x}
    afterExtAuth: {disable: {}, validationPolicy: AllowMissing}
`,
    problems: [
      'error t.yaml:5:15: GlooTrafficPolicy/default/x: spec.targetRefs: must have at least 1 item; has 0',
      'error t.yaml:8:25: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.validationPolicy: must be one of RequireValid, AllowMissing, AllowMissingOrFailed; is Required',
      'error t.yaml:10:19: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.a.jwks: needs exactly one of local, remote; has both',
      'error t.yaml:10:51: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.a.jwks.remote.url: must be an http or https URL with a path, such as https://idp.example.com/keys; is "https://a"',
      'error t.yaml:11:19: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.b.jwks: needs exactly one of local, remote; has neither',
      'error t.yaml:12:12: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.c.jwks: is required',
      'error t.yaml:13:33: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.d.jwks.local.key: must not be empty',
      'error t.yaml:13:57: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.d.clockSkewSeconds: must be a whole number from 0 to 86400; is -1',
      'error t.yaml:13:72: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.d.audiences: must be a list; is a',
      'error t.yaml:13:83: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.d.issuer: must not be empty',
      'error t.yaml:14:28: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.e.jwks.remote.url: is required',
      'error t.yaml:14:28: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.e.jwks.remote.backendRef: is required',
      'error t.yaml:14:44: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.e.jwks.remote.cacheDuration: must be a duration such as 5m, 1h30m or 500ms; is 5',
      'error t.yaml:14:67: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.e.claimsToHeaders[0].header: is required',
      'warning t.yaml:14:82: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers.e.attachFailedStatusToMetadata: is not implemented in this version and has no effect',
      'error t.yaml:15:19: GlooTrafficPolicy/default/x: spec.glooJWT.afterExtAuth: may have only one of disable, validationPolicy; has both',
    ],
  },
  {
    name: 'GlooTrafficPolicy: disable and providers',
    text: `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: x}
spec:
  glooJWT:
    beforeExtAuth: {disable: {}, providers: {}}
`,
    problems: [
      'error t.yaml:6:20: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth: needs exactly one of providers, disable; has both',
      'error t.yaml:6:45: GlooTrafficPolicy/default/x: spec.glooJWT.beforeExtAuth.providers: must have at least 1 entry; has 0',
    ],
  },
  {
    name: 'GlooTrafficPolicy: controls that would not run',
    text: `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
  glooExtAuth: {authConfigRef: {name: a}}
  glooRBAC: {policies: {}}
  glooRateLimit: {}
  rateLimit: {}
  extAuth: {disable: {}}
`,
    problems: [
      'error t.yaml:5:3: GlooTrafficPolicy/default/x: spec: may have only one of rateLimit, glooRateLimit; has both',
      'error t.yaml:5:3: GlooTrafficPolicy/default/x: spec: may have only one of extAuth, glooExtAuth; has both',
      'error t.yaml:6:3: GlooTrafficPolicy/default/x: spec.glooExtAuth: is not supported by this version: external authorization would not run',
      'error t.yaml:7:3: GlooTrafficPolicy/default/x: spec.glooRBAC: is not supported by this version: its rules would not run; use rbac with CEL expressions',
      'error t.yaml:8:3: GlooTrafficPolicy/default/x: spec.glooRateLimit: is not supported by this version: its rate limits would not run; use rateLimit',
    ],
  },
  {
    name: 'GlooTrafficPolicy: rbac',
    text: `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: x}
spec:
  rbac:
    action: Require
    policy: {matchExpressions: [1, ""], celMatchExpressions: []}
`,
    problems: [
      'error t.yaml:6:13: GlooTrafficPolicy/default/x: spec.rbac.action: must be one of Allow, Deny; is Require',
      'error t.yaml:7:33: GlooTrafficPolicy/default/x: spec.rbac.policy.matchExpressions[0]: must be a string; is 1',
      'error t.yaml:7:36: GlooTrafficPolicy/default/x: spec.rbac.policy.matchExpressions[1]: must not be empty',
      'warning t.yaml:7:41: GlooTrafficPolicy/default/x: spec.rbac.policy.celMatchExpressions: is not a known field; did you mean matchExpressions?',
    ],
  },
  {
    name: 'GlooTrafficPolicy: a field in another case',
    text: `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: x}
spec: {glooJwt: {}}
`,
    problems: [
      'warning t.yaml:4:8: GlooTrafficPolicy/default/x: spec.glooJwt: is not a known field; did you mean glooJWT?',
    ],
  },
  {
    name: 'TrafficPolicy',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway}]
  jwtAuth: {extensionRef: {name: a}, disable: {}}
  csrf: {}
  basicAuth: {users: []}
`,
    problems: [
      'error t.yaml:5:16: TrafficPolicy/default/x: spec.targetRefs[0].name: is required',
      'error t.yaml:6:12: TrafficPolicy/default/x: spec.jwtAuth: needs exactly one of extensionRef, disable; has both',
      'warning t.yaml:7:3: TrafficPolicy/default/x: spec.csrf: is not implemented in this version and has no effect',
      'error t.yaml:8:3: TrafficPolicy/default/x: spec.basicAuth: is not supported by this version: basic authentication would not run',
    ],
  },
  {
    name: 'EnterpriseKgatewayTrafficPolicy',
    text: `apiVersion: enterprisekgateway.solo.io/v1alpha1
kind: EnterpriseKgatewayTrafficPolicy
metadata: {name: x}
spec:
  jwtAuth: {disable: {}}
  entJWT: {beforeExtAuth: {disable: {}}}
  entRBAC: {policies: {}}
  entExtAuth: {disable: {}}
`,
    problems: [
      'error t.yaml:5:3: EnterpriseKgatewayTrafficPolicy/default/x: spec: may have only one of jwtAuth, entJWT; has both',
      'error t.yaml:7:3: EnterpriseKgatewayTrafficPolicy/default/x: spec.entRBAC: is not supported by this version: its rules would not run; use rbac with CEL expressions',
    ],
  },
  {
    name: 'AgentgatewayPolicy: neither target nor section',
    text: `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: x}
spec: {}
`,
    problems: [
      'error t.yaml:4:7: AgentgatewayPolicy/default/x: spec: needs exactly one of targetRefs, targetSelectors; has neither',
      'error t.yaml:4:7: AgentgatewayPolicy/default/x: spec: needs at least one of traffic, backend, frontend; has none',
    ],
  },
  {
    name: 'AgentgatewayPolicy',
    text: `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
  targetSelectors: [{group: gateway.networking.k8s.io, kind: Gateway, matchLabels: {a: 1}}]
  strategy: {inheritance: Override}
  traffic:
    jwtAuthentication:
      mode: RequireValid
      providers:
      - {jwks: {inline: "{}", remote: {jwksPath: /a b, backendRef: {name: x}}}}
      - {issuer: a, jwks: {remote: {}}}
      location: {cookie: {name: c}, header: {name: h}}
    authorization: {policy: {}}
    rateLimit: {local: [], global: {}}
    apiKeyAuthentication: {}
    directResponse: {status: 403}
  backend:
    mcp: {authentication: {issuer: a}}
  frontend: {networkAuthorization: {}, accessLog: {}}
`,
    problems: [
      'error t.yaml:5:3: AgentgatewayPolicy/default/x: spec: needs exactly one of targetRefs, targetSelectors; has both',
      'error t.yaml:6:88: AgentgatewayPolicy/default/x: spec.targetSelectors[0].matchLabels.a: must be a string; is 1',
      'error t.yaml:7:3: AgentgatewayPolicy/default/x: spec.strategy: is not supported by this version: a policy that must not be overridden would be overridden',
      'error t.yaml:10:13: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.mode: must be one of Strict, Optional, Permissive; is RequireValid',
      'error t.yaml:12:9: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.providers[0].issuer: is required',
      'error t.yaml:12:16: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.providers[0].jwks: needs exactly one of inline, remote; has both',
      'error t.yaml:12:50: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.providers[0].jwks.remote.jwksPath: must be a path without spaces and "#"; is "/a b"',
      'error t.yaml:13:36: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.providers[1].jwks.remote.jwksPath: is required',
      'error t.yaml:13:36: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.providers[1].jwks.remote.backendRef: is required',
      'error t.yaml:14:17: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.location: needs exactly one of header, queryParameter, cookie, expression; has header, cookie',
      'error t.yaml:14:18: AgentgatewayPolicy/default/x: spec.traffic.jwtAuthentication.location.cookie: is not supported by this version: tokens can be read from a header or a query parameter',
      'error t.yaml:15:29: AgentgatewayPolicy/default/x: spec.traffic.authorization.policy.matchExpressions: is required',
      'error t.yaml:16:24: AgentgatewayPolicy/default/x: spec.traffic.rateLimit.local: must have at least 1 item; has 0',
      'error t.yaml:16:36: AgentgatewayPolicy/default/x: spec.traffic.rateLimit.global.descriptors: is required',
      'error t.yaml:17:5: AgentgatewayPolicy/default/x: spec.traffic.apiKeyAuthentication: is not supported by this version: API key authentication would not run',
      'error t.yaml:18:5: AgentgatewayPolicy/default/x: spec.traffic.directResponse: is not supported by this version: requests that it answers would reach the backend',
      'error t.yaml:20:27: AgentgatewayPolicy/default/x: spec.backend.mcp.authentication.jwks: is required',
      'error t.yaml:21:14: AgentgatewayPolicy/default/x: spec.frontend.networkAuthorization: is not supported by this version: network authorization would not run',
      'warning t.yaml:21:40: AgentgatewayPolicy/default/x: spec.frontend.accessLog: is not implemented in this version and has no effect',
    ],
  },
  {
    name: 'EnterpriseAgentgatewayPolicy',
    text: `apiVersion: enterpriseagentgateway.solo.io/v1alpha1
kind: EnterpriseAgentgatewayPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
  traffic: {entExtAuth: {}, entRateLimit: {}}
  backend: {tokenExchange: {}}
`,
    problems: [
      'error t.yaml:6:13: EnterpriseAgentgatewayPolicy/default/x: spec.traffic.entExtAuth: is not supported by this version: external authorization would not run',
      'error t.yaml:6:29: EnterpriseAgentgatewayPolicy/default/x: spec.traffic.entRateLimit: is not supported by this version: its rate limits would not run; use rateLimit',
      'warning t.yaml:7:13: EnterpriseAgentgatewayPolicy/default/x: spec.backend.tokenExchange: is not implemented in this version and has no effect',
    ],
  },
  {
    name: 'GatewayExtension',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: GatewayExtension
metadata: {name: x}
spec:
  type: JWT
  jwt:
    validationMode: AllowMissingOrFailed
    providers:
    - {name: a, jwks: {local: {inline: x, configMapRef: {name: y}}}}
    - {name: a, jwks: {remote: {url: ftp://a/b, backendRef: {name: b}}}, tokenSource: {}}
`,
    problems: [
      'error t.yaml:7:21: GatewayExtension/default/x: spec.jwt.validationMode: must be one of Strict, AllowMissing; is AllowMissingOrFailed',
      'error t.yaml:9:31: GatewayExtension/default/x: spec.jwt.providers[0].jwks.local: needs exactly one of inline, configMapRef; has both',
      'error t.yaml:10:14: GatewayExtension/default/x: spec.jwt.providers[1].name: must be unique; a is used twice',
      'error t.yaml:10:38: GatewayExtension/default/x: spec.jwt.providers[1].jwks.remote.url: must be an http or https URL with a path, such as https://idp.example.com/keys; is "ftp://a/b"',
      'error t.yaml:10:87: GatewayExtension/default/x: spec.jwt.providers[1].tokenSource: needs exactly one of header, queryParameter; has neither',
    ],
  },
]);
