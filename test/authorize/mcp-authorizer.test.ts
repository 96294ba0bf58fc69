import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import { createMcpAuthorizer } from '../../src/authorize/mcp-authorizer.ts';
import type { PolicySubject } from '../../src/authorize/authorizer.ts';
import type { McpCall } from '../../src/authorize/mcp-call.ts';
import { mcpKinds } from '../../src/authorize/mcp-members.ts';
import type { AuthorizationPlan } from '../../src/plan.ts';
import { authorizerOf, plan, toolCall } from './mcp-subject.ts';
import { subject } from './subject.ts';

const alice = subject();
const bob = subject({ claims: { iss: 'solo.io', sub: 'bob' } });

function allowed(rule: string, call: McpCall, who = alice): boolean {
  return authorizerOf(plan('Allow', rule)).decide(who, call).allowed;
}

test('the guide: Alice sees and calls one tool, Bob none', () => {
  const authorizer = authorizerOf(plan('Allow', 'jwt.sub == "alice" && mcp.tool.name == "get_me"'));
  for (const [who, name, expected] of [
    [alice, 'get_me', true],
    [alice, 'add_issue_comment', false],
    [bob, 'get_me', false],
    [subject({ claims: null }), 'get_me', false],
  ] as const) {
    for (const repeat of ['fresh', 'remembered']) {
      const call = toolCall({ name });
      assert.equal(authorizer.decide(who, call).allowed, expected, repeat);
      assert.equal(authorizer.decideListed(who, call).allowed, expected, repeat);
    }
  }
});

test('without policies everything is allowed', () => {
  assert.equal(authorizerOf().decide(alice, toolCall()).allowed, true);
  assert.equal(authorizerOf().decideListed(alice, toolCall()).allowed, true);
});

test('rules see what the request says', () => {
  const prompt = toolCall({
    method: 'prompts/get',
    kind: 'prompt',
    name: 'greet',
    arguments: { who: 'Bob' },
  });
  const resource = toolCall({ method: 'resources/read', kind: 'resource', name: 'file:///a' });
  const transfer = toolCall({ name: 'transfer', arguments: { amount: 100, to: { iban: 'X' } } });
  const completion = toolCall({
    method: 'completion/complete',
    kind: 'prompt',
    name: 'greet',
    completion: { name: 'who', value: 'B' },
  });
  const rows: [rule: string, call: McpCall][] = [
    ['mcp.method == "tools/call" && mcp.tool.name == "echo"', toolCall()],
    ['mcp.tool.target == "main" && mcp.protocolVersion == "2025-11-25"', toolCall()],
    ['has(mcp.tool) && !has(mcp.prompt) && !has(mcp.resource) && !has(mcp.completion)', toolCall()],
    ['size(mcp) == 3 && mcp.exists(k, k == "tool")', toolCall()],
    ['!has(mcp.protocolVersion)', toolCall({ protocolVersion: null })],
    ['mcp["tool"]["name"] == "echo" && mcp.?tool.name.orValue("") == "echo"', toolCall()],
    ['mcp.tool.name == "transfer" && mcp.tool.arguments.amount <= 100', transfer],
    ['mcp.tool.arguments.amount == 100 && mcp.tool.arguments.to.iban == "X"', transfer],
    ['has(mcp.tool.arguments.to.iban) && !has(mcp.tool.arguments.memo)', transfer],
    ['mcp.tool.arguments == {}', toolCall()],
    ['mcp.prompt.name == "greet" && mcp.prompt.arguments.who == "Bob"', prompt],
    ['has(mcp.prompt) && !has(mcp.tool)', prompt],
    ['mcp.resource.name.startsWith("file:///") && mcp.resource.target == "main"', resource],
    ['mcp.method == "completion/complete" && mcp.prompt.name == "greet"', completion],
    ['mcp.completion.argument.name == "who" && mcp.completion.argument.value == "B"', completion],
    ['jwt.sub == "alice" && request.method == "POST" && source.port == 59068', toolCall()],
  ];
  for (const [rule, call] of rows) assert.equal(allowed(rule, call), true, rule);
});

test('a missing argument and an absent object are errors: Deny denies, Allow and Require are false', () => {
  const rules = [
    'mcp.tool.arguments.amount > 100',
    'mcp.tool.arguments.to.iban == "X"',
    'mcp.prompt.name == "greet"',
    'mcp.resource.name != "x"',
    'mcp.completion.argument.name == "x"',
    'mcp.prompt.arguments.who == "x"',
  ];
  for (const rule of rules) {
    for (const action of ['Allow', 'Deny', 'Require'] as const) {
      const decision = authorizerOf(plan(action, rule)).decide(alice, toolCall());
      assert.equal(decision.allowed, false, `${action} ${rule}`);
    }
  }
});

