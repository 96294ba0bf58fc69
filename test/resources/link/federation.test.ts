/** When the targets of a backend are one server, and what they may be called then. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileText, planOf } from '../fixtures/compile-text.ts';
import { gateway, route } from '../fixtures/small-resources.ts';

const backend = (fields: string, ...names: readonly string[]): string =>
  [
    `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: mcp}
spec:
  mcp:
${fields}    targets:
${names.map((name) => `    - {name: ${name}, static: {host: 127.0.0.1, port: 1}}`).join('\n')}
`,
    gateway,
    route.replace(
      'group: gateway.kgateway.dev, kind: Backend',
      'group: agentgateway.dev, kind: AgentgatewayBackend',
    ),
  ].join('---\n');

describe('a federation', () => {
  const rows: readonly [string, string, readonly string[], unknown][] = [
    ['one target', '', ['a'], null],
    ['two targets', '', ['a', 'b'], { isPrefixed: true, failureMode: 'FailClosed' }],
    ['Always', '    prefixMode: Always\n', ['a'], { isPrefixed: true, failureMode: 'FailClosed' }],
    ['Conditional and one', '    prefixMode: Conditional\n', ['a'], null],
    [
      'Never and FailOpen',
      '    prefixMode: Never\n    failureMode: FailOpen\n',
      ['a', 'b'],
      { isPrefixed: false, failureMode: 'FailOpen' },
    ],
    ['Never and one', '    prefixMode: Never\n', ['a'], null],
  ];
  for (const [name, fields, names, expected] of rows) {
    test(name, () => {
      const plan = planOf(backend(fields, ...names));
      assert.deepEqual(plan.backends[0]?.federation, expected);
    });
  }
});

test('a target whose name would end too early is refused', () => {
  const selecting = `apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {name: mcp}
spec:
  mcp:
    targets:
    - {name: a, static: {host: 127.0.0.1, port: 1}}
    - {name: b, selector: {services: {matchLabels: {app: x}}}}
---
apiVersion: v1
kind: Service
metadata:
  name: x
  labels: {app: x}
  annotations:
    agentgateway.dev/mcp-target-name: my_target
    postern.dev/endpoint: 127.0.0.1:1
spec: {ports: [{port: 1, appProtocol: agentgateway.dev/mcp}]}
`;
  const { plan, lines } = compileText(selecting);
  assert.equal(plan, null);
  assert.match(lines.join('\n'), /the target name "my_target" can't stand in front of a tool's/);
});
