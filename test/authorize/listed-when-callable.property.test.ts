/** An item is listed exactly when it may be called, for random rules, objects and principals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import { createMcpAuthorizer } from '../../src/authorize/mcp-authorizer.ts';
import type { McpAuthorizer } from '../../src/authorize/mcp-authorizer.ts';
import type { McpCall } from '../../src/authorize/mcp-call.ts';
import type { PolicySubject } from '../../src/authorize/authorizer.ts';
import type { AuthorizationPlan } from '../../src/plan.ts';
import { toolCall } from './mcp-subject.ts';
import { subject } from './subject.ts';

const memo = createDecisionMemo(1000);
const principals: PolicySubject[] = [
  subject({ claims: { sub: 'alice', roles: ['admin', 'dev'], level: 3 } }),
  subject({ claims: { sub: 'bob', roles: [] } }),
  subject({ claims: { sub: 'carol', roles: 'admin', level: 'x', constructor: 1 } }),
  subject({ claims: null }),
];
const objects: McpCall[] = [
  ...['echo', 'add', 'transfer'].map((name) => toolCall({ name })),
  toolCall({ name: 'echo', target: 'second', protocolVersion: null }),
  toolCall({ method: 'prompts/get', kind: 'prompt', name: 'echo' }),
  toolCall({ method: 'resources/read', kind: 'resource', name: 'file:///a' }),
  // A template is listed as a resource of that name, and completed under it.
  toolCall({ method: 'resources/read', kind: 'resource', name: 'file:///{path}' }),
  toolCall({ method: 'prompts/get', kind: 'prompt', name: 'add', target: 'second' }),
];
/** Every combination of two arguments that a condition below can tell apart. */
const argumentSets = [undefined, 1, 2, 'x'].flatMap((a) =>
  [undefined, 1, 2, 'x'].map(
    (b) => JSON.parse(JSON.stringify({ a, b })) as Record<string, unknown>,
  ),
);

const known = fc.constantFrom(
  ...[
    'true',
    'false',
    'jwt.sub == "alice"',
    'jwt.level == 3',
    'has(jwt.level)',
    '"admin" in jwt.roles',
  ],
  ...['mcp.tool.name == "echo"', 'has(mcp.tool)', 'mcp.prompt.name != "add"', 'jwt.level'],
  ...['mcp.tool.target == "main"', 'mcp.resource.name.startsWith("file:")', 'has(mcp.prompt)'],
  ...['mcp.resource.name == "file:///{path}"', 'mcp.resource.target != "second"'],
  ...['mcp.prompt.target == "second"', 'mcp.resource.name.contains("{")'],
  ...['mcp.method == "tools/call"', 'mcp.protocolVersion == "2025-11-25"', 'jwt.missing == 1'],
  ...['request.path == "/mcp"', 'mcp.tool.name in ["add", "transfer"]', 'source.port == 1'],
);
const onArguments = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    `mcp.tool.arguments.${name} == 1`,
    `mcp.tool.arguments.${name} != 2`,
    `mcp.tool["arguments"].${name} < 2`,
    `(mcp.tool.arguments.${name} == "x") == true`,
  );
const anyArgument = fc.oneof(
  onArguments('a'),
  onArguments('b'),
  fc.constantFrom(
    ...['has(mcp.tool.arguments.a)', 'mcp.tool.arguments.a == mcp.tool.arguments.b'],
    ...[
      'mcp.tool.arguments == {}',
      'mcp.prompt.arguments.a == 1',
      'mcp.tool.arguments.a == jwt.level',
    ],
    ...['mcp.tool.arguments.exists(k, mcp.tool.arguments[k] == jwt.level)', 'size(mcp) > 2'],
  ),
);

function combined(leaf: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.letrec<{ rule: string }>((tie) => ({
    rule: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.tuple(tie('rule'), tie('rule')).map(([left, right]) => `(${left}) && (${right})`),
      fc.tuple(tie('rule'), tie('rule')).map(([left, right]) => `(${left}) || (${right})`),
      tie('rule').map((rule) => `!(${rule})`),
      fc
        .tuple(tie('rule'), tie('rule'), tie('rule'))
        .map(([condition, yes, no]) => `(${condition}) ? (${yes}) : (${no})`),
      tie('rule').map((rule) => `["admin", "x"].exists(r, r in jwt.roles && (${rule}))`),
      tie('rule').map((rule) => `["admin", "dev"].all(r, !(r in jwt.roles) || (${rule}))`),
      tie('rule').map((rule) => `cel.bind(v, jwt.sub, v == "bob" || (${rule}))`),
    ),
  })).rule;
}

