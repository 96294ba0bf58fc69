import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BackendPlan, TargetPlan } from '../../../src/plan.ts';
import { caCertificatePem } from '../fixtures/certificates.ts';
import { planOf } from '../fixtures/compile-text.ts';
import { backend, base, caConfigMap, gateway, service } from '../fixtures/small-resources.ts';

const routeTo = (ref: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [${ref}]}]}
`;
const toMcp = routeTo('{group: gateway.kgateway.dev, kind: Backend, name: mcp}');
const toService = routeTo('{name: svc, port: 80}');

function firstBackend(...texts: string[]): BackendPlan {
  const [plan] = planOf([gateway, ...texts].join('---')).backends;
  assert.ok(plan);
  return plan;
}

const mcpBackend = (targets: string): string => `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: mcp}
spec: {type: MCP, mcp: {targets: [${targets}]}}
`;

const selected = (...services: string[]): readonly TargetPlan[] =>
  firstBackend(
    toMcp,
    mcpBackend('{name: sel, selector: {service: {matchLabels: {app: svc}}}}'),
    ...services,
  ).targets;

const tlsPolicy = (name: string, target: string, hostname: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: ${name}}
spec:
  targetRefs: [${target}]
  validation: {hostname: ${hostname}, wellKnownCACertificates: System}
`;

const statics: [target: string, expected: Partial<TargetPlan>][] = [
  ['{host: a.example.com, port: 80}', { path: '/mcp', protocol: 'StreamableHTTP' }],
  ['{host: a.example.com, port: 80, protocol: SSE}', { path: '/sse', protocol: 'SSE' }],
  ['{host: a.example.com, port: 80, protocol: SSE, path: /x}', { path: '/x', protocol: 'SSE' }],
];

for (const [target, expected] of statics) {
  test(`a static MCP target ${target}`, () => {
    const { type, targets } = firstBackend(toMcp, mcpBackend(`{name: one, static: ${target}}`));
    assert.equal(type, 'MCP');
    assert.deepEqual(targets, [
      { name: 'one', host: 'a.example.com', port: 80, tls: null, ...expected },
    ]);
  });
}

const dns = 'svc.default.svc.cluster.local';
const hosts = (value: string): string =>
  service.replace(
    'labels: {app: svc}',
    `labels: {app: svc}, annotations: {postern.dev/hosts: "${value}"}`,
  );
const external = service.replace(
  'spec:\n',
  'spec:\n  type: ExternalName\n  externalName: svc.example.com\n',
);

const services: [name: string, service: string, port: number, expected: [string, number][]][] = [
  ['its name in the DNS of the cluster, at the port', service, 80, [[dns, 80]]],
  ['its external name, at the target port', external, 80, [['svc.example.com', 8000]]],
  ['its annotation, at the target port', hosts('127.0.0.1'), 80, [['127.0.0.1', 8000]]],
  [
    'several hosts',
    hosts('127.0.0.1, ::1'),
    80,
    [
      ['127.0.0.1', 8000],
      ['::1', 8000],
    ],
  ],
  [
    'the port where the target port has a name',
    hosts('127.0.0.1').replace('8000', 'web'),
    80,
    [['127.0.0.1', 80]],
  ],
];

for (const [name, text, port, expected] of services) {
  test(`a Service is dialled at ${name}`, () => {
    const plan = firstBackend(routeTo(`{name: svc, port: ${port}}`), text);
    assert.deepEqual(
      [plan.name, plan.kind, plan.type],
      [`default/svc:${port}`, 'Service', 'Static'],
    );
    assert.deepEqual(
      plan.targets,
      expected.map(([host, at]) => ({
        name: 'svc',
        host,
        port: at,
        path: null,
        protocol: 'HTTP',
        tls: null,
      })),
    );
  });
}

test('a Service port that says MCP is an MCP backend', () => {
  const plan = firstBackend(routeTo('{name: svc, port: 3001}'), service);
  assert.equal(plan.type, 'MCP');
  assert.deepEqual(plan.targets, [
    { name: 'svc-mcp', host: dns, port: 3001, path: '/mcp', protocol: 'StreamableHTTP', tls: null },
  ]);
});

const selectors: [name: string, service: string, expected: Partial<TargetPlan>][] = [
  ['a named port', service, {}],
  ['a port without a name', service.replace('name: mcp, port', 'port'), { name: 'svc-3001' }],
  ['SSE', service.replace('/mcp}', '/mcp-sse}'), { protocol: 'SSE', path: '/sse' }],
  ['the younger spelling', service.replace('kgateway.dev/mcp', 'agentgateway.dev/mcp'), {}],
  [
    'a path',
    service.replace('{app: svc}', '{app: svc}, annotations: {kgateway.dev/mcp-path: /x}'),
    { path: '/x' },
  ],
  [
    'a path and a name in the younger spelling',
    service.replace(
      '{app: svc}',
      '{app: svc}, annotations: {agentgateway.dev/mcp-path: /x, agentgateway.dev/mcp-target-name: tools}',
    ),
    { path: '/x', name: 'tools' },
  ],
];

