import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  maxArgumentDepth,
  maxMembers,
  maxTextLength,
  maxValues,
  visibleArguments,
} from '../../src/authorize/visible-arguments.ts';
import type { JsonObject } from '../../src/json/read-json.ts';
import { authorizerOf, plan, toolCall } from './mcp-subject.ts';
import { subject } from './subject.ts';

/** What an Allow and a Deny rule make of a call: 'true', 'false' or, where both deny, 'error'. */
function evaluate(rule: string, json: string | JsonObject): string {
  const values = typeof json === 'string' ? (JSON.parse(json) as JsonObject) : json;
  const call = toolCall({ arguments: values });
  const allow = authorizerOf(plan('Allow', rule)).decide(subject(), call).allowed;
  const deny = authorizerOf(plan('Deny', rule)).decide(subject(), call).allowed;
  if (allow) return 'true';
  return deny ? 'false' : 'error';
}

test('ordinary arguments are used as they are', () => {
  const values = { a: 1, b: 'x', c: [1.5, null, true, { d: [] }], toString: 'y' };
  assert.equal(visibleArguments(values), values);
});

test('names that mean something to JavaScript are names like others', () => {
  const json = '{"constructor":"x","__proto__":{"admin":true},"a":{"constructor":{"b":1}},"c":2}';
  const rows: [rule: string, outcome: string][] = [
    ['mcp.tool.arguments.constructor == "x"', 'true'],
    ['has(mcp.tool.arguments.constructor)', 'true'],
    ['mcp.tool.arguments["__proto__"].admin == true', 'true'],
    ['has(mcp.tool.arguments.admin)', 'false'],
    ['mcp.tool.arguments.a.constructor.b == 1', 'true'],
    ['mcp.tool.arguments.c == 2 && size(mcp.tool.arguments) == 4', 'true'],
    ['has(mcp.tool.arguments.toString) || "valueOf" in mcp.tool.arguments', 'false'],
    ['mcp.tool.arguments.hasOwnProperty == 1', 'error'],
    ['mcp.tool.arguments.a == {"b": 1}', 'false'],
    ['mcp.tool.arguments.exists(k, k == "__proto__")', 'true'],
  ];
  for (const [rule, outcome] of rows) assert.equal(evaluate(rule, json), outcome, rule);
});

test('what is too large, too deep or not exact can not be read, and what stands beside it can', () => {
  const rows: [value: string, readable: boolean][] = [
    [JSON.stringify('x'.repeat(maxTextLength)), true],
    [JSON.stringify('x'.repeat(maxTextLength + 1)), false],
    [JSON.stringify(Array<number>(maxMembers).fill(1)), true],
    [JSON.stringify(Array<number>(maxMembers + 1).fill(1)), false],
    [
      JSON.stringify(Object.fromEntries(Array.from({ length: 257 }, (_, index) => [index, 1]))),
      false,
    ],
    ['9007199254740991', true],
    ['9007199254740993', false],
    ['-1e400', false],
    ['1e20', false],
  ];
  for (const [value, readable] of rows) {
    const json = `{"before":1,"v":${value},"after":2}`;
    const text = value.slice(0, 30);
    const sides = 'mcp.tool.arguments.before == 1 && mcp.tool.arguments.after == 2';
    assert.equal(evaluate(sides, json), 'true', text);
    // A list always differs from null; reading it is what may fail.
    for (const rule of ['has(mcp.tool.arguments.v)', '[mcp.tool.arguments.?v] != []']) {
      const direct = rule.replace('.?', '.');
      assert.equal(evaluate(direct, json), readable ? 'true' : 'error', `${direct} ${text}`);
    }
    if (!readable) {
      for (const rule of [
        'mcp.tool.arguments.v != "a"',
        'mcp.tool.arguments.?v.orValue("a") == "a"',
        '!has(mcp.tool.arguments.v)',
        'mcp.tool.arguments == {}  || mcp.tool.arguments.v == "b"',
        '"v" in mcp.tool.arguments',
      ]) {
        assert.equal(evaluate(rule, json), 'error', `${rule} ${text}`);
      }
    }
  }
});

