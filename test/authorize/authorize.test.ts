import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAuthorizer } from '../../src/authorize/authorize.ts';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import type { Authorizer, Decision, PolicySubject } from '../../src/authorize/authorizer.ts';
import type { AuthorizationPlan } from '../../src/plan.ts';
import { subject } from './subject.ts';

type Action = AuthorizationPlan['action'];

function plan(action: Action, ...expressions: string[]): AuthorizationPlan {
  const policy = `default/${action.toLowerCase()}`;
  return { policy, policyKind: 'AgentgatewayPolicy', action, onDeny: null, expressions };
}

function denied(decision: Decision): Exclude<Decision, { allowed: true }> {
  if (decision.allowed) assert.fail('the request was allowed');
  return decision;
}

const outcomes = {
  true: 'jwt.sub == "alice"',
  false: 'jwt.sub == "bob"',
  error: 'jwt.missing == "x"',
  'not a bool': 'jwt.sub',
} as const;
type Outcome = keyof typeof outcomes | 'absent';
const columns: Outcome[] = ['absent', 'true', 'false', 'error', 'not a bool'];

function httpAuthorizer(plans: readonly AuthorizationPlan[]): Authorizer {
  return createAuthorizer(plans, createDecisionMemo(1000));
}

test('every combination of Allow, Deny and Require decides as the specification says', () => {
  for (const allow of columns) {
    for (const deny of columns) {
      for (const require of columns) {
        const plans: AuthorizationPlan[] = [];
        if (allow !== 'absent') plans.push(plan('Allow', outcomes[allow]));
        if (deny !== 'absent') plans.push(plan('Deny', outcomes[deny]));
        if (require !== 'absent') plans.push(plan('Require', outcomes[require]));

        const denyHolds = deny === 'absent' || deny === 'false';
        const requireHolds = require === 'absent' || require === 'true';
        const allowHolds = allow === 'absent' || allow === 'true';
        const decision = httpAuthorizer(plans).authorize(subject());
        assert.equal(
          decision.allowed,
          denyHolds && requireHolds && allowHolds,
          `allow ${allow}, deny ${deny}, require ${require}`,
        );
      }
    }
  }
});

test('the expressions of one policy are OR-ed for Allow and Deny and AND-ed for Require', () => {
  const rows: [action: Action, expressions: string[], allowed: boolean][] = [
    ['Allow', [outcomes.false, outcomes.true], true],
    ['Allow', [outcomes.error, outcomes.true], true],
    ['Allow', [outcomes.false, outcomes.false], false],
    ['Allow', [], false],
    ['Deny', [outcomes.false, outcomes.false], true],
    ['Deny', [outcomes.false, outcomes.true], false],
    ['Deny', [outcomes.false, outcomes.error], false],
    ['Deny', [], true],
    ['Require', [outcomes.true, outcomes.true], true],
    ['Require', [outcomes.true, outcomes.false], false],
    ['Require', [], true],
  ];
  for (const [action, expressions, allowed] of rows) {
    const decision = httpAuthorizer([plan(action, ...expressions)]).authorize(subject());
    assert.equal(decision.allowed, allowed, `${action} ${expressions.join(', ')}`);
  }
});

test('rules of all levels count together', () => {
  const rows: [plans: AuthorizationPlan[], allowed: boolean][] = [
    [[plan('Allow', outcomes.false), plan('Allow', outcomes.true)], true],
    [
      [plan('Allow', outcomes.true), plan('Deny', outcomes.false), plan('Deny', outcomes.true)],
      false,
    ],
    [[plan('Require', outcomes.true), plan('Require', outcomes.false)], false],
    [[], true],
  ];
  for (const [plans, allowed] of rows) {
    assert.equal(httpAuthorizer(plans).authorize(subject()).allowed, allowed);
  }
});

test('a denial names the policy, the expression and why', () => {
  const rows: [plans: AuthorizationPlan[], policy: string, rule: string | null, detail: string][] =
    [
      [[plan('Deny', outcomes.true)], 'default/deny', outcomes.true, 'a Deny rule matched'],
      [
        [plan('Deny', outcomes.error)],
        'default/deny',
        outcomes.error,
        'Deny rule: evaluation failed: no such key missing at character 5',
      ],
      [
        [plan('Deny', outcomes['not a bool'])],
        'default/deny',
        outcomes['not a bool'],
        'Deny rule: the result is not a bool',
      ],
      [
        [plan('Require', outcomes.false)],
        'default/require',
        outcomes.false,
        'a Require rule is not true',
      ],
      [[plan('Allow', outcomes.false)], 'default/allow', null, 'no Allow rule matched'],
      [
        [plan('Allow', outcomes.false, outcomes.error)],
        'default/allow',
        null,
        'no Allow rule matched (evaluation failed: no such key missing at character 5)',
      ],
    ];
  for (const [plans, policy, rule, detail] of rows) {
    const decision = denied(httpAuthorizer(plans).authorize(subject()));
    assert.deepEqual(decision, { allowed: false, policy, rule, detail });
  }
});

