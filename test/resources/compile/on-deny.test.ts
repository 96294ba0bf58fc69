import assert from 'node:assert/strict';
import { test } from 'node:test';

import { testCompileProblems } from '../fixtures/compile-problem-table.ts';
import { planOf } from '../fixtures/compile-text.ts';
import { base, onBackend } from '../fixtures/small-resources.ts';

const policy = (annotations: string): string => `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: p, annotations: {${annotations}}}
spec:
  targetRefs: [${onBackend}]
  rbac: {policy: {matchExpressions: ['jwt.sub == "a"']}}
---${base}`;

for (const mode of ['hide', 'forbidden', 'tool_error']) {
  test(`a policy may say that its denials are answered with ${mode}`, () => {
    const plan = planOf(policy(`postern.dev/on-deny: ${mode}`));
    assert.deepEqual(
      plan.authorizations.map(({ onDeny }) => onDeny),
      [mode],
    );
  });
}

test('a policy that says nothing leaves it to the process', () => {
  const plan = planOf(policy('other.test/on-deny: x'));
  assert.equal(plan.authorizations[0]?.onDeny, null);
});

test('the rules inside an AgentgatewayBackend follow the annotation of the backend', () => {
  const plan = planOf(`
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: mcp, annotations: {postern.dev/on-deny: forbidden}}
spec:
  mcp: {targets: [{name: one, static: {host: 127.0.0.1, port: 3001}}]}
  policies: {mcp: {authorization: {policy: {matchExpressions: ['jwt.sub == "a"']}}}}
---${base.replaceAll('{group: gateway.kgateway.dev, kind: Backend, name: mcp}', '{group: agentgateway.dev, kind: AgentgatewayBackend, name: mcp}')}`);
  assert.equal(plan.authorizations[0]?.onDeny, 'forbidden');
});

testCompileProblems([
  {
    name: 'an answer to denials that there is not, without its value',
    text: policy('postern.dev/on-deny: Hide'),
    lines: [
      'error t.yaml:3:56: GlooTrafficPolicy/default/p: metadata.annotations["postern.dev/on-deny"]: must be hide, unknown, forbidden or tool_error',
    ],
  },
]);
