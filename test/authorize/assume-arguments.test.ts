import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRule } from '../../src/authorize/rule.ts';
import type { Assumption } from '../../src/authorize/assume-arguments.ts';
import { createRuleContext } from '../../src/authorize/context.ts';
import { mcpRoot } from '../../src/authorize/mcp-root.ts';
import { authorizerOf, plan, toolCall } from './mcp-subject.ts';
import { subject } from './subject.ts';

function outcome(expression: string, assumption: Assumption['outcome']): boolean | 'error' {
  const result = compileRule(expression, 'mcp', { argumentsOf: 'tool', outcome: assumption });
  if (!result.ok) assert.fail(`${expression}: ${result.message}`);
  assert.equal(result.rule.reads.mcpInputs.has('tool.arguments'), false, expression);
  assert.equal(result.rule.expression, expression);
  const context = createRuleContext([result.rule.reads]);
  context.load(subject());
  context.values.mcp = mcpRoot('tools/call', toolCall(), null);
  const value = result.rule.evaluate(context.values);
  return typeof value === 'object' ? 'error' : value;
}

/** On the claims of Alice, who has no `limit`, for the tool `echo`. */
const rows: [expression: string, highest: boolean | 'error', lowest: boolean | 'error'][] = [
  ['mcp.tool.arguments.n == 1', true, false],
  ['has(mcp.tool.arguments.n)', true, false],
  ['!has(mcp.tool.arguments.n)', true, false],
  ['"n" in mcp.tool.arguments', true, false],
  ['mcp.tool == {}', true, false],
  ['size(mcp) == 3', true, false],
  ['mcp["tool"]["arguments"]["n"] == 1', true, false],
  ['mcp.?tool.?arguments.?n.orValue(1) == 1', true, false],
  ['mcp.tool[jwt.sub] == 1', true, false],
  ['has(mcp.tool) && mcp.tool.name == "echo"', true, true],
  ['mcp.tool.name == "echo" && mcp.tool.arguments.n == 1', true, false],
  ['mcp.tool.name == "other" && mcp.tool.arguments.n == 1', false, false],
  ['mcp.tool.name == "echo" || mcp.tool.arguments.n == 1', true, true],
  ['mcp.tool.name == "other" || mcp.tool.arguments.n == 1', true, false],
  ['!(mcp.tool.name == "echo" && mcp.tool.arguments.n == 1)', true, false],
  ['!(mcp.tool.name == "other" && mcp.tool.arguments.n == 1)', true, true],
  ['!(mcp.tool.name == "echo" || mcp.tool.arguments.n == 1)', false, false],
  // A claim that is absent fails whatever the arguments are.
  ['jwt.limit == 1 && mcp.tool.arguments.n == 1', 'error', false],
  ['jwt.limit == 1 || mcp.tool.arguments.n == 1', true, 'error'],
  ['mcp.tool.arguments.n <= jwt.limit', 'error', 'error'],
  ['!(mcp.tool.arguments.n <= jwt.limit)', 'error', 'error'],
  ['mcp.tool.arguments.n <= jwt.level', true, false],
  ['mcp.tool.arguments.list.exists(x, x == jwt.limit)', true, false],
  ['[1].map(x, jwt.limit) == mcp.tool.arguments.list', 'error', 'error'],
  // A condition on arguments chooses between two outcomes.
  ['mcp.tool.arguments.n == 1 ? jwt.sub == "alice" : false', true, false],
  ['mcp.tool.arguments.n == 1 ? jwt.sub == "bob" : false', false, false],
  ['jwt.sub == "alice" ? mcp.tool.arguments.n == 1 : true', true, false],
  ['jwt.sub == "bob" ? mcp.tool.arguments.n == 1 : true', true, true],
  ['!(mcp.tool.arguments.n == 1 ? jwt.sub == "bob" : mcp.tool.arguments.m == 2)', true, false],
  // Loops over what is known are chains of && and ||.
  ['jwt.roles.exists(r, r == "admin" && mcp.tool.arguments.n == 1)', true, false],
  ['jwt.roles.exists(r, r == "none" && mcp.tool.arguments.n == 1)', false, false],
  ['jwt.roles.all(r, r != "admin" || mcp.tool.arguments.n == 1)', true, false],
  ['!jwt.roles.exists(r, r == "none" && mcp.tool.arguments.n == 1)', true, true],
  ['jwt.roles.exists(r, mcp.tool.arguments.n == r)', true, false],
  ['cel.bind(s, jwt.sub, s == "bob" && mcp.tool.arguments.n == 1)', false, false],
  ['cel.bind(a, mcp.tool.arguments, a.n == 1 && jwt.sub == "bob")', true, false],
  ['(mcp.tool.arguments.n == 1) == (mcp.tool.arguments.m - (1.0 - 2.0) == 3.0)', true, false],
  // The other kind's arguments are not unknown: they are absent.
  ['mcp.prompt.arguments.n == 1', 'error', 'error'],
  ['has(mcp.prompt) && mcp.prompt.arguments.n == 1', false, false],
];

test('the highest and the lowest outcome over all arguments', () => {
  for (const [expression, highest, lowest] of rows) {
    assert.equal(outcome(expression, 'highest'), highest, `highest of ${expression}`);
    assert.equal(outcome(expression, 'lowest'), lowest, `lowest of ${expression}`);
  }
});

test('an item is listed by what its rules may become', () => {
  for (const [expression, highest, lowest] of rows) {
    for (const [action, listed] of [
      ['Allow', highest === true],
      ['Require', highest === true],
      ['Deny', lowest === false],
    ] as const) {
      const decision = authorizerOf(plan(action, expression)).decideListed(subject(), toolCall());
      assert.equal(decision.allowed, listed, `${action} ${expression}`);
      if (!decision.allowed && action !== 'Allow') assert.equal(decision.rule, expression);
    }
  }
});
