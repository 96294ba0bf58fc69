import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Plan, RulePlan } from '../../../src/plan.ts';
import { compileText, planOf } from '../fixtures/compile-text.ts';
import { guideJwks } from '../fixtures/guide-key.ts';
import {
  base,
  glooJwt,
  glooRbac,
  onGateway,
  onListener,
  onRoute,
  onRule,
} from '../fixtures/small-resources.ts';

function firstRule(plan: Plan): RulePlan {
  const rule = plan.ports[0]?.listeners[0]?.rules[0];
  assert.ok(rule);
  return rule;
}

const namesOf = (plan: Plan, kind: 'authentications' | 'authorizations'): string[] =>
  firstRule(plan)[kind].map((index) => plan[kind][index]?.policy ?? '');

const disabled = (name: string, target: string): string => `
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: ${name}}
spec: {targetRefs: [${target}], glooJWT: {beforeExtAuth: {disable: {}}}}
`;

const agentgatewayJwt = (name: string, target: string): string => `
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: ${name}}
spec:
  targetRefs: [${target}]
  traffic: {jwtAuthentication: {providers: [{issuer: ${name}, jwks: {inline: '${guideJwks}'}}]}}
`;

const withExtension = (name: string): string =>
  base.replace(
    '  - name: main\n',
    `  - name: main\n    filters: [{type: ExtensionRef, extensionRef: {group: gloo.solo.io, kind: GlooTrafficPolicy, name: ${name}}}]\n`,
  );

const young = ', creationTimestamp: "2026-02-01T00:00:00Z"';
const old = ', creationTimestamp: "2026-01-01T00:00:00Z"';

const authentication: [name: string, documents: string[], expected: string[]][] = [
  ['Gateway alone', [glooJwt('gw', onGateway)], ['default/gw']],
  ['listener over Gateway', [glooJwt('a', onGateway), glooJwt('b', onListener)], ['default/b']],
  ['HTTPRoute over listener', [glooJwt('a', onListener), glooJwt('b', onRoute)], ['default/b']],
  ['rule over HTTPRoute', [glooJwt('a', onRoute), glooJwt('b', onRule)], ['default/b']],
  [
    'rule over all',
    [onGateway, onListener, onRoute, onRule].map((target, index) => glooJwt(`p${index}`, target)),
    ['default/p3'],
  ],
  ['off for the route', [glooJwt('a', onGateway), disabled('b', onRoute)], []],
  [
    'on for the rule of a route where it is off',
    [glooJwt('a', onRule), disabled('b', onRoute)],
    ['default/a'],
  ],
  [
    'off at the Gateway, on at the route',
    [disabled('a', onGateway), glooJwt('b', onRoute)],
    ['default/b'],
  ],
  [
    'the first by name at one level',
    [glooJwt('b', onGateway), glooJwt('a', onGateway)],
    ['default/a'],
  ],
  [
    'the oldest at one level',
    [glooJwt('a', onGateway, young), glooJwt('b', onGateway, old)],
    ['default/b'],
  ],
  [
    'another kind of policy on the route',
    [glooJwt('a', onGateway), agentgatewayJwt('b', onRoute)],
    ['default/b'],
  ],
  [
    'another kind of policy on the Gateway',
    [agentgatewayJwt('a', onGateway), glooJwt('b', onRoute)],
    ['default/b'],
  ],
  [
    'a policy without JWT on the route changes nothing',
    [glooJwt('a', onGateway), glooRbac('b', onRoute, 'true')],
    ['default/a'],
  ],
];

for (const [name, documents, expected] of authentication) {
  test(`one policy's JWT applies whole: ${name}`, () => {
    const plan = planOf([...documents, base].join('---'));
    assert.deepEqual(namesOf(plan, 'authentications'), expected);
  });
}

test('ExtensionRef of a rule wins over the rule by name', () => {
  const extension = glooJwt('z', '').replace('  targetRefs: []\n', '');
  const plan = planOf([extension, glooJwt('a', onRule), withExtension('z')].join('---'));
  assert.deepEqual(namesOf(plan, 'authentications'), ['default/z']);
});

