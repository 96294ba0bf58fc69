import { testProblems } from './problem-table.ts';

testProblems([
  {
    name: 'Backend: type and block do not agree',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: x}
spec:
  type: MCP
  static: {hosts: [{host: a, port: 80}]}
`,
    problems: [
      'error t.yaml:5:3: Backend/default/x: spec.mcp: is required when type is MCP',
      'error t.yaml:6:11: Backend/default/x: spec.static: must be absent when type is MCP; it belongs to type Static',
    ],
  },
  {
    name: 'Backend: targets',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: x}
spec:
  type: MCP
  mcp:
    targets:
    - {name: a}
    - {name: b, static: {host: a, port: 1}, selector: {services: {}}}
    - {name: c, static: {host: "https://a.example.com/mcp", port: 443}}
    - {name: d, static: {host: a, port: 443, path: mcp, protocol: Sse}}
    - {name: e, selector: {}}
    - {name: f, selector: {service: {}, services: {}}}
    - {name: a, static: {host: "", port: 65536}}
`,
    problems: [
      'error t.yaml:8:7: Backend/default/x: spec.mcp.targets[0]: needs exactly one of static, selector; has neither',
      'error t.yaml:9:7: Backend/default/x: spec.mcp.targets[1]: needs exactly one of static, selector; has both',
      'error t.yaml:10:32: Backend/default/x: spec.mcp.targets[2].static.host: must be a host name or IP address, without scheme, port or path; is "https://a.example.com/mcp"',
      'error t.yaml:11:52: Backend/default/x: spec.mcp.targets[3].static.path: must be a path that starts with "/", without spaces and "#"; is mcp',
      'error t.yaml:11:67: Backend/default/x: spec.mcp.targets[3].static.protocol: must be one of StreamableHTTP, SSE; is Sse',
      'error t.yaml:12:27: Backend/default/x: spec.mcp.targets[4].selector: needs at least one of namespaces, services, namespace, service; has none',
      'error t.yaml:13:27: Backend/default/x: spec.mcp.targets[5].selector: may have only one of services, service; has both',
      'error t.yaml:14:14: Backend/default/x: spec.mcp.targets[6].name: must be unique; a is used twice',
      'error t.yaml:14:32: Backend/default/x: spec.mcp.targets[6].static.host: must be a host name or IP address, without scheme, port or path; is ""',
      'error t.yaml:14:42: Backend/default/x: spec.mcp.targets[6].static.port: must be a whole number from 1 to 65535; is 65536',
    ],
  },
  {
    name: 'Backend: a type that is not implemented',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: x}
spec: {type: AI, ai: {llm: {}}}
`,
    problems: [
      'warning t.yaml:4:18: Backend/default/x: spec.ai: is not implemented in this version and has no effect',
    ],
  },
  {
    name: 'Backend: an unknown type',
    text: `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: x}
spec: {type: mcp}
`,
    problems: [
      'error t.yaml:4:14: Backend/default/x: spec.type: must be one of MCP, Static, AI, AWS, DynamicForwardProxy; is mcp',
    ],
  },
  {
    name: 'AgentgatewayBackend',
    text: `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: x}
spec:
  static: {host: a, port: 80}
  mcp:
    failureMode: Never
    targets:
    - {name: a, static: {host: a, backendRef: {name: b}, port: 80}}
    - {name: b, static: {host: a, port: 80, policies: {tls: {insecureSkipVerify: All, sni: A}}}}
  policies:
    mcp: {guardrails: {}, authorization: {action: Audit, policy: {matchExpressions: []}}}