function authorizers(rule: fc.Arbitrary<string>): fc.Arbitrary<() => McpAuthorizer> {
  const policy = fc.record({
    plan: fc.record<AuthorizationPlan>({
      policy: fc.constant('default/any'),
      policyKind: fc.constant('AgentgatewayPolicy'),
      action: fc.constantFrom('Allow', 'Allow', 'Deny', 'Require'),
      onDeny: fc.constant(null),
      expressions: fc.array(rule, { maxLength: 2 }),
    }),
    target: fc.constantFrom(null, null, 'second'),
  });
  return fc
    .array(policy, { maxLength: 3 })
    .map((policies) => () => createMcpAuthorizer(policies, memo));
}

function someCallAllowed(authorizer: McpAuthorizer, who: PolicySubject, call: McpCall): boolean {
  if (call.kind === 'resource') return authorizer.decide(who, call).allowed;
  return argumentSets.some(
    (values) => authorizer.decide(who, { ...call, arguments: values }).allowed,
  );
}

test('without conditions on arguments: listed exactly when callable, whatever the arguments', () => {
  fc.assert(
    fc.property(authorizers(combined(known)), (create) => {
      const authorizer = create();
      for (const who of principals) {
        for (const call of objects) {
          const listed = authorizer.decideListed(who, call);
          const called = authorizer.decide(who, { ...call, arguments: { a: 1 } });
          assert.deepEqual(listed, called);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('with one condition on arguments: listed exactly when callable with some arguments', () => {
  const guards = [
    'has(mcp.tool)',
    'mcp.tool.name == "echo"',
    'jwt.level == 3',
    '!(jwt.sub == "bob")',
  ];
  const rule = fc
    .tuple(fc.constantFrom(...guards), fc.constantFrom('&&', '||'), fc.boolean(), combined(known))
    .chain(([guard, operator, negated, other]) =>
      onArguments('a').map(
        (condition) => `(${other}) || (${guard}) ${operator} ${negated ? '!' : ''}(${condition})`,
      ),
    );
  const one = rule.map((expression) => [
    { plan: planOf('Allow', expression), target: null },
    { plan: planOf('Require', 'jwt.sub != "carol"'), target: null },
  ]);
  const deny = rule.map((expression) => [{ plan: planOf('Deny', expression), target: null }]);
  fc.assert(
    fc.property(fc.oneof(one, deny), (policies) => {
      const authorizer = createMcpAuthorizer(policies, memo);
      for (const who of principals) {
        for (const call of objects) {
          const listed = authorizer.decideListed(who, call).allowed;
          assert.equal(listed, someCallAllowed(authorizer, who, call));
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('with any conditions: what may be called with some arguments is listed', () => {
  const rule = combined(fc.oneof(known, anyArgument));
  fc.assert(
    fc.property(authorizers(rule), (create) => {
      const authorizer = create();
      for (const who of principals) {
        for (const call of objects) {
          if (!someCallAllowed(authorizer, who, call)) continue;
          assert.equal(authorizer.decideListed(who, call).allowed, true, call.name);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('a remembered decision is the one that is made afresh', () => {
  const rule = combined(fc.oneof(known, anyArgument));
  const asked = fc.array(
    fc.record({
      who: fc.constantFrom(...principals),
      call: fc.constantFrom(...objects),
      values: fc.constantFrom(...argumentSets),
      isList: fc.boolean(),
    }),
    { minLength: 5, maxLength: 40 },
  );
  fc.assert(
    fc.property(authorizers(rule), asked, (create, questions) => {
      const remembering = create();
      for (const { who, call, values, isList } of questions) {
        const fresh = create();
        const full = { ...call, arguments: values };
        assert.deepEqual(
          isList ? remembering.decideListed(who, call) : remembering.decide(who, full),
          isList ? fresh.decideListed(who, call) : fresh.decide(who, full),
        );
      }
    }),
    { numRuns: 60 },
  );
});

function planOf(action: AuthorizationPlan['action'], ...expressions: string[]): AuthorizationPlan {
  return {
    policy: 'default/any',
    policyKind: 'AgentgatewayPolicy',
    action,
    onDeny: null,
    expressions,
  };
}

test('without rules on the method: what is completed or subscribed to is what is listed', () => {
  // The method itself is what these three differ in, and the argument to complete is completion's alone.
  const rule = combined(known.filter((leaf) => !leaf.includes('mcp.method')));
  fc.assert(
    fc.property(authorizers(rule), (create) => {
      const authorizer = create();
      for (const who of principals) {
        for (const call of objects.filter(({ kind }) => kind !== 'tool')) {
          const listed = authorizer.decideListed(who, call).allowed;
          const completion = { name: 'a', value: 'b' };
          const uses: Partial<McpCall>[] = [{ method: 'completion/complete', completion }];
          if (call.kind === 'resource') {
            uses.push({ method: 'resources/subscribe' }, { method: 'subscriptions/listen' });
          }
          for (const use of uses) {
            const { allowed } = authorizer.decide(who, { ...call, ...use });
            assert.equal(allowed, listed, `${use.method} ${call.name}`);
          }
        }
      }
    }),
    { numRuns: 150 },
  );
});
