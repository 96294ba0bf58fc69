import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ListenerPlan, RulePlan } from '../../../src/plan.ts';
import { serverCertificatePem, serverKeyPem } from '../fixtures/certificates.ts';
import { compileText, planOf } from '../fixtures/compile-text.ts';
import { backend, gateway, secret, service } from '../fixtures/small-resources.ts';

const routeWith = (rule: string, more = ''): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route${more}}
spec:
  parentRefs: [{name: gw, namespace: default}]
  rules:
${rule}
`;
const toMcp = 'backendRefs: [{group: gateway.kgateway.dev, kind: Backend, name: mcp}]';

function rulesOf(rule: string): readonly RulePlan[] {
  const plan = planOf([gateway, backend, service, routeWith(rule)].join('---'));
  return plan.ports[0]?.listeners[0]?.rules ?? [];
}

test('a rule without matches matches every path', () => {
  const [rule] = rulesOf(`  - ${toMcp}`);
  assert.deepEqual(rule?.matches, [
    { path: { type: 'PathPrefix', value: '/' }, method: null, headers: [], queryParams: [] },
  ]);
});

test('all kinds of matches are carried over; header names become lower case', () => {
  const [rule] = rulesOf(`  - ${toMcp}
    matches:
    - path: {type: Exact, value: /a}
      method: POST
      headers: [{name: User-Type, value: admin}, {type: RegularExpression, name: x, value: "a+"}]
      queryParams: [{name: Q, value: v}, {type: RegularExpression, name: q, value: "b+"}]
    - {path: {type: RegularExpression, value: "/(a|b)"}}
    - {method: GET}`);
  assert.deepEqual(rule?.matches, [
    {
      path: { type: 'Exact', value: '/a' },
      method: 'POST',
      headers: [
        { type: 'Exact', name: 'user-type', value: 'admin' },
        { type: 'RegularExpression', name: 'x', value: 'a+' },
      ],
      queryParams: [
        { type: 'Exact', name: 'Q', value: 'v' },
        { type: 'RegularExpression', name: 'q', value: 'b+' },
      ],
    },
    {
      path: { type: 'RegularExpression', value: '/(a|b)' },
      method: null,
      headers: [],
      queryParams: [],
    },
    { path: { type: 'PathPrefix', value: '/' }, method: 'GET', headers: [], queryParams: [] },
  ]);
});

test('all filters are carried over in their order, CORS by itself', () => {
  const [rule, redirect] = rulesOf(`  - ${toMcp}
    name: main
    filters:
    - type: ResponseHeaderModifier
      responseHeaderModifier: {remove: [X-Old]}
    - type: CORS
      cors: {allowOrigins: ["https://*.example.com"], allowCredentials: true, exposeHeaders: [mcp-session-id], maxAge: 60}
    - type: URLRewrite
      urlRewrite: {hostname: up.example.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: ""}}
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: X-A, value: a}], add: [{name: X-B, value: b}]}
  - matches: [{path: {type: Exact, value: /old}}]
    filters:
    - type: RequestRedirect
      requestRedirect: {scheme: https, hostname: new.example.com, port: 8443, statusCode: 301, path: {type: ReplaceFullPath, replaceFullPath: /new}}`);
  assert.deepEqual(rule?.filters, [
    { type: 'ResponseHeaderModifier', set: [], add: [], remove: ['x-old'] },
    {
      type: 'URLRewrite',
      hostname: 'up.example.com',
      path: { type: 'ReplacePrefixMatch', value: '/' },
    },
    {
      type: 'RequestHeaderModifier',
      set: [{ name: 'x-a', value: 'a' }],
      add: [{ name: 'x-b', value: 'b' }],
      remove: [],
    },
  ]);
  assert.deepEqual(rule.cors, {
    allowOrigins: ['https://*.example.com'],
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: ['mcp-session-id'],
    allowCredentials: true,
    maxAgeSeconds: 60,
  });
  assert.deepEqual(redirect?.filters, [
    {
      type: 'RequestRedirect',
      scheme: 'https',
      hostname: 'new.example.com',
      path: { type: 'ReplaceFullPath', value: '/new' },
      port: 8443,
      statusCode: 301,
    },
  ]);
  assert.deepEqual(redirect.backends, []);
});

test('a redirect is 302 unless it says otherwise', () => {
  const [rule] = rulesOf(
    '  - filters: [{type: RequestRedirect, requestRedirect: {hostname: a.example.com}}]',
  );
  assert.deepEqual(rule?.filters, [
    {
      type: 'RequestRedirect',
      scheme: null,
      hostname: 'a.example.com',
      path: null,
      port: null,
      statusCode: 302,
    },
  ]);
});

const timeouts: [written: string, expected: RulePlan['timeouts']][] = [
  ['{}', { requestMs: null, backendRequestMs: null }],
  ['{request: 0s}', { requestMs: null, backendRequestMs: null }],
  ['{request: 0s, backendRequest: 1h}', { requestMs: null, backendRequestMs: 3_600_000 }],
  ['{request: 10s, backendRequest: 1s500ms}', { requestMs: 10_000, backendRequestMs: 1500 }],
  ['{request: 10s, backendRequest: 10s}', { requestMs: 10_000, backendRequestMs: 10_000 }],
];

for (const [written, expected] of timeouts) {
  test(`the timeouts ${written}`, () => {
    assert.deepEqual(rulesOf(`  - ${toMcp}\n    timeouts: ${written}`)[0]?.timeouts, expected);
  });
}

test('weights and filters of backendRefs are carried over; one backend stands once in the plan', () => {
  const text = [
    gateway,
    backend,
    service,
    routeWith(`  - backendRefs:
    - {name: svc, port: 80, weight: 9}
    - {name: svc, port: 80, weight: 0}
    - {group: gateway.kgateway.dev, kind: Backend, name: mcp, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x-a]}}]}`),
  ].join('---');
  const plan = planOf(text);
  assert.deepEqual(
    plan.backends.map(({ name }) => name),
    ['default/svc:80', 'default/mcp'],
  );
  assert.deepEqual(plan.ports[0]?.listeners[0]?.rules[0]?.backends, [
    { backend: 0, invalid: null, weight: 9, filters: [] },
    { backend: 0, invalid: null, weight: 0, filters: [] },
    {
      backend: 1,
      invalid: null,
      weight: 1,
      filters: [{ type: 'RequestHeaderModifier', set: [], add: [], remove: ['x-a'] }],
    },
  ]);
});

const listenersOf = (...texts: string[]): ListenerPlan[] =>
  planOf([backend, ...texts].join('---')).ports.flatMap(({ listeners }) => listeners);

const gatewayWith = (listeners: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw}
spec: {gatewayClassName: postern, listeners: [${listeners}]}
`;