`,
    problems: [
      'error t.yaml:5:3: AgentgatewayBackend/default/x: spec: needs exactly one of mcp, static, a2a, ai, aws, dynamicForwardProxy; has mcp, static',
      'error t.yaml:7:18: AgentgatewayBackend/default/x: spec.mcp.failureMode: must be one of FailClosed, FailOpen; is Never',
      'error t.yaml:9:25: AgentgatewayBackend/default/x: spec.mcp.targets[0].static: needs exactly one of host, backendRef; has both',
      'error t.yaml:10:62: AgentgatewayBackend/default/x: spec.mcp.targets[1].static.policies.tls.insecureSkipVerify: is not supported by this version: a backend certificate is always verified',
      'error t.yaml:10:92: AgentgatewayBackend/default/x: spec.mcp.targets[1].static.policies.tls.sni: must be a host name in lower case without port, such as mcp.example.com; is A',
      'error t.yaml:12:11: AgentgatewayBackend/default/x: spec.policies.mcp.guardrails: is not supported by this version: guardrails would not run',
      'error t.yaml:12:51: AgentgatewayBackend/default/x: spec.policies.mcp.authorization.action: must be one of Allow, Deny, Require; is Audit',
      'error t.yaml:12:85: AgentgatewayBackend/default/x: spec.policies.mcp.authorization.policy.matchExpressions: must have at least 1 item; has 0',
    ],
  },
  {
    name: 'AgentgatewayBackend: nothing',
    text: `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: x}
spec: {}
`,
    problems: [
      'error t.yaml:4:7: AgentgatewayBackend/default/x: spec: needs exactly one of mcp, static, a2a, ai, aws, dynamicForwardProxy; has none',
    ],
  },
  {
    name: 'EnterpriseAgentgatewayBackend',
    text: `apiVersion: enterpriseagentgateway.solo.io/v1alpha1
kind: EnterpriseAgentgatewayBackend
metadata: {name: x}
spec: {entMcp: {}, mcp: {targets: []}}
`,
    problems: [
      'error t.yaml:4:7: EnterpriseAgentgatewayBackend/default/x: spec: needs exactly one of mcp, static, a2a, ai, aws, dynamicForwardProxy, entMcp; has mcp, entMcp',
      'warning t.yaml:4:8: EnterpriseAgentgatewayBackend/default/x: spec.entMcp: is not implemented in this version and has no effect',
      'error t.yaml:4:35: EnterpriseAgentgatewayBackend/default/x: spec.mcp.targets: must have at least 1 item; has 0',
    ],
  },
  {
    name: 'BackendTLSPolicy: neither CA nor System',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: "", kind: Service, name: a}]
  validation: {}
`,
    problems: [
      'error t.yaml:6:15: BackendTLSPolicy/default/x: spec.validation.hostname: is required',
      'error t.yaml:6:15: BackendTLSPolicy/default/x: spec.validation: needs exactly one of caCertificateRefs, wellKnownCACertificates; has neither',
    ],
  },
  {
    name: 'BackendTLSPolicy: both CA and System',
    text: `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: x}
spec:
  targetRefs: [{kind: Service, name: a}]
  validation:
    hostname: "*.example.com"
    wellKnownCACertificates: Sytem
    caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]
    subjectAltNames: [{type: URI, hostname: a}]
`,
    problems: [
      'error t.yaml:5:16: BackendTLSPolicy/default/x: spec.targetRefs[0].group: is required',
      'error t.yaml:7:5: BackendTLSPolicy/default/x: spec.validation: needs exactly one of caCertificateRefs, wellKnownCACertificates; has both',
      'error t.yaml:7:15: BackendTLSPolicy/default/x: spec.validation.hostname: must be a host name in lower case without port, such as mcp.example.com; is "*.example.com"',
      'error t.yaml:8:30: BackendTLSPolicy/default/x: spec.validation.wellKnownCACertificates: must be System; is Sytem',
      'error t.yaml:10:23: BackendTLSPolicy/default/x: spec.validation.subjectAltNames[0].uri: is required when type is URI',
      'error t.yaml:10:45: BackendTLSPolicy/default/x: spec.validation.subjectAltNames[0].hostname: must be absent when type is URI; it belongs to type Hostname',
    ],
  },
]);
