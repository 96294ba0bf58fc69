import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretEntry } from '../../src/resources/kinds/secret.ts';
import { loadLimits, loadResources, type Loaded } from '../../src/resources/load.ts';
import { formatProblem } from '../../src/resources/problem.ts';

function load(text: string, environment: Record<string, string> = {}, strict = false): Loaded {
  return loadResources([{ file: 't.yaml', text }], { environment, strict });
}

function lines(loaded: Loaded): readonly string[] {
  return loaded.problems.map(formatProblem);
}

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: agentgateway, namespace: gloo-system, labels: {app: agentgateway}}
spec:
  gatewayClassName: agentgateway-enterprise
  listeners:
  - {name: http, protocol: HTTP, port: 8080, allowedRoutes: {namespaces: {from: All}}}
`;

const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: mcp-github, namespace: gloo-system}
spec:
  parentRefs: [{name: agentgateway}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /mcp-github}}]
    filters:
    - type: CORS
      cors: {allowHeaders: ["*"], allowMethods: ["*"], allowOrigins: ["http://localhost:8080"]}
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: Authorization, value: "Bearer \${GH_PAT}"}]}
    backendRefs: [{name: github-mcp-backend, group: gateway.kgateway.dev, kind: Backend}]
`;

const backend = `apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: github-mcp-backend, namespace: gloo-system}
spec:
  type: MCP
  mcp:
    targets:
    - name: mcp-target
      static: {host: api.githubcopilot.com, port: 443, path: /mcp/}
`;

const policies = `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: github-mcp-backend-tls, namespace: gloo-system}
spec:
  targetRefs: [{name: github-mcp-backend, kind: Backend, group: gateway.kgateway.dev}]
  validation: {hostname: api.githubcopilot.com, wellKnownCACertificates: System}
---
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: jwt, namespace: gloo-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: agentgateway}]
  glooJWT:
    beforeExtAuth:
      validationPolicy: RequireValid
      providers:
        keycloak:
          issuer: https://keycloak.example.com/realms/mcp
          audiences: [http://localhost:8080/mcp]
          keepToken: false
          clockSkewSeconds: 60
          tokenSource: {headers: [{header: Authorization, prefix: "Bearer "}], queryParams: [access_token]}
          claimsToHeaders: [{claim: email, header: x-email, append: false}]
          jwks:
            remote:
              url: https://keycloak.example.com/realms/mcp/protocol/openid-connect/certs
              backendRef: {kind: Service, name: keycloak, namespace: keycloak, port: 8080}
              cacheDuration: 5m
              asyncFetch: {fastListener: false}
  rbac:
    policy:
      matchExpressions: ['jwt.sub == "alice"']
---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: jwt-rbac, namespace: agentgateway-system}
spec:
  targetRefs: [{group: agentgateway.dev, kind: AgentgatewayBackend, name: github-mcp-backend}]
  traffic:
    jwtAuthentication: {mode: Strict, providers: [{issuer: solo.io, jwks: {inline: '{"keys":[]}'}}]}
  backend: {mcp: {authorization: {action: Allow, policy: {matchExpressions: ['mcp.tool.name == "get_me"']}}}}
---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: github-mcp-backend, namespace: agentgateway-system}
spec: {mcp: {targets: [{name: mcp-target, static: {host: api.githubcopilot.com, port: 443, path: /mcp/, policies: {tls: {sni: api.githubcopilot.com}}}}]}}
---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: {name: mcp-backend}
spec:
  type: MCP
  mcp:
    targets:
    - name: mcp-website-fetcher
      static: {host: mcp-website-fetcher.default.svc.cluster.local, port: 80, protocol: SSE}
    - name: mcp-server-everything
      selector: {service: {matchLabels: {app: mcp-server-everything}}}
---
apiVersion: v1
kind: Service
metadata: {name: mcp-server-everything, labels: {app: mcp-server-everything}, annotations: {kgateway.dev/mcp-path: /mcp}}
spec:
  selector: {app: mcp-server-everything}
  ports: [{protocol: TCP, port: 3001, targetPort: 3001, appProtocol: kgateway.dev/mcp}]
---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: GatewayExtension
metadata: {name: providers}
spec:
  jwt: {providers: [{name: a, issuer: solo.io, jwks: {local: {configMapRef: {name: keys}}}, tokenSource: {queryParameter: t}}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {kubernetes.io/metadata.name: team-a}, creationTimestamp: null}
spec: {finalizers: [kubernetes]}
status: {phase: Active}
`;