test('listeners of one port stand together, with the hostnames that they share with the route', () => {
  const plan = planOf(
    [
      gatewayWith(`{name: a, protocol: HTTP, port: 80, hostname: "*.example.com"},
        {name: b, protocol: HTTP, port: 81}, {name: c, protocol: HTTP, port: 80, hostname: other.org}`),
      backend,
      routeWith(`  - ${toMcp}`).replace(
        '  rules:',
        '  hostnames: [mcp.example.com, b.org]\n  rules:',
      ),
    ].join('---'),
  );
  assert.deepEqual(
    plan.ports.map(({ port, listeners }) => [
      port,
      listeners.map(({ name, hostname, rules }) => [
        name,
        hostname,
        rules.map((rule) => rule.hostnames),
      ]),
    ]),
    [
      [
        80,
        [
          ['a', '*.example.com', [['mcp.example.com']]],
          ['c', 'other.org', []],
        ],
      ],
      [81, [['b', null, [['mcp.example.com', 'b.org']]]]],
    ],
  );
});

for (const [name, ref, expected] of [
  ['sectionName', '{name: gw, sectionName: b}', [0, 1]],
  ['port', '{name: gw, port: 80}', [1, 0]],
  ['neither', '{name: gw}', [1, 1]],
] as const) {
  test(`a parentRef with ${name} picks listeners`, () => {
    const listeners = listenersOf(
      gatewayWith('{name: a, protocol: HTTP, port: 80}, {name: b, protocol: HTTP, port: 81}'),
      routeWith(`  - ${toMcp}`).replace('{name: gw, namespace: default}', ref),
    );
    assert.deepEqual(
      listeners.map(({ rules }) => rules.length),
      expected,
    );
  });
}

