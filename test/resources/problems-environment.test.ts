import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'a variable that is not set',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set:
        - name: Authorization
          value: "Bearer \${GH_PAT}"
`,
    problems: [
      'error t.yaml:11:18: HTTPRoute/default/x: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: needs the environment variable GH_PAT, which is not set; write $${ for a literal ${',
    ],
  },
  {
    name: 'two variables that are not set',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set:
        - name: Authorization
          value: "\${USER_A}:\${PASSWORD_A}"
`,
    problems: [
      'error t.yaml:11:18: HTTPRoute/default/x: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: needs the environment variable USER_A, which is not set; write $${ for a literal ${',
      'error t.yaml:11:18: HTTPRoute/default/x: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: needs the environment variable PASSWORD_A, which is not set; write $${ for a literal ${',
    ],
  },
  {
    name: 'a reference that is not closed',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set:
        - name: Authorization
          value: "Bearer \${GH_PAT"
`,
    problems: [
      'error t.yaml:11:18: HTTPRoute/default/x: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: holds "${" without a variable name and "}"; write $${ for a literal ${',
    ],
  },
  {
    name: 'a reference without a proper name',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set:
        - name: Authorization
          value: "Bearer \${GH-PAT}"
`,
    problems: [
      'error t.yaml:11:18: HTTPRoute/default/x: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: holds "${" without a variable name and "}"; write $${ for a literal ${',
    ],
  },
  {
    name: 'a variable with a line break for a header',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec:
  rules:
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set:
        - name: Authorization
          value: "Bearer \${GH_PAT}"
`,
    environment: { GH_PAT: 'topsecret\nX-Admin: 1' },
    problems: [
      'error t.yaml:11:18: HTTPRoute/default/x: spec.rules[0].filters[0].requestHeaderModifier.set[0].value: must be a header value of at most 4096 characters without control characters',
    ],
  },
  {
    name: 'a variable where a number belongs',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: x}
spec: {type: Static, static: {hosts: [{host: a, port: "\${PORT}"}]}}
`,
    environment: { PORT: '8080' },
    problems: [
      'error t.yaml:4:55: Backend/default/x: spec.static.hosts[0].port: must be a whole number from 1 to 65535',
    ],
  },
  {
    name: 'a variable with a wrong word',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: x}
spec:
  type: \${TYPE}
`,
    environment: { TYPE: 'secretword' },
    problems: [
      'error t.yaml:5:9: Backend/default/x: spec.type: must be one of MCP, Static, AI, AWS, DynamicForwardProxy',
    ],
  },
]);