test("the guide's resources load without a problem, in load order", () => {
  const text = [gateway, route, backend, policies].join('---\n');
  const loaded = load(text, { GH_PAT: 'ghp_x' }, true);
  assert.deepEqual(lines(loaded), []);
  assert.deepEqual(
    loaded.resources.all.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
    [
      'Gateway/gloo-system/agentgateway',
      'HTTPRoute/gloo-system/mcp-github',
      'Backend/gloo-system/github-mcp-backend',
      'BackendTLSPolicy/gloo-system/github-mcp-backend-tls',
      'GlooTrafficPolicy/gloo-system/jwt',
      'AgentgatewayPolicy/agentgateway-system/jwt-rbac',
      'AgentgatewayBackend/agentgateway-system/github-mcp-backend',
      'Backend/default/mcp-backend',
      'Service/default/mcp-server-everything',
      'GatewayExtension/default/providers',
      'Namespace//team-a',
    ],
  );
  assert.equal(loaded.resources.ofKind('Backend').length, 2);
  assert.equal(loaded.resources.find('Backend', 'default', 'mcp-backend')?.spec.type, 'MCP');
  assert.equal(loaded.resources.find('Backend', 'gloo-system', 'mcp-backend'), undefined);
});

test('a resource carries its kind, version, names, labels and time as written', () => {
  const text = gateway.replace('labels:', 'creationTimestamp: "2026-01-31T12:00:00Z", labels:');
  const resource = load(text).resources.all[0];
  assert.ok(resource?.kind === 'Gateway');
  assert.equal(resource.group, 'gateway.networking.k8s.io');
  assert.equal(resource.version, 'v1');
  assert.equal(resource.createdAt, '2026-01-31T12:00:00Z');
  assert.deepEqual(resource.labels, { app: 'agentgateway' });
  assert.equal(resource.spec.listeners[0]?.port, 8080);
});

test('an origin answers where values and field names stand, and the nearest ancestor of what is absent', () => {
  const { origin } = load(`# first\n---\n${gateway}`).resources.all[0]!;
  const at = (...path: (string | number)[]): string => {
    const { file, line, column } = origin.position(path);
    return `${file}:${line}:${column}`;
  };
  assert.equal(at(), 't.yaml:3:1');
  assert.equal(at('spec', 'gatewayClassName'), 't.yaml:7:21');
  assert.equal(at('spec', 'listeners', 0, 'port'), 't.yaml:9:40');
  assert.equal(at('spec', 'listeners', 0, 'tls', 'mode'), 't.yaml:9:5');
  assert.equal(at('spec', 'listeners', 7), 't.yaml:9:3');
  const key = origin.keyPosition(['spec', 'listeners', 0, 'port']);
  assert.deepEqual([key.line, key.column], [9, 34]);
});

test('positions lead through aliases', () => {
  const text = `apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: &l {x: y}}
data: *l
`;
  const { origin } = load(text).resources.all[0]!;
  assert.deepEqual(origin.position(['data', 'x']), { file: 't.yaml', line: 3, column: 36 });
});

const sameDocument = [
  [
    'JSON',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v\\u00e9"}}',
  ],
  [
    'JSON with tabs',
    '{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "a"},\n\t"data": {\n\t\t"k":\t"v\\u00e9"\n\t}\n}',
  ],
  [
    'a byte order mark',
    '\ufeffapiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: vé}\n',
  ],
  ['CR LF', 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\ndata:\r\n  k: vé\r\n'],
  [
    'empty documents around it',
    '---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: vé}\n---\n...\n',
  ],
  [
    'a List',
    'apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: vé}}]',
  ],
  [
    'anchors',
    'apiVersion: &v v1\nkind: ConfigMap\nmetadata: {name: a, labels: {version: *v}}\ndata: {k: vé}\n',
  ],
] as const;

for (const [name, text] of sameDocument) {
  test(`the same document is read from ${name}`, () => {
    const loaded = load(text);
    assert.deepEqual(lines(loaded), []);
    const resource = loaded.resources.find('ConfigMap', 'default', 'a');
    assert.deepEqual(resource?.spec.data, { k: 'vé' });
  });
}

test('words that YAML 1.1 took for booleans, dates and numbers stay strings', () => {
  const text =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: yes, b: 2026-01-01, c: off, d: 1_000}';
  const loaded = load(text);
  assert.deepEqual(lines(loaded), []);
  assert.deepEqual(loaded.resources.all[0]!.spec, {
    data: { a: 'yes', b: '2026-01-01', c: 'off', d: '1_000' },
  });
});

