import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import { backend, gateway, route, service } from '../fixtures/small-resources.ts';

/** A route on line 1, so that the lines of the problems can be counted by eye. */
const routeWith = (spec: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: bad}
spec:
${spec}
---${gateway}---${backend}---${service}`;

const ruleWith = (rule: string): string => `  parentRefs: [{name: gw}]
  rules:
  - backendRefs: [{group: gateway.kgateway.dev, kind: Backend, name: mcp}]
${rule}`;

testCompileProblems([
  {
    name: 'a parent that is not there',
    text: routeWith(
      '  parentRefs: [{name: nowhere}]\n  rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: a.b}}]}]',
    ),
    lines: [
      'error t.yaml:5:23: HTTPRoute/default/bad: spec.parentRefs[0].name: Gateway default/nowhere not found',
    ],
  },
  {
    name: 'a parent in another namespace that is not there',
    text: routeWith(ruleWith('').replace('{name: gw}', '{name: gw, namespace: other}')),
    lines: [
      'error t.yaml:5:23: HTTPRoute/default/bad: spec.parentRefs[0].name: Gateway other/gw not found; there is one in namespace default',
    ],
  },
  {
    name: 'a parent of another kind',
    text: routeWith(ruleWith('').replace('{name: gw}', '{name: svc, kind: Service, group: ""}')),
    lines: [
      'error t.yaml:5:34: HTTPRoute/default/bad: spec.parentRefs[0].kind: Service (group "") can\'t be a parent; use a Gateway',
    ],
  },
  {
    name: 'a listener that the Gateway does not have',
    text: routeWith(ruleWith('').replace('{name: gw}', '{name: gw, sectionName: https}')),
    lines: [
      'error t.yaml:5:40: HTTPRoute/default/bad: spec.parentRefs[0].sectionName: Gateway default/gw has no listener named https; it has http:8080',
    ],
  },
  {
    name: 'a port that the Gateway does not have',
    text: routeWith(ruleWith('').replace('{name: gw}', '{name: gw, port: 81}')),
    lines: [
      'error t.yaml:5:33: HTTPRoute/default/bad: spec.parentRefs[0].port: Gateway default/gw has no listener on port 81; it has http:8080',
    ],
  },
  {
    name: 'a Gateway that does not allow the namespace',
    text: routeWith(ruleWith('').replace('{name: gw}', '{name: gw, namespace: default}'))
      .replace('{name: bad}', '{name: bad, namespace: other}')
      .replace('name: mcp}]', 'name: mcp, namespace: default}]'),
    lines: [
      'error t.yaml:5:16: HTTPRoute/other/bad: spec.parentRefs[0]: no listener of Gateway default/gw that is meant allows HTTPRoutes of namespace other; see its allowedRoutes',
      'error t.yaml:7:19: HTTPRoute/other/bad: spec.rules[0].backendRefs[0]: Backend default/mcp is in another namespace and no ReferenceGrant there allows it; add one in default from HTTPRoute of other to Backend',
    ],
  },
  {
    name: 'a hostname that no listener serves',
    text: routeWith(`${ruleWith('')}  hostnames: [mcp.example.com]`).replace(
      'port: 8080}',
      'port: 8080, hostname: "*.example.org"}',
    ),
    lines: [
      'error t.yaml:8:14: HTTPRoute/default/bad: spec.hostnames: no hostname of the route is served by Gateway default/gw, whose listeners serve *.example.org',
    ],
  },
  {
    name: 'no parent at all',
    text: routeWith(ruleWith('').replace('  parentRefs: [{name: gw}]\n', '')),
    lines: [
      'warning t.yaml:5:3: HTTPRoute/default/bad: spec: the route has no parentRefs, and so is attached to no Gateway',
    ],
  },
  {
    name: 'a backend that is not there',
    text: routeWith(ruleWith('').replace('name: mcp', 'name: nowhere')),
    lines: [
      'error t.yaml:7:70: HTTPRoute/default/bad: spec.rules[0].backendRefs[0].name: Backend default/nowhere not found',
    ],
  },
  {
    name: 'a backend of a kind that is not known',
    text: routeWith(ruleWith('').replace('kind: Backend', 'kind: Bucket')),
    lines: [
      'error t.yaml:7:55: HTTPRoute/default/bad: spec.rules[0].backendRefs[0].kind: referencing unsupported backendRef Bucket (group "gateway.kgateway.dev"); use Service (group ""), Backend (group "gateway.kgateway.dev"), AgentgatewayBackend (group "agentgateway.dev"), EnterpriseAgentgatewayBackend (group "enterpriseagentgateway.solo.io")',
    ],
  },
  {
    name: 'a backend of a wrong group',
    text: routeWith(ruleWith('').replace('group: gateway.kgateway.dev', 'group: agentgateway.dev')),
    lines: [
      'error t.yaml:7:51: HTTPRoute/default/bad: spec.rules[0].backendRefs[0].kind: referencing unsupported backendRef Backend (group "agentgateway.dev"); use Service (group ""), Backend (group "gateway.kgateway.dev"), AgentgatewayBackend (group "agentgateway.dev"), EnterpriseAgentgatewayBackend (group "enterpriseagentgateway.solo.io")',
    ],
  },
  {
    name: 'a Service without a port',
    text: routeWith('  parentRefs: [{name: gw}]\n  rules:\n  - backendRefs: [{name: svc}]'),
    lines: [
      'error t.yaml:7:19: HTTPRoute/default/bad: spec.rules[0].backendRefs[0]: a backendRef to a Service needs a port',
    ],
  },
  {
    name: 'a port that the Service does not have',
    text: routeWith(
      '  parentRefs: [{name: gw}]\n  rules:\n  - backendRefs: [{name: svc, port: 81}]',
    ),
    lines: [
      'error t.yaml:7:37: HTTPRoute/default/bad: spec.rules[0].backendRefs[0].port: Service default/svc has no TCP port 81; it has 80, 3001',
    ],
  },
  {
    name: 'a backend in another namespace without a grant',
    text: routeWith(
      '  parentRefs: [{name: gw}]\n  rules:\n  - backendRefs: [{name: svc, namespace: other, port: 80}]',
    ).replace('{name: svc, labels', '{name: svc, namespace: other, labels'),
    lines: [
      'error t.yaml:7:19: HTTPRoute/default/bad: spec.rules[0].backendRefs[0]: Service other/svc is in another namespace and no ReferenceGrant there allows it; add one in other from HTTPRoute of default to Service',
    ],
  },
  {
    name: 'no backend and no redirect',
    text: routeWith('  parentRefs: [{name: gw}]\n  rules: [{matches: [{path: {value: /a}}]}]'),
    lines: [
      'warning t.yaml:6:11: HTTPRoute/default/bad: spec.rules[0]: the rule has neither a backendRef with weight nor a RequestRedirect: every request is answered with 500',
    ],
  },
  {
    name: 'regular expressions that do not compile',
    text: routeWith(
      ruleWith(`    matches:
    - path: {type: RegularExpression, value: "/(a"}
      headers: [{type: RegularExpression, name: x, value: "(?=a)"}]
      queryParams: [{type: RegularExpression, name: x, value: "[z-a]"}]`),
    ),
    lines: [
      'error t.yaml:9:46: HTTPRoute/default/bad: spec.rules[0].matches[0].path.value: not a regular expression (RE2): missing closing ): `/(a`',
      'error t.yaml:10:59: HTTPRoute/default/bad: spec.rules[0].matches[0].headers[0].value: not a regular expression (RE2): invalid or unsupported Perl syntax: `(?=`',
      'error t.yaml:11:63: HTTPRoute/default/bad: spec.rules[0].matches[0].queryParams[0].value: not a regular expression (RE2): invalid character class range: `z-a`',
    ],
  },
  {
    name: 'two conditions on one header',
    text: routeWith(
      ruleWith('    matches: [{headers: [{name: X-A, value: b}, {name: x-a, value: c}]}]'),
    ),
    lines: [
      'warning t.yaml:8:56: HTTPRoute/default/bad: spec.rules[0].matches[0].headers[1].name: x-a has a condition already; only the first one counts',
    ],
  },
  {
    name: 'header fields that no filter may change',
    text: routeWith(
      ruleWith(`    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: Host, value: a}]
        add: [{name: Transfer-Encoding, value: chunked}]
        remove: [content-length]
    - type: ResponseHeaderModifier
      responseHeaderModifier: {set: [{name: connection, value: close}]}`),
    ),
    lines: [
      'error t.yaml:11:22: HTTPRoute/default/bad: spec.rules[0].filters[0].requestHeaderModifier.set[0].name: the header "host" may not be changed by a filter; use URLRewrite.hostname',
      'error t.yaml:12:22: HTTPRoute/default/bad: spec.rules[0].filters[0].requestHeaderModifier.add[0].name: the header "transfer-encoding" belongs to the connection and may not be changed',
      'error t.yaml:13:18: HTTPRoute/default/bad: spec.rules[0].filters[0].requestHeaderModifier.remove[0]: the header "content-length" belongs to the connection and may not be changed',
      'error t.yaml:15:45: HTTPRoute/default/bad: spec.rules[0].filters[1].responseHeaderModifier.set[0].name: the header "connection" belongs to the connection and may not be changed',
    ],
  },
  {
    name: 'a header value that can not be sent, which is not shown',
    text: routeWith(
      ruleWith(`    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: x-a, value: "sécret"}]}`),
    ),
    lines: [
      'error t.yaml:10:56: HTTPRoute/default/bad: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: the value holds a line break or another character that is not visible ASCII',
    ],
  },
  {
    name: 'a redirect beside a backend',
    text: routeWith(
      ruleWith(
        '    filters: [{type: RequestRedirect, requestRedirect: {hostname: a.example.com}}]',
      ),
    ),
    lines: [
      "error t.yaml:7:18: HTTPRoute/default/bad: spec.rules[0].backendRefs: a rule with RequestRedirect can't have backendRefs: nothing is forwarded",
    ],
  },
  {
    name: 'a prefix to replace where none was matched',
    text: routeWith(
      ruleWith(`    matches: [{path: {type: Exact, value: /a}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]`),
    ),
    lines: [
      'error t.yaml:9:60: HTTPRoute/default/bad: spec.rules[0].filters[0].urlRewrite.path.type: ReplacePrefixMatch needs every match of the rule to be of type PathPrefix',
    ],
  },
  {
    name: 'a path to rewrite to that is none',
    text: routeWith(
      ruleWith(
        '    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: "a?b"}}}]',
      ),
    ),
    lines: [
      'error t.yaml:8:94: HTTPRoute/default/bad: spec.rules[0].filters[0].urlRewrite.path.replaceFullPath: must be a path that starts with "/", without spaces, "?" and "#"',
    ],
  },
  {
    name: 'a filter that is not supported',
    text: routeWith(
      ruleWith(
        '    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: svc, port: 80}}}]',
      ),
    ),
    lines: [
      'warning t.yaml:8:37: HTTPRoute/default/bad: spec.rules[0].filters[0].requestMirror: is not implemented in this version and has no effect',
      'error t.yaml:8:22: HTTPRoute/default/bad: spec.rules[0].filters[0].type: unsupported filter type RequestMirror; use RequestHeaderModifier, ResponseHeaderModifier, CORS, URLRewrite, RequestRedirect, ExtensionRef',
    ],
  },
  {
    name: 'a filter of rules on a backendRef',
    text: routeWith(`  parentRefs: [{name: gw}]
  rules:
  - backendRefs:
    - name: svc
      port: 80
      filters: [{type: CORS, cors: {allowOrigins: ["*"]}}]`),
    lines: [
      'error t.yaml:10:24: HTTPRoute/default/bad: spec.rules[0].backendRefs[0].filters[0].type: unsupported filter type CORS on a backendRef; move it to the rule',
    ],
  },
  {
    name: 'an ExtensionRef to an unknown kind and one that is not there',
    text: routeWith(
      ruleWith(`    filters:
    - {type: ExtensionRef, extensionRef: {group: gateway.kgateway.dev, kind: DirectResponse, name: a}}
    - {type: ExtensionRef, extensionRef: {group: gloo.solo.io, kind: GlooTrafficPolicy, name: a}}`),
    ),
    lines: [
      'error t.yaml:9:78: HTTPRoute/default/bad: spec.rules[0].filters[0].extensionRef.kind: unsupported ExtensionRef DirectResponse (group "gateway.kgateway.dev"); use GlooTrafficPolicy (group "gloo.solo.io"), TrafficPolicy (group "gateway.kgateway.dev"), EnterpriseKgatewayTrafficPolicy (group "enterprisekgateway.solo.io")',
      'error t.yaml:10:95: HTTPRoute/default/bad: spec.rules[0].filters[1].extensionRef.name: GlooTrafficPolicy default/a not found',
    ],
  },
  {
    name: 'a backend timeout that is longer than that of the request',
    text: routeWith(ruleWith('    timeouts: {request: 1s, backendRequest: 1001ms}')),
    lines: [
      'error t.yaml:8:45: HTTPRoute/default/bad: spec.rules[0].timeouts.backendRequest: must not be longer than timeouts.request, which is 1s',
    ],
  },
  {
    name: 'a backend of a type that is not supported',
    text: `${route}---${gateway}---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: mcp}
spec: {type: AI, ai: {}}`,
    lines: [
      'warning t.yaml:21:18: Backend/default/mcp: spec.ai: is not implemented in this version and has no effect',
      'warning t.yaml:9:19: HTTPRoute/default/route: spec.rules[0].backendRefs[0]: Backend/default/mcp is of type AI, which is not supported: every request for it is answered with 500',
    ],
  },
]);