const outcomes = {
  true: 'mcp.tool.name == "echo"',
  false: 'mcp.tool.name == "x"',
  error: 'mcp.prompt.name == "x"',
  'true by arguments': 'mcp.tool.arguments.n == 1',
  'false by arguments': 'mcp.tool.arguments.n == 2',
  'error by arguments': 'mcp.tool.arguments.nope == 1',
} as const;
type Outcome = keyof typeof outcomes;
const columns: (Outcome | 'absent')[] = ['absent', ...(Object.keys(outcomes) as Outcome[])];

test('every combination of Allow, Deny and Require decides as the specification says', () => {
  for (const allow of columns) {
    for (const deny of columns) {
      for (const require of columns) {
        const plans: AuthorizationPlan[] = [];
        if (allow !== 'absent') plans.push(plan('Allow', outcomes[allow]));
        if (deny !== 'absent') plans.push(plan('Deny', outcomes[deny]));
        if (require !== 'absent') plans.push(plan('Require', outcomes[require]));
        const authorizer = authorizerOf(...plans);
        const call = toolCall({ arguments: { n: 1 } });
        const text = `allow ${allow}, deny ${deny}, require ${require}`;

        const holds =
          (deny === 'absent' || deny.startsWith('false')) &&
          (require === 'absent' || require.startsWith('true')) &&
          (allow === 'absent' || allow.startsWith('true'));
        const possible =
          (deny === 'absent' || deny === 'false' || deny.endsWith('arguments')) &&
          (require === 'absent' || require === 'true' || require.endsWith('arguments')) &&
          (allow === 'absent' || allow === 'true' || allow.endsWith('arguments'));
        for (const repeat of ['fresh', 'remembered']) {
          assert.equal(authorizer.decide(alice, call).allowed, holds, `${text}, ${repeat}`);
          assert.equal(
            authorizer.decideListed(alice, call).allowed,
            possible,
            `${text}, ${repeat}`,
          );
        }
      }
    }
  }
});

test('a denial names the policy and the expression, remembered or not', () => {
  const authorizer = authorizerOf(
    plan('Deny', 'mcp.tool.name == "rm"', 'mcp.tool.arguments.n > 1'),
    plan('Allow', 'mcp.tool.name == "add"'),
  );
  const rows: [call: McpCall, policy: string, rule: string | null, detail: RegExp][] = [
    [toolCall({ name: 'rm' }), 'default/deny', 'mcp.tool.name == "rm"', /a Deny rule matched/],
    [
      toolCall({ arguments: { n: 2 } }),
      'default/deny',
      'mcp.tool.arguments.n > 1',
      /a Deny rule matched/,
    ],
    [toolCall(), 'default/deny', 'mcp.tool.arguments.n > 1', /no such key n/],
    [toolCall({ arguments: { n: 0 } }), 'default/allow', null, /no Allow rule matched/],
  ];
  for (const [call, policy, rule, detail] of [...rows, ...rows]) {
    const decision = authorizer.decide(alice, call);
    assert.ok(!decision.allowed);
    assert.deepEqual([decision.policy, decision.rule], [policy, rule]);
    assert.match(decision.detail, detail);
  }
});

test('a policy with a section name applies at its target alone', () => {
  const authorizer = createMcpAuthorizer(
    [
      { plan: plan('Deny', 'has(mcp.tool) && mcp.tool.name == "rm"'), target: 'files' },
      { plan: plan('Allow', 'jwt.sub == "alice"'), target: null },
    ],
    createDecisionMemo(1000),
  );
  const rm = (target: string): McpCall => toolCall({ name: 'rm', target });
  assert.equal(authorizer.decide(alice, rm('files')).allowed, false);
  assert.equal(authorizer.decide(alice, rm('other')).allowed, true);
  assert.equal(authorizer.decide(bob, rm('other')).allowed, false);
  assert.equal(authorizer.decideListed(alice, rm('files')).allowed, false);
  assert.equal(authorizer.decideListed(alice, rm('other')).allowed, true);
});

test('a completion is decided as a use of its prompt or resource', () => {
  const authorizer = authorizerOf(
    plan('Allow', 'mcp.prompt.name == "greet" && mcp.prompt.arguments.who != "root"'),
    plan('Deny', 'has(mcp.completion) && mcp.completion.argument.value == "secret"'),
  );
  const completion = (name: string, value: string): McpCall =>
    toolCall({
      method: 'completion/complete',
      kind: 'prompt',
      name,
      completion: { name: 'who', value },
    });
  assert.equal(authorizer.decide(alice, completion('greet', 'B')).allowed, true);
  assert.equal(authorizer.decide(alice, completion('greet', 'secret')).allowed, false);
  assert.equal(authorizer.decide(alice, completion('other', 'B')).allowed, false);
});

