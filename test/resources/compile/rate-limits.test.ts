import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Plan, RateLimitIndexes } from '../../../src/plan.ts';
import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import { compileText, planOf } from '../fixtures/compile-text.ts';
import {
  base,
  onBackend,
  onGateway,
  onListener,
  onRoute,
  onRule,
} from '../fixtures/small-resources.ts';

const local = (
  name: string,
  target: string,
  more = '{tokenBucket: {maxTokens: 5, fillInterval: 1s}}',
) => `
apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: ${name}}
spec: {targetRefs: [${target}], rateLimit: {local: ${more}}}
`;
const agentgateway = (rateLimit: string, annotations = '{}', target = onRoute) => `
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: a, annotations: ${annotations}}
spec: {targetRefs: [${target}], traffic: {rateLimit: ${rateLimit}}}
`;
const hundredAMinute = '{postern.dev/global-rate-limit: "100/1m"}';

function ruleOf(plan: Plan): RateLimitIndexes {
  const rule = plan.ports[0]?.listeners[0]?.rules[0];
  assert.ok(rule);
  return rule;
}

const nameOf = (plan: Plan, { localRateLimit }: RateLimitIndexes): string | null =>
  localRateLimit === null ? null : (plan.localRateLimits[localRateLimit]?.policy ?? '');

describe('the most specific rate limit wins as a whole', () => {
  const rows: readonly [what: string, documents: readonly string[], winner: string | null][] = [
    ['none', [], null],
    ['Gateway alone', [local('a', onGateway)], 'default/a'],
    ['listener over Gateway', [local('a', onGateway), local('b', onListener)], 'default/b'],
    ['HTTPRoute over listener', [local('a', onListener), local('b', onRoute)], 'default/b'],
    ['rule over HTTPRoute', [local('a', onRoute), local('b', onRule)], 'default/b'],
    ['one that turns it off', [local('a', onGateway), local('b', onRoute, '{}')], null],
    ['of two the first by name', [local('b', onRoute), local('a', onRoute)], 'default/a'],
    ['a Backend is a place of its own', [local('a', onBackend)], null],
  ];
  for (const [what, documents, winner] of rows) {
    test(what, () => {
      const { plan } = compileText([base, ...documents].join('---'));
      assert.ok(plan);
      assert.equal(nameOf(plan, ruleOf(plan)), winner);
    });
  }

  test('that of a Backend is the backend’s', () => {
    const plan = planOf([base, local('a', onBackend), local('b', onGateway)].join('---'));
    const [backend] = plan.backends;
    assert.ok(backend);
    assert.equal(nameOf(plan, backend), 'default/a');
    assert.equal(nameOf(plan, ruleOf(plan)), 'default/b');
  });
});

test('a token bucket, with its key', () => {
  const bucket = '{tokenBucket: {maxTokens: 5, tokensPerFill: 2, fillInterval: 1m30s}}';
  const text = local('a', onRoute, bucket).replace(
    '{name: a}',
    '{name: a, annotations: {postern.dev/rate-limit-key: jwt.sub}}',
  );
  assert.deepEqual(planOf([base, text].join('---')).localRateLimits, [
    {
      policy: 'default/a',
      policyKind: 'GlooTrafficPolicy',
      key: 'jwt.sub',
      buckets: [{ maxTokens: 5, tokensPerFill: 2, fillIntervalMs: 90_000 }],
    },
  ]);
});

test('requests of a unit are spread over it; the burst comes on top', () => {
  const limits = '[{requests: 30, unit: Minutes, burst: 10}, {requests: 5000, unit: Seconds}]';
  const plan = planOf([base, agentgateway(`{local: ${limits}}`)].join('---'));
  assert.deepEqual(plan.localRateLimits[0]?.buckets, [
    { maxTokens: 40, tokensPerFill: 1, fillIntervalMs: 2000 },
    { maxTokens: 5000, tokensPerFill: 5, fillIntervalMs: 1 },
  ]);
});

describe('a global limit', () => {
  test('has its numbers from the annotation, and its descriptors as they are', () => {
    const descriptors = '[{entries: [{name: who, expression: jwt.sub}]}]';
    const text = agentgateway(
      `{global: {domain: d, failureMode: FailOpen, descriptors: ${descriptors}}}`,
      hundredAMinute,
    );
    assert.deepEqual(planOf([base, text].join('---')).globalRateLimits, [
      {
        policy: 'default/a',
        policyKind: 'AgentgatewayPolicy',
        domain: 'd',
        requests: 100,
        windowSeconds: 60,
        failureMode: 'FailOpen',
        descriptors: [[{ name: 'who', expression: 'jwt.sub' }]],
      },
    ]);
  });

  test('of the TrafficPolicy family becomes CEL, fails closed, and counts by policy', () => {
    const entries = [
      '{type: Generic, generic: {key: k, value: "a\\"b"}}',
      '{type: Header, header: X-Team}',
      '{type: RemoteAddress}',
      '{type: Path}',
    ];
    const text = `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: t, annotations: ${hundredAMinute}}
spec: {targetRefs: [${onRoute}], rateLimit: {global: {descriptors: [{entries: [${entries.join(', ')}]}]}}}
`;
    const [limit] = planOf([base, text].join('---')).globalRateLimits;
    assert.deepEqual(
      [limit?.domain, limit?.failureMode, limit?.descriptors],
      [
        'default/t',
        'FailClosed',
        [
          [
            { name: 'k', expression: '"a\\"b"' },
            { name: 'x-team', expression: 'request.headers["x-team"]' },
            { name: 'remote_address', expression: 'source.address' },
            { name: 'path', expression: 'request.path' },
          ],
        ],
      ],
    );
  });
});

testCompileProblems([
  {
    name: 'an interval that is too short',
    text: `${local('a', onRoute, '{tokenBucket: {maxTokens: 1, fillInterval: 10ms}}')}---${base}`,
    lines: [
      'error t.yaml:5:150: GlooTrafficPolicy/default/a: spec.rateLimit.local.tokenBucket.fillInterval: must be at least 50ms',
    ],
  },
  {
    name: 'a policy that another overrides',
    text: `${local('a', onRoute)}---${local('b', onRoute)}---${base}`,
    lines: [
      'warning t.yaml:10:107: GlooTrafficPolicy/default/b: spec.rateLimit.local: is overridden by GlooTrafficPolicy/default/a on the same target: the oldest wins, then the first by name',
    ],
  },
  {
    name: 'expressions of descriptors that are no text',
    text: `${agentgateway('{global: {descriptors: [{entries: [{name: a, expression: jwt.sub == ""}, {name: b, expression: mcp.tool.name}]}]}}', hundredAMinute)}---${base}`,
    lines: [
      'error t.yaml:5:166: AgentgatewayPolicy/default/a: spec.traffic.rateLimit.global.descriptors[0].entries[0].expression: 1:1: the type of the expression is bool, not string; use string(...)',
      'error t.yaml:5:204: AgentgatewayPolicy/default/a: spec.traffic.rateLimit.global.descriptors[0].entries[1].expression: 1:1: mcp is available only to policies that target a Backend',
    ],
  },
  {
    name: 'one target of a Backend',
    text: `${local('a', onBackend.replace('name: mcp', 'name: mcp, sectionName: one'))}---${base}`,
    lines: [
      'error t.yaml:5:116: GlooTrafficPolicy/default/a: spec.rateLimit.local: has no effect on Backend mcp; target a whole backend, a route or a Gateway instead',
    ],
  },
]);
