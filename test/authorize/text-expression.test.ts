import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PolicySubject } from '../../src/authorize/authorizer.ts';
import type { McpCall } from '../../src/authorize/mcp-call.ts';
import { checkTextExpression, compileTextExpression } from '../../src/authorize/text-expression.ts';
import { PrincipalFindings } from '../../src/principal-findings.ts';

const subject: PolicySubject = {
  principal: {
    claims: { sub: 'alice', level: 3, constructor: 'x' },
    findings: new PrincipalFindings(),
  },
  method: 'POST',
  scheme: 'https',
  host: 'gate.test',
  path: '/mcp',
  query: null,
  headers: ['x-team', 'blue'],
  remoteAddress: '192.0.2.1',
  remotePort: null,
  startedAtMs: 0,
};
const call: McpCall = {
  method: 'tools/call',
  kind: 'tool',
  name: 'echo',
  target: 't',
  protocolVersion: null,
  arguments: null,
  completion: null,
};

describe('a text expression', () => {
  const rows: readonly [expression: string, call: McpCall | null, text: string | null][] = [
    ['jwt.sub', null, 'alice'],
    ['jwt.sub + "/" + mcp.tool.name', call, 'alice/echo'],
    ['request.headers["x-team"]', null, 'blue'],
    ['source.address', null, '192.0.2.1'],
    ['string(jwt.level)', null, '3'],
    ['has(mcp.tool) ? mcp.tool.name : "none"', { ...call, kind: 'prompt' }, 'none'],
    ['mcp.tool.name', null, null],
    ['mcp.tool.name', { ...call, kind: 'prompt' }, null],
    ['jwt.absent', null, null],
    ['jwt.level', null, null],
    ['request.headers["absent"]', null, null],
  ];
  for (const [expression, asked, text] of rows) {
    test(`${expression} gives ${JSON.stringify(text)}`, () => {
      const compiled = compileTextExpression(expression, 'mcp');
      assert.ok(!('message' in compiled));
      assert.equal(compiled.evaluate(subject, asked), text);
    });
  }

  const bad: readonly [expression: string, scope: 'http' | 'mcp', message: RegExp][] = [
    ['', 'http', /empty/],
    ['jwt.sub ==', 'http', /1:/],
    ['1 + 1', 'http', /the type of the expression is int, not string/],
    ['jwt.sub == "a"', 'http', /is bool, not string/],
    ['mcp.tool.name', 'http', /only to policies that target a Backend/],
    ['json("{}")', 'mcp', /json/],
    ['"x"'.padEnd(20_000, ' + "x"'), 'http', /longer than/],
  ];
  for (const [expression, scope, message] of bad) {
    test(`${expression.slice(0, 30)} is refused`, () => {
      const [problem = ''] = checkTextExpression(expression, scope);
      assert.match(problem, message);
    });
  }

  test('never throws, whatever is written', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const compiled = compileTextExpression(text, 'mcp');
        if (!('message' in compiled)) compiled.evaluate(subject, call);
      }),
      { numRuns: 500 },
    );
  });
});