test('what the client sent never stands in the reason of a denial', () => {
  const secret = 'Bearer-s3cr3t';
  const request = subject({ headers: ['authorization', secret], claims: { sub: secret } });
  for (const expression of [
    '{"a": true}[request.headers["authorization"]]',
    'request.headers[jwt.sub] == "a"',
    'bool(request.headers["authorization"])',
    'duration(request.headers["authorization"]) > duration("1s")',
    'timestamp(jwt.sub) > timestamp(0)',
    'request.time.getHours(request.headers["authorization"]) == 1',
    '"a".matches(jwt.sub + "(")',
  ]) {
    for (const action of ['Deny', 'Require', 'Allow'] as const) {
      const decision = denied(httpAuthorizer([plan(action, expression)]).authorize(request));
      assert.ok(decision.detail.includes('evaluation failed'), decision.detail);
      assert.ok(!decision.detail.includes(secret), decision.detail);
    }
  }
});

test('a rule that does not compile never lets a request through', () => {
  for (const [action, allowed] of [
    ['Allow', false],
    ['Require', false],
    ['Deny', false],
  ] as const) {
    const decision = httpAuthorizer([plan(action, 'jwt.sub ==')]).authorize(subject());
    assert.equal(decision.allowed, allowed, action);
  }
});

test('an anonymous request has an empty jwt', () => {
  const anonymous = subject({ claims: null });
  const rows: [expression: string, allowed: boolean][] = [
    ['jwt == {}', true],
    ['has(jwt.sub)', false],
    ['jwt.sub == "alice"', false],
    ['jwt.?sub.orValue("nobody") == "nobody"', true],
  ];
  for (const [expression, allowed] of rows) {
    const decision = httpAuthorizer([plan('Allow', expression)]).authorize(anonymous);
    assert.equal(decision.allowed, allowed, expression);
  }
});

test('a request does not see the data of the one before', () => {
  const authorizer = httpAuthorizer([
    plan('Allow', 'jwt.roles.exists(r, r == "admin") && request.headers["x"] == "1"'),
  ]);
  assert.equal(authorizer.authorize(subject({ headers: ['x', '1'] })).allowed, true);
  assert.equal(authorizer.authorize(subject({ headers: [] })).allowed, false);
  assert.equal(authorizer.authorize(subject({ headers: ['x', '1'], claims: null })).allowed, false);
});

test('the claims of a finished request are not kept', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  const authorizer = httpAuthorizer([
    plan('Allow', 'jwt.groups.exists(g, g.name == "a" && jwt.sub == "alice")'),
  ]);
  const decide = (): WeakRef<object> => {
    const claims = { sub: 'alice', groups: [{ name: 'b' }, { name: 'a' }] };
    assert.equal(authorizer.authorize(subject({ claims })).allowed, true);
    return new WeakRef(claims);
  };
  const reference = decide();
  await new Promise((resolve) => setImmediate(resolve));
  Reflect.apply(collect, undefined, []);
  assert.equal(reference.deref(), undefined);
});