test('a resource with an error is not in the set, but known as broken; the others are there', () => {
  const loaded = load([gateway.replace('8080', '0'), backend, route].join('---\n'));
  assert.deepEqual(
    loaded.resources.all.map(({ kind }) => kind),
    ['Backend'],
  );
  assert.ok(loaded.resources.isBroken('Gateway', 'gloo-system', 'agentgateway'));
  assert.ok(loaded.resources.isBroken('HTTPRoute', 'gloo-system', 'mcp-github'));
  assert.ok(!loaded.resources.isBroken('Backend', 'gloo-system', 'github-mcp-backend'));
});

test('problems of all files and documents are collected, each with its file', () => {
  const loaded = loadResources(
    [
      { file: 'b.yaml', text: 'kind: [\n' },
      { file: 'a.yaml', text: `${backend.replace('443', '0')}---\nkind: Foo\n` },
      { file: 'c.yaml', text: backend },
    ],
    { environment: {} },
  );
  assert.deepEqual(
    lines(loaded).map((line) => line.split(' ')[0]),
    ['b.yaml:2:1:', 'a.yaml:9:51:', 'a.yaml:11:1:', 'c.yaml:3:18:'],
  );
  assert.match(lines(loaded)[3]!, /is declared twice; the first is at a\.yaml:3:18$/);
});

test('a text, a number of documents, a depth and a number of values beyond the limits are refused', () => {
  const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n';
  const rows: readonly (readonly [string, RegExp])[] = [
    ['x'.repeat(loadLimits.maxTextLength + 1), /1:1: document 1: is too large; at most 4194304/],
    [
      '--- {apiVersion: v1, kind: Deployment}\n'.repeat(10_001),
      /document 10001: has too many documents; at most 10000 are read/,
    ],
    [`a: ${'['.repeat(1000)}`, /document 1: is nested too deeply; at most 64 levels/],
    [
      `a: ${'['.repeat(80)}${']'.repeat(80)}`,
      /1:70: document 1: is nested too deeply; at most 64 levels/,
    ],
    [`a: ${'{a: '.repeat(1000)}`, /document 1: is nested too deeply; at most 64 levels/],
    [`- `.repeat(100_000), /document 1: is nested too deeply; at most 64 levels/],
    [`${map}spec: [${'1,'.repeat(250_000)}]`, /holds too many values; at most 200000/],
    [']'.repeat(200_000), /reading stopped after too many errors/],
    [`[${'a,'.repeat(600_000)}]`, /is too long; at most 1000000 tokens/],
  ];
  for (const [text, expected] of rows) {
    const startedAt = performance.now();
    const found = lines(load(text));
    assert.ok(
      found.some((line) => expected.test(line)),
      `${String(expected)} in ${found.slice(0, 3).join('\n')}`,
    );
    assert.ok(performance.now() - startedAt < 60_000);
  }
});

test('aliases that would multiply without bound are refused at once', () => {
  let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x]\n';
  for (let i = 1; i < 20; i += 1) {
    bomb += `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(', ')}]\n`;
  }
  const startedAt = performance.now();
  const found = lines(load(bomb));
  assert.match(found[0]!, /is one alias too many; at most 100 are read/);
  assert.ok(performance.now() - startedAt < 20_000);
});

test('the number of reported problems is bounded, and what was left out is said', () => {
  const one = 'apiVersion: v1\nkind: Service\nmetadata: {name: A}\nspec: {type: x}\n';
  const { problems } = load(Array(1500).fill(one).join('---\n'));
  assert.equal(problems.length, loadLimits.maxProblems + 1);
  assert.equal(problems.at(-1)?.message, 'and 1000 further problems');
});

test('a problem can not forge a line', () => {
  const found = lines(load('apiVersion: v1\nkind: "Foo\\nok.yaml:1:1: fine\\u2028"\n'));
  assert.equal(found.length, 1);
  assert.doesNotMatch(found[0]!, /[\n\u2028]/);
});

test('entries of a Secret come from stringData first, then from base64', () => {
  const loaded = load(`apiVersion: v1
kind: Secret
metadata: {name: s}
data: {a: YQ==, b: "Yg=="}
stringData: {a: plain}
`);
  const { spec } = loaded.resources.find('Secret', 'default', 's')!;
  assert.equal(secretEntry(spec, 'a')?.toString(), 'plain');
  assert.equal(secretEntry(spec, 'b')?.toString(), 'b');
  assert.equal(secretEntry(spec, 'toString'), undefined);
});
