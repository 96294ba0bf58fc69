import { caCertificatePem } from '../fixtures/certificates.ts';
import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import { backend, caConfigMap, gateway, route, service } from '../fixtures/small-resources.ts';

/** A Backend on line 1, so that the lines of the problems can be counted by eye. */
const backendWith = (targets: string, ...more: string[]): string =>
  [
    `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: bad}
spec:
  type: MCP
  mcp:
    targets:
${targets}
`,
    ...more,
  ].join('---');

/** A BackendTLSPolicy on line 1. */
const tlsWith = (spec: string, ...more: string[]): string =>
  [
    `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: bad}
spec:
${spec}
`,
    backend,
    service,
    ...more,
  ].join('---');

const onBackend = '{group: gateway.kgateway.dev, kind: Backend, name: mcp}';
const byCa = (ref: string): string => `  targetRefs: [${onBackend}]
  validation: {hostname: mcp.example.com, caCertificateRefs: [${ref}]}`;

const agentgatewayBackend = (spec: string, ...more: string[]): string =>
  [
    `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: bad}
spec:
${spec}
`,
    ...more,
  ].join('---');

testCompileProblems([
  {
    name: 'port 443 without TLS',
    text: backendWith('    - {name: a, static: {host: api.example.com, port: 443}}'),
    lines: [
      'warning t.yaml:8:55: Backend/default/bad: spec.mcp.targets[0].static.port: port 443 is spoken to in plain HTTP, because no BackendTLSPolicy targets it; add one for HTTPS',
    ],
  },
  {
    name: 'a selector that selects nothing',
    text: backendWith('    - {name: a, selector: {service: {matchLabels: {app: none}}}}', service),
    lines: [
      'warning t.yaml:8:27: Backend/default/bad: spec.mcp.targets[0].selector: selects no Service with a port whose appProtocol is kgateway.dev/mcp or kgateway.dev/mcp-sse',
    ],
  },
  {
    name: 'a selector whose target has the name of another',
    text: backendWith(
      `    - {name: svc-mcp, static: {host: 127.0.0.1, port: 1}}
    - {name: b, selector: {service: {matchLabels: {app: svc}}}}`,
      service,
    ),
    lines: [
      'error t.yaml:9:7: Backend/default/bad: spec.mcp.targets[1]: two targets of this backend have the name svc-mcp',
    ],
  },
  {
    name: 'a Service whose annotations are wrong',
    text: backendWith(
      '    - {name: b, selector: {service: {matchLabels: {app: svc}}}}',
      service.replace(
        'labels: {app: svc}',
        'labels: {app: svc}, annotations: {kgateway.dev/mcp-path: mcp, postern.dev/hosts: "127.0.0.1:80"}',
      ),
      service
        .replaceAll('svc', 'svd')
        .replace(
          'labels: {app: svd}',
          'labels: {app: svc}, annotations: {kgateway.dev/mcp-path: mcp}',
        ),
    ),
    lines: [
      'error t.yaml:12:56: Service/default/svc: metadata.annotations: the annotation postern.dev/hosts of Service default/svc must list host names or IP addresses without ports',
      'error t.yaml:20:80: Service/default/svd: metadata.annotations["kgateway.dev/mcp-path"]: must be a path that starts with "/", without spaces and "#"',
    ],
  },
  {
    name: 'an MCP Service with two hosts',
    text: backendWith(
      '    - {name: b, selector: {service: {matchLabels: {app: svc}}}}',
      service.replace(
        'labels: {app: svc}',
        'labels: {app: svc}, annotations: {postern.dev/hosts: "127.0.0.1, 127.0.0.2"}',
      ),
    ),
    lines: [
      'warning t.yaml:12:56: Service/default/svc: metadata.annotations: an MCP target has one host: only the first one is used',
    ],
  },
  {
    name: 'a target whose Service, or its port, is not there',
    text: agentgatewayBackend(
      `  mcp:
    targets:
    - {name: a, static: {backendRef: {name: none}, port: 80}}
    - {name: b, static: {backendRef: {name: svc}, port: 81}}
    - {name: c, static: {backendRef: {name: svc, kind: Backend, group: gateway.kgateway.dev}, port: 80}}`,
      service,
    ),
    lines: [
      'error t.yaml:7:45: AgentgatewayBackend/default/bad: spec.mcp.targets[0].static.backendRef.name: Service default/none not found',
      'error t.yaml:8:57: AgentgatewayBackend/default/bad: spec.mcp.targets[1].static.port: Service default/svc has no TCP port 81; it has 80, 3001',
      'error t.yaml:9:56: AgentgatewayBackend/default/bad: spec.mcp.targets[2].static.backendRef.kind: a target names a Service of the core group',
    ],
  },
  {
    name: 'a backend certificate that is not to be verified',
    text: agentgatewayBackend(`  static: {host: api.example.com, port: 443}
  policies: {tls: {insecureSkipVerify: All}}`),
    lines: [
      'error t.yaml:6:20: AgentgatewayBackend/default/bad: spec.policies.tls.insecureSkipVerify: is not supported by this version: a backend certificate is always verified',
    ],
  },
  {
    name: 'a TLS policy whose target is not there',
    text: tlsWith(`  targetRefs:
  - {group: gateway.kgateway.dev, kind: Backend, name: mpc}
  - {group: gateway.networking.k8s.io, kind: Gateway, name: gw}
  validation: {hostname: mcp.example.com, wellKnownCACertificates: System}`),
    lines: [
      'error t.yaml:6:56: BackendTLSPolicy/default/bad: spec.targetRefs[0].name: Backend default/mpc not found; did you mean mcp?',
      "error t.yaml:7:46: BackendTLSPolicy/default/bad: spec.targetRefs[1].kind: Gateway can't be the target of a BackendTLSPolicy; use Service, Backend, AgentgatewayBackend, EnterpriseAgentgatewayBackend",
    ],
  },
  {
    name: 'a TLS policy for a part that is not there',
    text: tlsWith(`  targetRefs:
  - {group: gateway.kgateway.dev, kind: Backend, name: mcp, sectionName: two}
  - {group: "", kind: Service, name: svc, sectionName: "81"}
  validation: {hostname: mcp.example.com, wellKnownCACertificates: System}`),
    lines: [
      'error t.yaml:6:74: BackendTLSPolicy/default/bad: spec.targetRefs[0].sectionName: Backend mcp has no target two; it has one',
      'error t.yaml:7:56: BackendTLSPolicy/default/bad: spec.targetRefs[1].sectionName: Service svc has no port 81; it has http, 80, mcp, 3001',
    ],
  },
  {
    name: 'CA certificates that are not there',
    text: tlsWith(byCa('{group: "", kind: ConfigMap, name: cb}'), caConfigMap),
    lines: [
      'error t.yaml:6:98: BackendTLSPolicy/default/bad: spec.validation.caCertificateRefs[0].name: ConfigMap default/cb not found; did you mean ca?',
    ],
  },
  {
    name: 'CA certificates in a Secret',
    text: tlsWith(byCa('{group: "", kind: Secret, name: ca}'), caConfigMap),
    lines: [
      'error t.yaml:6:81: BackendTLSPolicy/default/bad: spec.validation.caCertificateRefs[0].kind: CA certificates come from a ConfigMap of the core group; a Secret is not supported',
    ],
  },
  {
    name: 'a ConfigMap without ca.crt',
    text: tlsWith(
      byCa('{group: "", kind: ConfigMap, name: ca}'),
      caConfigMap.replace('ca.crt', 'ca.pem'),
    ),
    lines: [
      'error t.yaml:6:98: BackendTLSPolicy/default/bad: spec.validation.caCertificateRefs[0].name: ConfigMap default/ca has no entry ca.crt',
    ],
  },
  {
    name: 'a ConfigMap whose ca.crt is none, beside a good one',
    text: tlsWith(
      byCa('{group: "", kind: ConfigMap, name: good}, {group: "", kind: ConfigMap, name: ca}'),
      caConfigMap.replace('name: ca', 'name: good'),
      `
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: "${caCertificatePem.slice(0, 60).trim().replaceAll('\n', '\\n')}"}`,
    ),
    lines: [
      "error t.yaml:6:140: BackendTLSPolicy/default/bad: spec.validation.caCertificateRefs[1].name: the entry ca.crt of ConfigMap default/ca can't be used: a PEM certificate in it has no end",
    ],
  },
  {
    name: 'two TLS policies for one target: the first by name wins',
    text: ['b', 'a']
      .map(
        (name) => `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: ${name}}
spec:
  targetRefs: [${onBackend}]
  validation: {hostname: ${name}.example.com, wellKnownCACertificates: System}
`,
      )
      .concat(backend)
      .join('---\n'),
    lines: [
      'warning t.yaml:5:16: BackendTLSPolicy/default/b: spec.targetRefs[0]: BackendTLSPolicy/default/a already sets TLS for this target; this policy has no effect there',
    ],
  },
  {
    name: 'nothing of resources that are broken themselves: their own problems are enough',
    text: `${gateway.replace('port: 8080', 'port: 99999')}---${backend}---${route}`,
    lines: [
      'error t.yaml:7:50: Gateway/default/gw: spec.listeners[0].port: must be a whole number from 1 to 65535; is 99999',
    ],
  },
]);