test('claims that rules may not look at are a denial, and are not remembered as one for others', () => {
  const claims = { list: Array<string>(2000).fill('a') };
  const authorizer = authorizerOf(plan('Allow', 'mcp.tool.name == "echo" || jwt.sub == "x"'));
  const decision = authorizer.decide(subject({ claims }), toolCall());
  assert.deepEqual(decision.allowed ? null : decision.policy, 'default/allow');
  assert.equal(authorizer.decide(alice, toolCall()).allowed, true);
});

test('a rule that does not compile never allows', () => {
  for (const action of ['Allow', 'Deny', 'Require'] as const) {
    const authorizer = authorizerOf(plan(action, 'mcp.tool.nam == "echo"'));
    assert.equal(authorizer.decide(alice, toolCall()).allowed, false);
    assert.equal(authorizer.decideListed(alice, toolCall()).allowed, false);
  }
});

test('every kind of object can be listed', () => {
  const authorizer = authorizerOf(plan('Allow', 'has(mcp.resource)', 'mcp.prompt.name == "p"'));
  const listed = mcpKinds.map(
    (kind) =>
      authorizer.decideListed(alice, { kind, name: 'p', target: 't', protocolVersion: null })
        .allowed,
  );
  assert.deepEqual(listed, [false, true, true]);
});

test('a decision is remembered for one principal, method and name', () => {
  const authorizer = createMcpAuthorizer(
    [
      {
        plan: plan('Allow', 'jwt.sub == mcp.resource.name && mcp.method == "resources/read"'),
        target: null,
      },
    ],
    createDecisionMemo(3),
  );
  const read = toolCall({ method: 'resources/read', kind: 'resource' });
  for (let round = 0; round < 3; round += 1) {
    for (const who of [alice, bob]) {
      for (const name of ['alice', 'bob', 'carol', 'x'.repeat(1000)]) {
        for (const method of ['resources/read', 'resources/subscribe'] as const) {
          assert.equal(
            authorizer.decide(who, { ...read, name, method }).allowed,
            who.principal?.claims.sub === name && method === 'resources/read',
          );
        }
      }
    }
  }
});

test('rules are not evaluated again for what is remembered', () => {
  let reads = 0;
  const claims = Object.defineProperty({}, 'sub', {
    enumerable: true,
    get: () => (reads += 1) > 0,
  }) as { sub: boolean };
  const authorizer = authorizerOf(
    plan('Allow', 'jwt.sub && mcp.tool.name == "echo"', 'mcp.tool.arguments.n == 1'),
  );
  const who = subject({ claims });
  assert.equal(authorizer.decide(who, toolCall()).allowed, true);
  const once = reads;
  assert.equal(authorizer.decide(who, toolCall()).allowed, true);
  assert.equal(reads, once);
  authorizer.decide(who, toolCall({ name: 'other' }));
  assert.ok(reads > once);
});

test('what differs between requests of one principal for one name is looked at each time', () => {
  const rows: [rule: string, allowed: Partial<PolicySubject & McpCall>, denied: object][] = [
    ['request.path == "/mcp"', { path: '/mcp' }, { path: '/other' }],
    ['request.headers["x-a"] == "1"', { headers: ['x-a', '1'] }, { headers: [] }],
    ['source.address == "127.0.0.1"', {}, { remoteAddress: '127.0.0.2' }],
    ['mcp.protocolVersion == "2025-11-25"', {}, { protocolVersion: '2025-06-18' }],
    ['mcp.tool.arguments.n == 1', { arguments: { n: 1 } }, { arguments: { n: 2 } }],
    ['mcp.tool.target == "main"', {}, { target: 'other' }],
    ['mcp == mcp && mcp.tool.arguments.n == 1', { arguments: { n: 1 } }, { arguments: {} }],
  ];
  for (const [rule, yes, no] of rows) {
    const authorizer = authorizerOf(plan('Allow', rule), plan('Deny', 'jwt.sub == "bob"'));
    for (let round = 0; round < 2; round += 1) {
      for (const [changes, expected] of [
        [yes, true],
        [no, false],
      ] as const) {
        const { principal } = alice;
        const who = { ...subject(changes), principal, method: 'POST' };
        const call = { ...toolCall(changes), method: 'tools/call' as const };
        assert.equal(authorizer.decide(who, call).allowed, expected, rule);
      }
    }
  }
});