for (const [name, text, expected] of selectors) {
  test(`a selector takes the ports that say MCP: ${name}`, () => {
    assert.deepEqual(selected(text), [
      {
        name: 'svc-mcp',
        host: dns,
        port: 3001,
        path: '/mcp',
        protocol: 'StreamableHTTP',
        tls: null,
        ...expected,
      },
    ]);
  });
}

test("a selector without namespaces looks into the backend's own namespace", () => {
  const elsewhere = service.replace('{name: svc,', '{name: svc, namespace: other,');
  assert.deepEqual(
    selected(service, elsewhere).map(({ host }) => host),
    [dns],
  );
});

test('a selector of namespaces goes by their labels', () => {
  const target =
    '{name: sel, selector: {namespaces: {matchLabels: {kubernetes.io/metadata.name: other}}}}';
  const elsewhere = service.replace('{name: svc,', '{name: svc, namespace: other,');
  const { targets } = firstBackend(toMcp, mcpBackend(target), service, elsewhere);
  assert.deepEqual(
    targets.map(({ host }) => host),
    ['svc.other.svc.cluster.local'],
  );
});

const onMcp = '{group: gateway.kgateway.dev, kind: Backend, name: mcp}';
const tlsRows: [name: string, texts: string[], serverName: string | null][] = [
  ['none', [], null],
  ['the backend', [tlsPolicy('a', onMcp, 'a.example.com')], 'a.example.com'],
  [
    'one target of it',
    [tlsPolicy('a', onMcp.replace('}', ', sectionName: one}'), 'a.example.com')],
    'a.example.com',
  ],
  [
    'the target before the backend',
    [
      tlsPolicy('a', onMcp, 'a.example.com'),
      tlsPolicy('b', onMcp.replace('}', ', sectionName: one}'), 'b.example.com'),
    ],
    'b.example.com',
  ],
  [
    'the first by name',
    [tlsPolicy('b', onMcp, 'b.example.com'), tlsPolicy('a', onMcp, 'a.example.com')],
    'a.example.com',
  ],
];

for (const [name, texts, serverName] of tlsRows) {
  test(`TLS to an MCP target comes from the policy of ${name}`, () => {
    const [target] = firstBackend(toMcp, backend, ...texts).targets;
    assert.equal(target?.tls?.serverName ?? null, serverName);
  });
}

for (const section of ['', ', sectionName: http', ', sectionName: "80"']) {
  test(`TLS to a Service comes from its policy${section}`, () => {
    const policy = tlsPolicy(
      'a',
      `{group: "", kind: Service, name: svc${section}}`,
      'a.example.com',
    );
    const [target] = firstBackend(toService, service, policy).targets;
    assert.equal(target?.tls?.serverName, 'a.example.com');
  });
}

test('TLS to a selected target comes from the policy of its Service', () => {
  const policy = tlsPolicy(
    'a',
    '{group: "", kind: Service, name: svc, sectionName: mcp}',
    'a.example.com',
  );
  assert.equal(selected(service, policy)[0]?.tls?.serverName, 'a.example.com');
});

test('CA certificates and names of a BackendTLSPolicy are carried over, in both versions', () => {
  for (const version of ['v1', 'v1alpha3']) {
    const policy = `
apiVersion: gateway.networking.k8s.io/${version}
kind: BackendTLSPolicy
metadata: {name: tls}
spec:
  targetRefs: [${onMcp}]
  validation:
    hostname: mcp.example.com
    caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]
    subjectAltNames: [{type: Hostname, hostname: a.example.com}, {type: URI, uri: "spiffe://a/b"}]
`;
    assert.deepEqual(firstBackend(toMcp, backend, policy, caConfigMap).targets[0]?.tls, {
      policy: 'BackendTLSPolicy/default/tls',
      serverName: 'mcp.example.com',
      caCertificatesPem: caCertificatePem,
      subjectAltNames: [
        { type: 'Hostname', value: 'a.example.com' },
        { type: 'URI', value: 'spiffe://a/b' },
      ],
      invalid: null,
    });
  }
});

const agentgatewayBackend = (spec: string): string => `
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: ag}
spec: {${spec}}
`;
const toAgentgateway = routeTo('{group: agentgateway.dev, kind: AgentgatewayBackend, name: ag}');
const target = 'mcp: {targets: [{name: one, static: {host: a.example.com, port: 443}}]}';
const agentgatewayTls = `
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: tls}
spec:
  targetRefs: [{group: agentgateway.dev, kind: AgentgatewayBackend, name: ag}]
  backend: {tls: {sni: policy.example.com}}
`;

