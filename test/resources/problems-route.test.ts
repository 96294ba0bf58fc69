import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'HTTPRoute: filters',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - {type: CORS}
    - {type: URLRewrite, cors: {}}
    - {type: Cors}
    - type: CORS
      cors: {allowOrigins: ["*", "https://a.example.com"], allowMethods: [FETCH], maxAge: 0}
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: "a b", value: "x\\ny"}, {name: X-A, value: "1"}, {name: x-a, value: "2"}]}
    - type: RequestMirror
      requestMirror: {backendRef: {name: x}}
    - type: ExternalAuth
      externalAuth: {}
`,
    problems: [
      'error t.yaml:7:7: HTTPRoute/default/x: spec.rules[0].filters[0].cors: is required when type is CORS',
      'error t.yaml:8:7: HTTPRoute/default/x: spec.rules[0].filters[1].urlRewrite: is required when type is URLRewrite',
      'error t.yaml:8:32: HTTPRoute/default/x: spec.rules[0].filters[1].cors: must be absent when type is URLRewrite; it belongs to type CORS',
      'error t.yaml:9:14: HTTPRoute/default/x: spec.rules[0].filters[2].type: must be one of RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, RequestRedirect, URLRewrite, CORS, ExtensionRef, ExternalAuth; is Cors',
      'error t.yaml:11:29: HTTPRoute/default/x: spec.rules[0].filters[3].cors.allowOrigins[0]: "*" must be the only item',
      'error t.yaml:11:75: HTTPRoute/default/x: spec.rules[0].filters[3].cors.allowMethods[0]: must be one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, *; is FETCH',
      'error t.yaml:11:91: HTTPRoute/default/x: spec.rules[0].filters[3].cors.maxAge: must be a whole number from 1 to 2147483647; is 0',
      'error t.yaml:13:44: HTTPRoute/default/x: spec.rules[0].filters[4].requestHeaderModifier.set[0].name: must be a header name (RFC 9110 token); is "a b"',
      'error t.yaml:13:58: HTTPRoute/default/x: spec.rules[0].filters[4].requestHeaderModifier.set[0].value: must be a header value of at most 4096 characters without control characters',
      'error t.yaml:13:99: HTTPRoute/default/x: spec.rules[0].filters[4].requestHeaderModifier.set[2].name: must be unique; x-a is used twice',
      'warning t.yaml:15:7: HTTPRoute/default/x: spec.rules[0].filters[5].requestMirror: is not implemented in this version and has no effect',
      'error t.yaml:17:7: HTTPRoute/default/x: spec.rules[0].filters[6].externalAuth: is not supported by this version: external authorization would not run',
    ],
  },
  {
    name: 'HTTPRoute: filters that exclude each other',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - {type: RequestRedirect, requestRedirect: {statusCode: 301}}
    - {type: URLRewrite, urlRewrite: {hostname: a.example.com}}
    - {type: URLRewrite, urlRewrite: {hostname: b.example.com}}
`,
    problems: [
      'error t.yaml:7:5: HTTPRoute/default/x: spec.rules[0].filters: must not hold both RequestRedirect and URLRewrite',
      'error t.yaml:9:7: HTTPRoute/default/x: spec.rules[0].filters[2]: must not repeat the filter URLRewrite',
    ],
  },
  {
    name: 'HTTPRoute: matches',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - name: a
    matches:
    - {path: {value: mcp}}
    - {path: {type: Exact, value: /a//b}}
    - {path: {value: /a/../b}}
    - {path: {value: "/a b"}}
    - {path: {type: RegularExpression, value: "("}}
  - name: a
`,
    problems: [
      'error t.yaml:8:22: HTTPRoute/default/x: spec.rules[0].matches[0].path.value: must start with "/" when type is PathPrefix',
      'error t.yaml:9:35: HTTPRoute/default/x: spec.rules[0].matches[1].path.value: must not contain "//" when type is Exact',
      'error t.yaml:10:22: HTTPRoute/default/x: spec.rules[0].matches[2].path.value: must not contain "/../" when type is PathPrefix',
      'error t.yaml:11:22: HTTPRoute/default/x: spec.rules[0].matches[3].path.value: must hold only characters of a path (RFC 3986 section 3.3) when type is PathPrefix',
      'error t.yaml:13:11: HTTPRoute/default/x: spec.rules[1].name: must be unique; a is used twice',
    ],
  },
  {
    name: 'HTTPRoute: enumerations and ranges',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  hostnames: [Example.com]
  rules:
  - matches:
    - {path: {type: Prefix, value: /a}, method: get}
    backendRefs:
    - {name: b, weight: -1}
    - {name: b, port: 0}
    timeouts: {request: 5 minutes, backendRequest: "10"}
  - filters:
    - {type: RequestRedirect, requestRedirect: {statusCode: 200, scheme: ftp}}
    - {type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replacePrefixMatch: /x}}}
`,
    problems: [
      'error t.yaml:5:15: HTTPRoute/default/x: spec.hostnames[0]: must be a host name in lower case, such as mcp.example.com or *.example.com; is "Example.com"',
      'error t.yaml:8:21: HTTPRoute/default/x: spec.rules[0].matches[0].path.type: must be one of Exact, PathPrefix, RegularExpression; is Prefix',
      'error t.yaml:8:49: HTTPRoute/default/x: spec.rules[0].matches[0].method: must be one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH; is get',
      'error t.yaml:10:25: HTTPRoute/default/x: spec.rules[0].backendRefs[0].weight: must be a whole number from 0 to 1000000; is -1',
      'error t.yaml:11:23: HTTPRoute/default/x: spec.rules[0].backendRefs[1].port: must be a whole number from 1 to 65535; is 0',
      'error t.yaml:12:25: HTTPRoute/default/x: spec.rules[0].timeouts.request: must be a duration such as 5m, 1h30m or 500ms; is "5 minutes"',
      'error t.yaml:12:52: HTTPRoute/default/x: spec.rules[0].timeouts.backendRequest: must be a duration such as 5m, 1h30m or 500ms; is "10"',
      'error t.yaml:14:61: HTTPRoute/default/x: spec.rules[1].filters[0].requestRedirect.statusCode: must be one of 301, 302, 303, 307, 308; is 200',
      'error t.yaml:14:74: HTTPRoute/default/x: spec.rules[1].filters[0].requestRedirect.scheme: must be one of http, https; is ftp',
      'error t.yaml:15:45: HTTPRoute/default/x: spec.rules[1].filters[1].urlRewrite.path.replaceFullPath: is required when type is ReplaceFullPath',
      'error t.yaml:15:89: HTTPRoute/default/x: spec.rules[1].filters[1].urlRewrite.path.replacePrefixMatch: must be absent when type is ReplaceFullPath; it belongs to type ReplacePrefixMatch',
    ],
  },
  {
    name: 'HTTPRoute: an unknown field',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - match: [{path: {value: /a}}]
    wibble: 1
`,
    problems: [
      'warning t.yaml:6:5: HTTPRoute/default/x: spec.rules[0].match: is not a known field; did you mean matches?',
      'warning t.yaml:7:5: HTTPRoute/default/x: spec.rules[0].wibble: is not a known field; known here: name, matches, filters, backendRefs, timeouts, retry, sessionPersistence',
    ],
  },
  {
    name: 'HTTPRoute: an unknown field, strict',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - match: [{path: {value: /a}}]
`,
    strict: true,
    problems: [
      'error t.yaml:6:5: HTTPRoute/default/x: spec.rules[0].match: is not a known field; did you mean matches?',
    ],
  },
]);