test('beforeExtAuth runs before afterExtAuth, and both belong to one policy', () => {
  const staged = (stage: string, issuer: string): string =>
    `    ${stage}: {providers: {p: {issuer: ${issuer}, jwks: {local: {key: '${guideJwks}'}}}}}`;
  const text = `
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: both}
spec:
  targetRefs: [${onRoute}]
  glooJWT:
${staged('afterExtAuth', 'second')}
${staged('beforeExtAuth', 'first')}
`;
  const plan = planOf([text, glooJwt('a', onGateway), base].join('---'));
  const issuers = firstRule(plan).authentications.map(
    (index) => plan.authentications[index]?.providers[0]?.issuer,
  );
  assert.deepEqual(issuers, ['first', 'second']);
});

const authorization: [name: string, documents: string[], expected: string[]][] = [
  ['none', [], []],
  [
    'all levels together, the most specific first',
    [
      glooRbac('a', onGateway, 'true'),
      glooRbac('b', onListener, 'true', 'Deny'),
      glooRbac('c', onRoute, 'true'),
      glooRbac('d', onRule, 'true'),
    ],
    ['default/d', 'default/c', 'default/b', 'default/a'],
  ],
  [
    'all of one level together, by name',
    [glooRbac('b', onGateway, 'true'), glooRbac('a', onGateway, 'true')],
    ['default/a', 'default/b'],
  ],
  [
    'one policy at two levels counts once',
    [glooRbac('a', `${onGateway}, ${onRoute}`, 'true')],
    ['default/a'],
  ],
];

for (const [name, documents, expected] of authorization) {
  test(`rules are cumulative: ${name}`, () => {
    const plan = planOf([...documents, base].join('---'));
    assert.deepEqual(namesOf(plan, 'authorizations'), expected);
  });
}

test('a policy whose JWT lost still adds its rules, and says so as Merged', () => {
  const loser =
    glooJwt('b', onGateway).trimEnd() + "\n  rbac: {policy: {matchExpressions: ['true']}}\n";
  const { plan, statuses } = compileText([glooJwt('a', onGateway), loser, base].join('---'));
  assert.ok(plan);
  assert.deepEqual(namesOf(plan, 'authentications'), ['default/a']);
  assert.deepEqual(namesOf(plan, 'authorizations'), ['default/b']);
  const attached = statuses.find(({ name }) => name === 'b')?.status.ancestors?.[0]?.conditions[1];
  assert.deepEqual([attached?.status, attached?.reason], ['True', 'Merged']);
});

test('a policy whose JWT lost is Overridden', () => {
  const { statuses } = compileText(
    [glooJwt('a', onGateway), glooJwt('b', onGateway), base].join('---'),
  );
  const reasons = statuses
    .filter(({ kind }) => kind === 'GlooTrafficPolicy')
    .map(({ status }) => status.ancestors?.[0]?.conditions.map(({ reason }) => reason));
  assert.deepEqual(reasons, [
    ['Valid', 'Attached'],
    ['Valid', 'Overridden'],
  ]);
});

test('a policy on one listener leaves the other listener of the Gateway alone', () => {
  const two = base.replace(
    'listeners: [',
    'listeners: [{name: other, protocol: HTTP, port: 8081}, ',
  );
  const plan = planOf([glooJwt('a', onListener), two].join('---'));
  const byListener = plan.ports.map(({ listeners: [listener] }) => [
    listener?.name,
    listener?.rules[0]?.authentications.length,
  ]);
  assert.deepEqual(byListener, [
    ['other', 0],
    ['http', 1],
  ]);
});

test('targets can be selected by labels', () => {
  const text = glooRbac('a', onGateway, 'true').replace(
    `targetRefs: [${onGateway}]`,
    'targetSelectors: [{group: gateway.networking.k8s.io, kind: HTTPRoute, matchLabels: {team: a}}]',
  );
  const labelled = base.replace(
    'metadata: {name: route}',
    'metadata: {name: route, labels: {team: a}}',
  );
  assert.deepEqual(namesOf(planOf([text, labelled].join('---')), 'authorizations'), ['default/a']);
});