const inlineRows: [name: string, texts: string[], serverName: string][] = [
  [
    'of the target, verified for its host',
    [agentgatewayBackend(target.replace('443}', '443, policies: {tls: {}}}'))],
    'a.example.com',
  ],
  [
    'of the target before that of the backend',
    [
      agentgatewayBackend(
        `${target.replace('443}', '443, policies: {tls: {sni: b.example.com}}}')}, policies: {tls: {sni: c.example.com}}`,
      ),
    ],
    'b.example.com',
  ],
  [
    'of the backend before that of a policy',
    [agentgatewayBackend(`${target}, policies: {tls: {sni: c.example.com}}`), agentgatewayTls],
    'c.example.com',
  ],
  ['of a policy', [agentgatewayBackend(target), agentgatewayTls], 'policy.example.com'],
  [
    'of a static backend',
    [agentgatewayBackend('static: {host: s.example.com, port: 443}, policies: {tls: {}}')],
    's.example.com',
  ],
];

for (const [name, texts, serverName] of inlineRows) {
  test(`TLS of an AgentgatewayBackend is ${name}`, () => {
    const [plan] = firstBackend(toAgentgateway, ...texts).targets;
    assert.equal(plan?.tls?.serverName, serverName);
    assert.equal(plan.tls.caCertificatesPem, null);
  });
}

test('a target of an AgentgatewayBackend may name a Service', () => {
  const text = agentgatewayBackend(
    'mcp: {targets: [{name: one, static: {backendRef: {name: svc}, port: 80, path: /x}}]}',
  );
  assert.deepEqual(firstBackend(toAgentgateway, text, hosts('127.0.0.1')).targets, [
    {
      name: 'one',
      host: '127.0.0.1',
      port: 8000,
      path: '/x',
      protocol: 'StreamableHTTP',
      tls: null,
    },
  ]);
});

test('a backend of a type that is not supported is a dead end with a reason', () => {
  const text = backend.replace(
    '{type: MCP, mcp: {targets: [{name: one, static: {host: 127.0.0.1, port: 3001}}]}}',
    '{type: AI, ai: {}}',
  );
  const plan = planOf([gateway, toMcp, text].join('---'));
  assert.deepEqual(plan.backends, []);
  assert.deepEqual(plan.ports[0]?.listeners[0]?.rules[0]?.backends, [
    {
      backend: null,
      invalid: 'Backend/default/mcp is of type AI, which is not supported',
      weight: 1,
      filters: [],
    },
  ]);
});

const grant = (from: string, to: string): string => `
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: other}
spec: {from: [${from}], to: [${to}]}
`;
const fromRoute = '{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}';
const elsewhere = service.replace('{name: svc,', '{name: svc, namespace: other,');
const toElsewhere = routeTo('{name: svc, namespace: other, port: 80}');

const grants: [name: string, grant: string, allowed: boolean][] = [
  ['for all Services', grant(fromRoute, '{group: "", kind: Service}'), true],
  ['for this Service', grant(fromRoute, '{group: "", kind: Service, name: svc}'), true],
  ['for another Service', grant(fromRoute, '{group: "", kind: Service, name: x}'), false],
  ['for Secrets', grant(fromRoute, '{group: "", kind: Secret}'), false],
  ['for another group', grant(fromRoute, '{group: apps, kind: Service}'), false],
  [
    'from another namespace',
    grant(fromRoute.replace('default', 'x'), '{group: "", kind: Service}'),
    false,
  ],
  [
    'from another kind',
    grant(fromRoute.replace('HTTPRoute', 'Gateway'), '{group: "", kind: Service}'),
    false,
  ],
  [
    'in another namespace than the Service',
    grant(fromRoute, '{group: "", kind: Service}').replace('namespace: other}', 'namespace: x}'),
    false,
  ],
];

for (const [name, text, allowed] of grants) {
  test(`a reference into another namespace with a ReferenceGrant ${name} is ${allowed ? 'allowed' : 'refused'}`, () => {
    const compile = (): unknown => planOf([gateway, toElsewhere, elsewhere, text].join('---'));
    if (allowed) compile();
    else assert.throws(compile, /no ReferenceGrant there allows it/);
  });
}

test('backends that no route refers to are checked, but not part of the plan', () => {
  const plan = planOf(
    [
      base,
      mcpBackend('{name: a, static: {host: a, port: 1}}').replace('name: mcp', 'name: unused'),
    ].join('---'),
  );
  assert.deepEqual(
    plan.backends.map(({ name }) => name),
    ['default/mcp'],
  );
});