test('authorize never throws and decides alike twice, whatever the request holds', () => {
  const authorizers = [
    plan('Allow', 'jwt.roles.exists(r, r == "admin")', 'jwt.a.b == request.query["x"]'),
    plan('Deny', 'request.headers["x"].matches(jwt.p)', 'jwt == request.headers'),
    plan('Require', 'size(jwt) > 0 && jwt[request.method] in jwt.roles', 'source.port > 1'),
    plan('Allow', 'jwt.?a.?b.orValue(1) == 1 || request.uri.split("/").size() > 3'),
  ].map((one) => httpAuthorizer([one]));
  const name = fc.oneof(
    fc.constantFrom('constructor', '__proto__', 'toString', 'a', 'b', 'roles', 'p', 'x'),
    fc.string({ unit: 'binary' }),
  );
  const claims = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(name, tie('value')),
    ),
  })).value;
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(
      fc.dictionary(name, claims),
      fc.array(fc.tuple(name, text)),
      fc.option(text),
      text,
      (jwt, headers, query, method) => {
        const request = subject({
          // Any JSON: what a verified token can hold.
          claims: JSON.parse(JSON.stringify(jwt)) as Record<string, string>,
          headers: headers.flat(),
          query,
          method,
        });
        for (const authorizer of authorizers) {
          assert.deepEqual(authorizer.authorize(request), authorizer.authorize(request));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('claims that rules can not look at deny, whatever the action', () => {
  let deep: Record<string, unknown> = { sub: 'alice' };
  for (let depth = 0; depth < 20; depth += 1) deep = { sub: 'alice', deep };
  for (const action of ['Allow', 'Deny', 'Require'] as const) {
    const expression = action === 'Deny' ? outcomes.false : outcomes.true;
    const decision = denied(
      httpAuthorizer([plan(action, expression)]).authorize(
        subject({ claims: deep as Record<string, string> }),
      ),
    );
    assert.match(decision.detail, /too deep or too many/);
  }
});

test('an exception while deciding is a denial', () => {
  const broken = Object.defineProperty({ ...subject() }, 'headers', {
    get: () => {
      throw new Error('a bug');
    },
  });
  const decision = denied(
    httpAuthorizer([plan('Deny', 'has(request.headers.x) && false')]).authorize(broken),
  );
  assert.equal(decision.detail, 'the rules failed');
  assert.equal(decision.policy, 'default/deny');
});

test('what was decided about claims alone is remembered, by the claims themselves', () => {
  for (const [expression, expected] of [
    ['jwt.sub == "alice"', true],
    ['jwt.sub == "bob"', false],
    ['jwt.absent == "x"', false],
  ] as const) {
    // prettier-ignore
    const authorizer = httpAuthorizer([plan('Allow', expression)]);
    let reads = 0;
    const claims = Object.defineProperty({ sub: '' }, 'sub', {
      enumerable: true,
      get: () => {
        reads += 1;
        return 'alice';
      },
    });
    const first = authorizer.authorize(subject({ claims }));
    assert.equal(first.allowed, expected, expression);
    const before = reads;
    assert.deepEqual(authorizer.authorize(subject({ claims, path: '/other' })), first);
    assert.equal(reads, before, expression);
    assert.equal(authorizer.authorize(subject({ claims: { sub: 'eve' } })).allowed, false);
    assert.equal(authorizer.authorize(subject({ claims: null })).allowed, false);
    assert.equal(authorizer.authorize(subject({ claims })).allowed, expected, expression);
  }
});

test('nothing is remembered of claims where a rule looks at the request besides', () => {
  const claims = { sub: 'alice' };
  const rows: [expression: string, changes: Partial<PolicySubject>][] = [
    ['request.method == "POST"', { method: 'GET' }],
    ['request.path == "/mcp"', { path: '/other' }],
    ['request.uri == "/mcp"', { query: 'a' }],
    ['request.host == "localhost"', { host: 'other' }],
    ['request.scheme == "http"', { scheme: 'https' }],
    ['size(request.query) == 0', { query: 'a=1' }],
    ['size(request.headers) == 2', { headers: [] }],
    ['request.time < timestamp("2027-01-01T00:00:00Z")', { startedAtMs: Date.UTC(2028) }],
    ['source.address == "127.0.0.1"', { remoteAddress: '127.0.0.2' }],
    ['source.port == 59068', { remotePort: 1 }],
  ];
  for (const [expression, changes] of rows) {
    const authorizer = httpAuthorizer([
      plan('Allow', `jwt.sub == "alice" && ${expression}`),
      plan('Require', 'jwt.sub == "alice"'),
    ]);
    assert.equal(authorizer.authorize(subject({ claims })).allowed, true, expression);
    assert.equal(authorizer.authorize(subject({ claims, ...changes })).allowed, false, expression);
    assert.equal(authorizer.authorize(subject({ claims })).allowed, true, expression);
  }
});

test('a failure to decide is not remembered', () => {
  let fails = true;
  const claims = new Proxy(
    { sub: 'alice' },
    {
      ownKeys: (target) => {
        if (fails) throw new Error('not now');
        return Reflect.ownKeys(target);
      },
    },
  );
  const authorizer = httpAuthorizer([plan('Allow', 'jwt.sub == "alice"')]);
  assert.equal(authorizer.authorize(subject({ claims })).allowed, false);
  fails = false;
  assert.equal(authorizer.authorize(subject({ claims })).allowed, true);
});
