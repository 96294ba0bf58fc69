import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseAllDocuments } from 'yaml';

import type { Condition, Status } from '../../../src/resources/conditions.ts';
import { renderStatuses } from '../../../src/resources/render-statuses.ts';
import { compileText } from '../fixtures/compile-text.ts';
import { guideResources } from '../fixtures/guide-resources.ts';
import {
  backend,
  base,
  caConfigMap,
  gateway,
  glooRbac,
  onGateway,
  route,
  secret,
  service,
} from '../fixtures/small-resources.ts';

const short = (conditions: readonly Condition[] | undefined): string[] =>
  (conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);

function statusOf(text: string, kind: string, name: string): Status {
  const found = compileText(text).statuses.find((one) => one.kind === kind && one.name === name);
  assert.ok(found);
  return found.status;
}

test('every resource has a status, in load order', () => {
  const grant = `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g}
spec: {from: [{group: a, kind: A, namespace: a}], to: [{group: "", kind: Secret}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: c}
spec: {controllerName: a/b}
---
apiVersion: v1
kind: Namespace
metadata: {name: n}
`;
  const { statuses } = compileText([base, service, secret, caConfigMap, grant].join('---'));
  assert.deepEqual(
    statuses.map(({ kind }) => kind),
    [
      'Gateway',
      'Backend',
      'HTTPRoute',
      'Service',
      'Secret',
      'ConfigMap',
      'ReferenceGrant',
      'GatewayClass',
      'Namespace',
    ],
  );
  for (const { kind, status } of statuses) {
    if (kind === 'HTTPRoute') continue;
    assert.deepEqual(short(status.conditions)[0], 'Accepted True Accepted', kind);
  }
});

test('a Gateway and its listeners are accepted and programmed, with the number of routes', () => {
  const { conditions, listeners } = statusOf(base, 'Gateway', 'gw');
  assert.deepEqual(short(conditions), ['Accepted True Accepted', 'Programmed True Programmed']);
  const [listener] = listeners ?? [];
  assert.equal(listener?.attachedRoutes, 1);
  assert.deepEqual(short(listener.conditions), [
    'Accepted True Accepted',
    'ResolvedRefs True ResolvedRefs',
    'Conflicted False NoConflicts',
    'Programmed True Programmed',
  ]);
});

const bad = (text: string, from: string, to: string): string => {
  assert.ok(text.includes(from));
  return text.replace(from, to);
};

const routeRows: [name: string, text: string, expected: string[]][] = [
  ['a good route', base, ['Accepted True Accepted', 'ResolvedRefs True ResolvedRefs']],
  [
    'no Gateway',
    bad(base, 'parentRefs: [{name: gw}]', 'parentRefs: [{name: gone}]'),
    ['Accepted False NoMatchingParent', 'ResolvedRefs True ResolvedRefs'],
  ],
  [
    'no backend',
    [gateway, route].join('---'),
    ['Accepted True Accepted', 'ResolvedRefs False BackendNotFound'],
  ],
  [
    'a backend of an unknown kind',
    [gateway, bad(route, 'kind: Backend', 'kind: Bucket')].join('---'),
    ['Accepted True Accepted', 'ResolvedRefs False InvalidKind'],
  ],
  [
    'a backend that is not granted',
    [gateway, bad(route, 'name: mcp}', 'name: mcp, namespace: x}')].join('---'),
    ['Accepted True Accepted', 'ResolvedRefs False RefNotPermitted'],
  ],
  [
    'a hostname of nobody',
    [
      bad(gateway, 'port: 8080', 'port: 8080, hostname: a.org'),
      backend,
      bad(route, '  rules:', '  hostnames: [b.org]\n  rules:'),
    ].join('---'),
    ['Accepted False NoMatchingListenerHostname', 'ResolvedRefs True ResolvedRefs'],
  ],
  [
    'listeners that allow nobody',
    [
      bad(gateway, 'port: 8080', 'port: 8080, allowedRoutes: {namespaces: {from: None}}'),
      backend,
      route,
    ].join('---'),
    ['Accepted False NotAllowedByListeners', 'ResolvedRefs True ResolvedRefs'],
  ],
  [
    'filters that do not go together',
    [
      gateway,
      backend,
      bad(
        route,
        '  - name: main',
        '  - name: main\n    filters: [{type: RequestRedirect, requestRedirect: {port: 1}}]',
      ),
    ].join('---'),
    ['Accepted False IncompatibleFilters', 'ResolvedRefs True ResolvedRefs'],
  ],
];

for (const [name, text, expected] of routeRows) {
  test(`conditions of a route: ${name}`, () => {
    const [parent] = statusOf(text, 'HTTPRoute', 'route').parents ?? [];
    assert.deepEqual(short(parent?.conditions), expected);
  });
}

