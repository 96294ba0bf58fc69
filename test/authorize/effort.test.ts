/**
 * What a rule may cost. The rules here are slow on purpose: their author lets them loop, twice nested, over
 * what a client chose. Whatever it sends, it gets an answer soon.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createEffort, maxEffort } from '../../src/authorize/effort.ts';
import { environment } from '../../src/authorize/environment.ts';
import { meterLoops } from '../../src/authorize/meter-loops.ts';
import { authorizerOf, plan, toolCall } from './mcp-subject.ts';
import { subject } from './subject.ts';

const texts = (count: number, length: number): string[] =>
  Array.from({ length: count }, (_, index) => 'a'.repeat(length) + String(index));
const patterns = Array.from({ length: 200 }, (_, index) => `(a|b|${'c'.repeat(80)}|${index})*d`);
const long = 'ä'.repeat(65_000);
const groups = texts(1000, 4);
const list = 'mcp.tool.arguments.list';
const other = 'mcp.tool.arguments.other';
const text = 'mcp.tool.arguments.text';

function ask(action: 'Allow' | 'Deny' | 'Require', rule: string, values: Record<string, unknown>) {
  const authorizer = authorizerOf(plan(action, rule));
  const claims = { iss: 'x', sub: 'alice', groups };
  const headers = ['x-list', 'a,'.repeat(1000)];
  return authorizer.decide(subject({ claims, headers }), toolCall({ arguments: values }));
}

describe('a rule that a client could make slow denies instead', () => {
  const nested = { list: texts(256, 8), other: texts(256, 8) };
  const rows: readonly [name: string, rule: string, values: Record<string, unknown>][] = [
    ['two loops', `${list}.exists(x, ${other}.exists(y, x + "z" == y))`, nested],
    [
      'three lists in one',
      `(${list} + ${list} + ${list}).all(x, ${list}.all(y, x != y + "z"))`,
      nested,
    ],
    ['a list for each member', `${list}.map(x, ${list}.map(y, x + y)).size() == 3`, nested],
    [
      'texts in texts',
      `${list}.exists(x, ${other}.exists(y, x.contains(y)))`,
      { list: texts(256, 8000), other: texts(256, 9000) },
    ],
    [
      'a fixed pattern',
      `${list}.exists(x, ${other}.exists(y, x.matches("a*b$")))`,
      { list: texts(256, 8000), other: texts(256, 8) },
    ],
    [
      'patterns of the client',
      `${list}.exists(x, ${other}.exists(y, x.matches(y)))`,
      { list: texts(64, 8000), other: patterns },
    ],
    [
      'the length of a long text, over and over',
      `${list}.exists(x, ${list}.exists(y, size(${text}) == 1))`,
      { list: texts(256, 8), text: long },
    ],
    [
      'its characters',
      `${list}.exists(x, ${text}.charAt(3) == "z")`,
      { list: texts(256, 8), text: long },
    ],
    [
      'its replacement',
      `${list}.exists(x, ${text}.replace("ä", "oe") == x)`,
      { list: texts(256, 8), text: long },
    ],
    [
      'a header that is split in a loop over its parts',
      'request.headers["x-list"].split(",").exists(x, request.headers["x-list"].split(",").exists(y, x == y + "z"))',
      {},
    ],
    ['claims by claims', 'jwt.groups.exists(x, jwt.groups.exists(y, x + "z" == y))', {}],
    [
      'whole lists compared',
      `${list}.exists(x, ${list}.exists(y, ${other} == ${text}))`,
      { list: texts(256, 8), other: texts(256, 99), text: [...texts(255, 99), 'end'] },
    ],
    [
      'a search in a list',
      `${list}.exists(x, ${list}.exists(y, (x + y) in ${other}))`,
      { list: texts(256, 8), other: texts(256, 20) },
    ],
  ];
  for (const [name, rule, values] of rows) {
    test(name, () => {
      const startedAtMs = performance.now();
      for (const [action, expression] of [
        ['Allow', rule],
        ['Deny', rule],
        ['Require', `!(${rule})`],
        // The refusal stays one where the loop would be forgiven beside a true condition.
        ['Allow', `${rule} || true`],
      ] as const) {
        assert.equal(ask(action, expression, values).allowed, false, `${action} ${expression}`);
      }
      // Each took between 0.3 and 60 s without a bound.
      assert.ok(performance.now() - startedAtMs < 4000);
      // And the next decision is not concerned.
      assert.equal(ask('Allow', 'mcp.tool.name == "echo"', values).allowed, true);
    });
  }
});

test('ordinary loops over large arguments are not concerned', () => {
  const files = Array.from({ length: 200 }, (_, index) => ({
    path: `/work/${index}`,
    content: 'x'.repeat(10_000),
  }));
  for (const rule of [
    `${list}.all(f, f.path.startsWith("/work/") && !f.content.contains("secret"))`,
    `${list}.all(f, f.path.matches("^/work/[0-9]+$"))`,
    `${list}.exists(f, f.path == "/work/199")`,
    `jwt.groups.exists(g, g in ["x", "aaaa999"])`,
    `${list}.all(f, ["aaaa1", "aaaa2", "aaaa3"].exists(g, g in jwt.groups))`,
    `${list}.exists(f, optional.of(f.path).orValue("") == "/work/3")`,
    `${list}.exists(f, has(f.path) && cel.bind(p, f.path, p + p == "/work/1/work/1"))`,
    `${list}.filter(f, f.path.endsWith("9")).map(f, f.path).size() == 20`,
  ]) {
    const decision = ask('Allow', rule, { list: files });
    assert.ok(decision.allowed, decision.allowed ? '' : `${rule}: ${decision.detail}`);
  }
});

test('an error in a loop is reported at its place in the rule as it was written', () => {
  const rule = 'jwt.groups.exists(g, g == "z" || jwt.absent == g)';
  const decision = ask('Require', rule, {});
  assert.ok(!decision.allowed);
  assert.match(decision.detail, new RegExp(`absent at character ${rule.indexOf('absent') + 1}$`));
});

test('where the charges stand', () => {
  const rows: readonly [expression: string, metered: string | null][] = [
    ['jwt.a == jwt.b && size(jwt.c) > 3', null],
    ['jwt.a.exists(x, x == "b")', 'chargeLoop(jwt.a).exists(x, x == "b")'],
    [
      'jwt.a.exists(x, x == jwt.b)',
      'chargeLoop(jwt.a).exists(x, chargeScan(x) == chargeScan(jwt.b))',
    ],
    [
      '(jwt.a + jwt.b).all(x, x.matches("a"))',
      '(chargeLoop(jwt.a + jwt.b)).all(x, chargeWork(x).matches("a"))',
    ],
    [
      'jwt.a.map(x, jwt.b.filter(y, has(y.c) && y.c in x)) == []',
      'chargeLoop(jwt.a).map(x, chargeLoop(jwt.b).filter(y, has(y.c) && chargeScan(y.c) in chargeScan(x))) == []',
    ],
  ];
  for (const [expression, metered] of rows) {
    const result = meterLoops(environment.parse(expression).ast, expression);
    assert.equal(result?.text ?? null, metered);
  }
});

test('a charge refuses what is too much, and everything after it until the reset', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.integer({ min: 0, max: 10 }), (value, limit) => {
      const effort = createEffort(limit);
      let refused = false;
      for (let round = 0; round < 40 && !refused; round += 1) {
        for (const charge of [effort.loop, effort.scan, effort.work]) {
          try {
            assert.equal(charge(value), value);
          } catch (error) {
            assert.ok(error instanceof RangeError);
            refused = true;
          }
          assert.equal(effort.isSpent(), refused);
        }
      }
      if (Array.isArray(value) && value.length > 1) assert.ok(refused);
      effort.reset();
      assert.ok(!effort.isSpent());
    }),
  );
  const effort = createEffort();
  assert.throws(() => effort.loop(Array<number>(maxEffort + 1).fill(0)), RangeError);
});