const otherNamespace = `
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {team: a}}
`;
const redirectRule =
  '  - filters: [{type: RequestRedirect, requestRedirect: {hostname: a.example.com}}]';
const allowed: [rule: string, attaches: boolean][] = [
  ['', false],
  ['namespaces: {from: Same}', false],
  ['namespaces: {from: None}', false],
  ['namespaces: {from: All}', true],
  ['namespaces: {from: Selector, selector: {matchLabels: {team: a}}}', true],
  ['namespaces: {from: Selector, selector: {matchLabels: {team: b}}}', false],
  [
    'namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: other}}}',
    true,
  ],
  [
    'namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: In, values: [a, b]}]}}',
    true,
  ],
  [
    'namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: NotIn, values: [a]}]}}',
    false,
  ],
  [
    'namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: Exists}]}}',
    true,
  ],
  [
    'namespaces: {from: Selector, selector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}',
    false,
  ],
];

for (const [rule, attaches] of allowed) {
  test(`a route of another namespace ${attaches ? 'attaches' : 'does not attach'}: allowedRoutes {${rule}}`, () => {
    const text = [
      gatewayWith(`{name: a, protocol: HTTP, port: 80, allowedRoutes: {${rule}}}`),
      routeWith(redirectRule, ', namespace: other'),
      otherNamespace,
    ].join('---');
    const { plan, lines } = compileText(text);
    assert.equal(plan !== null, attaches);
    if (!attaches) assert.match(lines.join(), /allows HTTPRoutes of namespace other/);
  });
}

test('a listener with HTTPS carries its certificate and key', () => {
  const text = gatewayWith(
    '{name: a, protocol: HTTPS, port: 443, hostname: mcp.example.com, tls: {certificateRefs: [{name: cert}]}}',
  );
  const [listener] = listenersOf(text, secret);
  assert.deepEqual(listener?.tls, {
    secret: 'default/cert',
    certificateChainPem: serverCertificatePem,
    privateKeyPem: serverKeyPem,
  });
});

test('a Secret may be base64, and lie in another namespace that grants it', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const granted = `
apiVersion: v1
kind: Secret
metadata: {name: cert, namespace: certs}
type: kubernetes.io/tls
data: {tls.crt: ${base64(serverCertificatePem)}, tls.key: ${base64(serverKeyPem)}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g, namespace: certs}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]
  to: [{group: "", kind: Secret, name: cert}]
`;
  const text = gatewayWith(
    '{name: a, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: cert, namespace: certs}]}}',
  );
  assert.equal(listenersOf(text, granted)[0]?.tls?.privateKeyPem, serverKeyPem);
});

test("a Gateway's addresses become ports of their own, IPv6 in one form", () => {
  const text = gatewayWith('{name: a, protocol: HTTP, port: 80}').replace(
    'listeners:',
    'addresses: [{value: 127.0.0.1}, {type: IPAddress, value: "0:0::1"}, {value: "::1"}], listeners:',
  );
  assert.deepEqual(
    planOf(text).ports.map(({ address, listeners }) => [address, listeners.length]),
    [
      ['127.0.0.1', 1],
      ['::1', 1],
    ],
  );
});
