import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'no spec',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
`,
    problems: ['error t.yaml:1:1: Gateway/default/x: spec: is required'],
  },
  {
    name: 'an empty spec',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec:
`,
    problems: ['error t.yaml:4:6: Gateway/default/x: spec: must be a mapping; is empty'],
  },
  {
    name: 'a field beside spec that belongs into it',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: x}
spec: {controllerName: a/b}
controlerName: x
description: y
`,
    problems: [
      'warning t.yaml:5:1: GatewayClass/x: controlerName: is not a known field; known here: apiVersion, kind, metadata, status, spec',
      'warning t.yaml:6:1: GatewayClass/x: description: is not a known field here; did you mean spec.description?',
    ],
  },
  {
    name: 'Gateway: wrong types',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec:
  gatewayClassName: 5
  listeners:
    name: http
`,
    problems: [
      'error t.yaml:5:21: Gateway/default/x: spec.gatewayClassName: must be a name of lower-case letters, digits, "-" and "." (RFC 1123), at most 253 characters; is 5',
      'error t.yaml:7:5: Gateway/default/x: spec.listeners: must be a list; is a mapping',
    ],
  },
  {
    name: 'Gateway: ranges, enumerations, names',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec:
  gatewayClassName: c
  listeners:
  - {name: a, protocol: HTTP, port: 0}
  - {name: a, protocol: http, port: 70000}
  - {name: b, protocol: HTTP, port: 80.5, hostname: "*.*.example.com"}
  - {name: c, protocol: HTTP, port: "8080", allowedRoutes: {namespaces: {from: all}}}
  - {protocol: HTTP}
`,
    problems: [
      'error t.yaml:7:37: Gateway/default/x: spec.listeners[0].port: must be a whole number from 1 to 65535; is 0',
      'error t.yaml:8:12: Gateway/default/x: spec.listeners[1].name: must be unique; a is used twice',
      'error t.yaml:8:25: Gateway/default/x: spec.listeners[1].protocol: must be one of HTTP, HTTPS, TLS, TCP, UDP; is http',
      'error t.yaml:8:37: Gateway/default/x: spec.listeners[1].port: must be a whole number from 1 to 65535; is 70000',
      'error t.yaml:9:37: Gateway/default/x: spec.listeners[2].port: must be a whole number from 1 to 65535; is 80.5',
      'error t.yaml:9:53: Gateway/default/x: spec.listeners[2].hostname: must be a host name in lower case, such as mcp.example.com or *.example.com; is "*.*.example.com"',
      'error t.yaml:10:37: Gateway/default/x: spec.listeners[3].port: must be a whole number from 1 to 65535; is "8080"',
      'error t.yaml:10:80: Gateway/default/x: spec.listeners[3].allowedRoutes.namespaces.from: must be one of All, Selector, Same, None; is all',
      'error t.yaml:11:5: Gateway/default/x: spec.listeners[4].name: is required',
      'error t.yaml:11:5: Gateway/default/x: spec.listeners[4].port: is required',
    ],
  },
  {
    name: 'Gateway: no listeners',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec: {gatewayClassName: c, listeners: []}
`,
    problems: [
      'error t.yaml:4:40: Gateway/default/x: spec.listeners: must have at least 1 item; has 0',
    ],
  },
  {
    name: 'Gateway: fields of a listener that contradict each other',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec:
  gatewayClassName: c
  listeners:
  - {name: a, protocol: HTTP, port: 80, tls: {certificateRefs: [{name: s}]}}
  - {name: b, protocol: HTTPS, port: 443}
  - {name: c, protocol: HTTPS, port: 444, tls: {mode: Passthrough}}
  - {name: d, protocol: HTTPS, port: 445, tls: {certificateRefs: []}}
  - {name: e, protocol: HTTP, port: 81, allowedRoutes: {namespaces: {from: Selector}}}
  - {name: f, protocol: TCP, port: 82, hostname: a.example.com}
  - {name: g, protocol: HTTP, port: 80}
`,
    problems: [
      'error t.yaml:7:46: Gateway/default/x: spec.listeners[0].tls: must be absent when protocol is HTTP',
      'error t.yaml:8:5: Gateway/default/x: spec.listeners[1].tls: is required when protocol is HTTPS',
      'error t.yaml:9:55: Gateway/default/x: spec.listeners[2].tls.mode: must be Terminate when protocol is HTTPS; is Passthrough',
      'error t.yaml:10:66: Gateway/default/x: spec.listeners[3].tls.certificateRefs: must name a Secret of type kubernetes.io/tls when mode is Terminate',
      'error t.yaml:11:69: Gateway/default/x: spec.listeners[4].allowedRoutes.namespaces.selector: is required when from is Selector',
      'error t.yaml:12:50: Gateway/default/x: spec.listeners[5].hostname: must be absent when protocol is TCP',
      'error t.yaml:13:5: Gateway/default/x: spec.listeners[6]: must differ from listener a in port, protocol or hostname',
    ],
  },
  {
    name: 'Gateway: client certificates, which are refused',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: x}
spec:
  gatewayClassName: c
  infrastructure: {labels: {a: b}}
  listeners:
  - name: a
    protocol: HTTPS
    port: 443
    tls:
      certificateRefs: [{name: s}]
      frontendValidation: {caCertificateRefs: []}
`,
    problems: [
      'warning t.yaml:6:3: Gateway/default/x: spec.infrastructure: is not implemented in this version and has no effect',
      'error t.yaml:13:7: Gateway/default/x: spec.listeners[0].tls.frontendValidation: is not supported by this version: client certificates would not be checked',
    ],
  },
]);
