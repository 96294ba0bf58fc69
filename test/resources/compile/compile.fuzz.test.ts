import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import type { Plan } from '../../../src/plan.ts';
import { renderStatuses } from '../../../src/resources/render-statuses.ts';
import { renderSummary } from '../../../src/resources/summary.ts';
import { compileText } from '../fixtures/compile-text.ts';
import {
  backend,
  caConfigMap,
  gateway,
  glooJwt,
  glooRbac,
  onBackend,
  onGateway,
  onListener,
  onRoute,
  onRule,
  route,
  secret,
  service,
  staticBackend,
} from '../fixtures/small-resources.ts';

const resources = [
  gateway,
  gateway
    .replace('name: gw', 'name: gw2')
    .replace('HTTP', 'HTTPS')
    .replace('8080', '8080, tls: {certificateRefs: [{name: cert}]}'),
  backend,
  staticBackend,
  service,
  route,
  secret,
  caConfigMap,
  glooJwt('a', onGateway),
  glooJwt('b', onRule),
  glooRbac('c', onBackend, 'mcp.tool.name == "echo"'),
  glooRbac('d', `${onListener}, ${onRoute}`, 'jwt.sub == "alice"'),
];

const replacements: [string, string][] = [
  ['name: gw', 'name: gw2'],
  ['name: mcp', 'name: plain'],
  ['kind: Backend', 'kind: Service'],
  ['kind: Gateway', 'kind: HTTPRoute'],
  ['group: gateway.kgateway.dev', 'group: ""'],
  ['8080', '443'],
  ['name: svc', 'name: mcp'],
  ['{name: route}', '{name: route, namespace: other}'],
  ['kgateway.dev/mcp', 'kgateway.dev/mcp-sse'],
  ['type: MCP', 'type: AI'],
  ['sectionName: main', 'sectionName: one'],
  ['kid', 'kie'],
  ['BEGIN', 'BEGUN'],
  ['jwt.sub', '(('],
  ['static:', 'selector:'],
  ['spec:', 'spec: {}\nstatus:'],
];

function assertSound(plan: Plan): void {
  const within = (index: number, list: readonly unknown[]): void => {
    assert.ok(index >= 0 && index < list.length);
  };
  for (const { listeners } of plan.ports) {
    for (const { rules } of listeners) {
      for (const rule of rules) {
        assert.ok(rule.matches.length > 0);
        for (const index of rule.authentications) within(index, plan.authentications);
        for (const index of rule.authorizations) within(index, plan.authorizations);
        for (const { backend: index, invalid } of rule.backends) {
          assert.equal(index === null, invalid !== null);
          if (index !== null) within(index, plan.backends);
        }
      }
    }
  }
  for (const { providers } of plan.authentications) assert.ok(providers.length > 0);
  for (const { mcpAuthorizations } of plan.backends) {
    for (const { authorization } of mcpAuthorizations) within(authorization, plan.authorizations);
  }
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
}

test('whatever is missing or mixed up, compiling ends with a sound plan or an error', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(resources, { minLength: 4 }),
      fc.subarray(replacements, { maxLength: 3 }),
      (documents, changes) => {
        const text = changes.reduce(
          (changed, [from, to]) => changed.replaceAll(from, to),
          documents.join('---'),
        );
        const { plan, problems, statuses } = compileText(text);
        const failed = problems.some(({ severity }) => severity === 'error');
        assert.equal(plan === null, failed);
        renderStatuses(statuses);
        if (plan === null) return;
        assertSound(plan);
        renderSummary(plan, statuses);
      },
    ),
    { numRuns: 150 },
  );
});