test('a fault of one parent is not that of the other', () => {
  const text = bad(base, 'parentRefs: [{name: gw}]', 'parentRefs: [{name: gw}, {name: gone}]');
  const { parents } = statusOf(text, 'HTTPRoute', 'route');
  assert.deepEqual(
    parents?.map(({ conditions }) => short(conditions)[0]),
    ['Accepted True Accepted', 'Accepted False NoMatchingParent'],
  );
});

test('with any error nothing is programmed', () => {
  const text = bad(base, 'name: mcp}]', 'name: gone}]');
  const { conditions, listeners } = statusOf(text, 'Gateway', 'gw');
  assert.ok(short(conditions).includes('Programmed False Invalid'));
  assert.ok(short(listeners?.[0]?.conditions).includes('Programmed False Invalid'));
});

test('with an error of loading nothing is programmed, and there is no plan', () => {
  const { plan, statuses } = compileText(`${base}---\nkind: Nonsense\n`);
  assert.equal(plan, null);
  assert.ok(short(statuses[0]?.status.conditions).includes('Programmed False Invalid'));
});

test('a conflict of listeners is that of the later one', () => {
  const listeners =
    '[{name: http, protocol: HTTP, port: 8080}, {name: tls, protocol: HTTPS, port: 8080, tls: {certificateRefs: [{name: cert}]}}]';
  const text = [bad(gateway, '[{name: http, protocol: HTTP, port: 8080}]', listeners), secret].join(
    '---',
  );
  const status = statusOf(text, 'Gateway', 'gw');
  assert.ok(short(status.conditions).includes('Accepted True ListenersNotValid'));
  assert.deepEqual(
    status.listeners?.map(({ conditions }) => short(conditions)[2]),
    ['Conflicted False NoConflicts', 'Conflicted True ProtocolConflict'],
  );
});

test('a listener whose Secret is missing has InvalidCertificateRef', () => {
  const listeners =
    '[{name: tls, protocol: HTTPS, port: 8080, tls: {certificateRefs: [{name: gone}]}}]';
  const text = bad(gateway, '[{name: http, protocol: HTTP, port: 8080}]', listeners);
  const [listener] = statusOf(text, 'Gateway', 'gw').listeners ?? [];
  assert.ok(short(listener?.conditions).includes('ResolvedRefs False InvalidCertificateRef'));
});

const policyRows: [name: string, text: string, expected: string[]][] = [
  ['attached', glooRbac('p', onGateway, 'true'), ['Accepted True Valid', 'Attached True Attached']],
  [
    'a bad expression',
    glooRbac('p', onGateway, 'a b'),
    ['Accepted False Invalid', 'Attached True Attached'],
  ],
];

for (const [name, text, expected] of policyRows) {
  test(`conditions of a policy: ${name}`, () => {
    const [ancestor] = statusOf(`${text}---${base}`, 'GlooTrafficPolicy', 'p').ancestors ?? [];
    assert.deepEqual(short(ancestor?.conditions), expected);
    assert.deepEqual(ancestor?.ancestorRef, {
      group: 'gateway.networking.k8s.io',
      kind: 'Gateway',
      namespace: 'default',
      name: 'gw',
    });
  });
}

test('a policy whose target is missing is Invalid and Pending', () => {
  const text = glooRbac('p', onGateway.replace('name: gw', 'name: gone'), 'true');
  const { conditions } = statusOf(`${text}---${base}`, 'GlooTrafficPolicy', 'p');
  assert.deepEqual(short(conditions), ['Accepted False Invalid', 'Attached False Pending']);
});

const tls = (ca: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: tls}
spec:
  targetRefs: [{group: gateway.kgateway.dev, kind: Backend, name: mcp}]
  validation: {hostname: a.org, caCertificateRefs: [{group: "", kind: ${ca}, name: ca}]}
`;

for (const [ca, expected] of [
  [
    'ConfigMap',
    ['Accepted False NoValidCACertificate', 'ResolvedRefs False InvalidCACertificateRef'],
  ],
  ['Secret', ['Accepted False NoValidCACertificate', 'ResolvedRefs False InvalidKind']],
] as const) {
  test(`a BackendTLSPolicy whose CA is not there: ${ca}`, () => {
    const [ancestor] = statusOf(`${tls(ca)}---${base}`, 'BackendTLSPolicy', 'tls').ancestors ?? [];
    assert.deepEqual(short(ancestor?.conditions), expected);
  });
}

test('statuses are written as YAML documents that read back', () => {
  const { statuses } = compileText(guideResources, { GH_PAT: 'github-token' });
  const text = renderStatuses(statuses);
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  assert.deepEqual(
    documents,
    statuses.map(({ apiVersion, kind, namespace, name, status }) => ({
      apiVersion,
      kind,
      metadata: { namespace, name },
      status,
    })),
  );
  assert.ok(!text.includes('github-token'));
});
