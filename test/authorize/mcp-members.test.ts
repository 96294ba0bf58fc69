import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkExpression, compileRule } from '../../src/authorize/rule.ts';

test('a member of mcp that does not exist is refused where the rule is loaded', () => {
  const rows: [expression: string, problem: string][] = [
    [
      'mcp.tol.name == "x"',
      '1:1: mcp has no tol; it has method, protocolVersion, tool, prompt, resource, completion',
    ],
    ['jwt.sub == "a" && mcp.task.id == "x"', '1:19: mcp has no task; it has method, '],
    ['mcp.tool.args.n == 1', '1:1: mcp.tool has no args; it has name, target, arguments'],
    ['mcp["tool"].nam == "x"', '1:1: mcp.tool has no nam; it has name, target, arguments'],
    ['has(mcp.prompt.title)', 'mcp.prompt has no title; it has name, target, arguments'],
    ['mcp.resource.arguments.n == 1', 'mcp.resource has no arguments; it has name, target'],
    ['mcp.?resource.?uri.orValue("") == ""', 'mcp.resource has no uri; it has name, target'],
    ['mcp.completion.name == "x"', 'mcp.completion has no name; it has argument'],
    ['has(mcp.constructor)', 'mcp has no constructor; it has method'],
    ['mcp["__proto__"] == 1', 'mcp has no __proto__; it has method'],
  ];
  for (const [expression, problem] of rows) {
    for (const scope of ['mcp', 'http'] as const) {
      const [found = 'accepted', ...more] = checkExpression(expression, scope).problems;
      assert.ok(found.includes(problem), `${expression}: ${found}`);
      assert.deepEqual(more, []);
    }
  }
});

test('a rule says what it reads of mcp', () => {
  const all = [
    ...['method', 'protocolVersion', 'object', 'tool.arguments', 'prompt.arguments', 'completion'],
  ];
  const rows: [expression: string, inputs: string[]][] = [
    ['jwt.sub == "a"', []],
    ['mcp.method == "tools/call"', ['method']],
    ['mcp.protocolVersion == "x"', ['protocolVersion']],
    ['mcp.tool.name == "echo" || mcp.prompt.target == "x"', ['object']],
    ['mcp.resource == {}', ['object']],
    ['mcp.tool.arguments.n == 1', ['tool.arguments']],
    ['mcp["prompt"].?arguments.?n.orValue(1) == 1', ['prompt.arguments']],
    ['has(mcp.prompt.arguments.n)', ['prompt.arguments']],
    ['has(mcp.tool) && !has(mcp.prompt)', ['object']],
    ['has(mcp.completion)', ['method']],
    ['has(mcp.protocolVersion)', ['protocolVersion']],
    ['mcp.completion.argument.value == "x"', ['completion']],
    ['mcp.tool == mcp.tool', ['object', 'tool.arguments']],
    ['mcp.tool[jwt.x] == 1', ['object', 'tool.arguments']],
    ['"tool" in mcp', all],
    ['mcp[jwt.x] == 1', all],
    ['[mcp].exists(m, m.tool.name == "x")', all],
  ];
  for (const [expression, inputs] of rows) {
    const result = compileRule(expression, 'mcp');
    if (!result.ok) assert.fail(`${expression}: ${result.message}`);
    assert.deepEqual([...result.rule.reads.mcpInputs].sort(), [...inputs].sort(), expression);
    assert.equal(result.rule.reads.roots.has('mcp'), inputs.length > 0, expression);
  }
});

test('a Deny rule that fails for what it does not speak of is warned about', () => {
  const rows: [expression: string, warning: RegExp | null][] = [
    ['mcp.tool.name == "rm"', /fails, and so denies, for every prompt and resource; guard it/],
    ['mcp.resource.name == "x"', /for every tool and prompt;/],
    ['mcp.tool.arguments.amount > 100', /for every prompt and resource;/],
    ['has(mcp.tool) && mcp.tool.name == "rm"', null],
    ['has(mcp.tool) && mcp.tool.arguments.amount > 100', null],
    ['mcp.method == "tools/call" && mcp.tool.name == "rm"', null],
    ['mcp.?tool.?name.orValue("") == "rm"', null],
    ['jwt.team == "ops"', /when a claim or header that it reads is absent/],
    ['has(mcp.tool) && mcp.tool.name == "" && jwt.team == "x"', /for every tool;/],
    ['jwt.sub == "bob"', null],
  ];
  for (const [expression, warning] of rows) {
    const { problems, warnings } = checkExpression(expression, 'mcp', 'Deny');
    assert.deepEqual(problems, []);
    if (warning === null) assert.deepEqual(warnings, [], expression);
    else assert.match(warnings[0] ?? '', warning, expression);
    assert.deepEqual(checkExpression(expression, 'mcp', 'Allow').warnings, []);
  }
});