test('lists are readable down to the deepest level and no further', () => {
  const nest = (levels: number): string => `{"v":${'['.repeat(levels)}1${']'.repeat(levels)}}`;
  const levels = maxArgumentDepth - 1;
  const last = `mcp.tool.arguments.v${'[0]'.repeat(levels)}`;
  assert.equal(evaluate(`${last} == 1`, nest(levels)), 'true');
  for (const deeper of [levels + 1, 5000]) {
    assert.equal(evaluate(`${last} != 1`, nest(deeper)), 'error');
    assert.equal(evaluate('mcp.tool.arguments.v == [1]', nest(deeper)), 'error');
  }
});

test('a list with an unreadable member fails where a loop comes to it', () => {
  const json = JSON.stringify({ l: ['a', 'x'.repeat(maxTextLength + 1)], m: [1] });
  assert.equal(evaluate('mcp.tool.arguments.l.exists(s, s == "b")', json), 'error');
  assert.equal(evaluate('mcp.tool.arguments.l[0] == "a"', json), 'true');
  assert.equal(evaluate('mcp.tool.arguments.m[0] == 1', json), 'true');
});

test('more values than the bound are not readable', () => {
  const rows = Array.from({ length: 100 }, () => Array<number>(100).fill(1));
  assert.ok(100 * 100 > maxValues);
  assert.equal(evaluate('mcp.tool.arguments.rows[99][99] == 1', { rows }), 'error');
  assert.equal(evaluate('mcp.tool.arguments.n == 1', { n: 1, rows }), 'true');
});

test('arguments that no rule looks at cost and forbid nothing', () => {
  const rule = 'mcp.tool.name == "echo" || mcp.tool.arguments.n == 1';
  assert.equal(
    evaluate(rule, { n: 'x'.repeat(1_000_000), l: Array<number>(5000).fill(1) }),
    'true',
  );
});

test('the cost of two nested loops over arguments is bounded', () => {
  const l = Array<number>(maxMembers).fill(1);
  const rule = 'mcp.tool.arguments.l.exists(a, mcp.tool.arguments.l.exists(b, a + b == 0.0))';
  evaluate(rule, { l: [1] });
  const startedAtMs = performance.now();
  assert.equal(evaluate(rule, { l }), 'error');
  assert.ok(performance.now() - startedAtMs < 20_000);
});

test('any JSON object at all is shown, or refused with a RangeError', () => {
  const json = fc.object({
    key: fc.oneof(
      fc.string(),
      fc.constantFrom('constructor', '__proto__', 'toString', 'prototype', 'length'),
    ),
    maxDepth: 10,
    values: [fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.maxSafeInteger()],
  });
  const rules = [
    'mcp.tool.arguments.exists(k, mcp.tool.arguments[k] == "x")',
    'mcp.tool.arguments == {"a": 1}',
    'mcp.tool.arguments.a.b == 1',
    'size(mcp.tool.arguments) > 3',
  ];
  fc.assert(
    fc.property(json, (value) => {
      const values = JSON.parse(JSON.stringify(value)) as JsonObject;
      const text = JSON.stringify(values);
      for (const rule of rules) assert.match(evaluate(rule, values), /^(true|false|error)$/);
      assert.equal(JSON.stringify(values), text);
    }),
    { numRuns: 300 },
  );
});

test('a map in which two members differ in nothing but case cannot be read', () => {
  const rule = 'mcp.tool.name == "pay" && mcp.tool.arguments.to.amount <= 100.0';
  const authorizer = authorizerOf(plan('Allow', rule));
  const pay = (to: JsonObject) =>
    authorizer.decide(subject({}), toolCall({ name: 'pay', arguments: { to } })).allowed;
  assert.equal(pay({ amount: 5 }), true);
  assert.equal(pay({ amount: 5, Amount: 5000 }), false);
  assert.equal(pay({ amount: 5, 'amo\u0055nt': 5000 }), false);
});
