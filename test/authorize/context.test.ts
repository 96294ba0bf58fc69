import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRuleContext } from '../../src/authorize/context.ts';
import type { PolicySubject } from '../../src/authorize/authorizer.ts';
import { compileRule } from '../../src/authorize/rule.ts';
import { subject } from './subject.ts';

function evaluate(expression: string, request: PolicySubject): boolean | string {
  const result = compileRule(expression, 'http');
  if (!result.ok) assert.fail(`${expression}: ${result.message}`);
  const context = createRuleContext([result.rule.reads]);
  const problem = context.load(request);
  if (problem !== null) return problem;
  const outcome = result.rule.evaluate(context.values);
  return typeof outcome === 'object' ? outcome.failure : outcome;
}

test('a rule sees the request', () => {
  const request = subject({
    query: 'a=1%202&b=x+y&a=second&empty=&bad=%zz',
    headers: ['host', 'localhost', 'x-a', '1', 'x-a', '2', 'cookie', 'a=1', 'cookie', 'b=2'],
  });
  for (const expression of [
    'request.method == "POST"',
    'request.path == "/mcp"',
    'request.uri == "/mcp?a=1%202&b=x+y&a=second&empty=&bad=%zz"',
    'request.host == "localhost"',
    'request.scheme == "http"',
    'request.query["a"] == "1 2" && request.query.b == "x y" && request.query.empty == ""',
    'request.query.bad == "%zz"',
    '!has(request.query.c) && !("c" in request.query)',
    'request.headers["x-a"] == "1, 2"',
    'request.headers.cookie == "a=1; b=2"',
    'request.time > timestamp("2026-01-01T00:00:00Z")',
    'request.time.getHours("UTC") == 21 && int(request.time) == 1795384200',
    'source.address == "127.0.0.1" && source.port == 59068',
    'jwt.team == "dev" && jwt["team"] == "dev" && "admin" in jwt.roles',
    'size(request.headers) == 3 && request.headers.exists(h, h == "cookie")',
  ]) {
    assert.equal(evaluate(expression, request), true, expression);
  }
});

test('what is unknown is absent', () => {
  assert.equal(evaluate('has(source.port)', subject({ remotePort: null })), false);
  assert.equal(evaluate('request.uri == "/mcp"', subject({ query: null })), true);
  assert.equal(evaluate('request.uri == "/mcp?"', subject({ query: '' })), true);
  assert.match(String(evaluate('mcp.tool.name == "x"', subject())), /unknown variable/);
});

test('only what the rules read is put into the context', () => {
  const result = compileRule('request.method == "GET"', 'http');
  if (!result.ok) assert.fail(result.message);
  const context = createRuleContext([result.rule.reads]);
  assert.equal(context.load(subject()), null);
  assert.deepEqual(context.values.request, { method: 'POST' });
  assert.deepEqual(context.values.jwt, new Map());
  context.clear();
  assert.deepEqual(context.values.request, new Map());
});

test('a request with very many query parameters is not shown to the rules', () => {
  const query = 'a&'.repeat(300);
  assert.match(String(evaluate('request.query.b == "1"', subject({ query }))), /more than 256/);
  assert.equal(evaluate('request.method == "POST"', subject({ query })), true);
});

test('names that mean something to JavaScript mean nothing to a rule', () => {
  const hostile: Record<string, string>[] = [
    // JSON.parse, as for a token, makes an own member of `__proto__`.
    '{"sub":"alice","constructor":"x"}',
    '{"sub":"alice","constructor":null}',
    '{"sub":"alice","__proto__":{"admin":true}}',
    '{"sub":"alice","toString":1,"hasOwnProperty":2,"valueOf":null}',
    '{"sub":"alice","a":{"constructor":{"name":"Map"}},"l":[{"constructor":1}]}',
  ].map((text) => JSON.parse(text) as Record<string, string>);
  const headers = ['constructor', 'x', '__proto__', 'y', 'toString', 'z'];
  for (const claims of hostile) {
    const request = subject({ claims, headers, query: 'constructor=x&__proto__=y' });
    const rows: [expression: string, result: boolean][] = [
      ['jwt.sub == "alice"', true],
      ['has(jwt.admin)', false],
      ['has(jwt.constructor)', false],
      ['"__proto__" in jwt', false],
      ['request.headers.constructor == "x" && request.headers["__proto__"] == "y"', true],
      ['request.query.constructor == "x" && request.query["__proto__"] == "y"', true],
      ['has(request.query.valueOf)', false],
      ['has(request.headers.valueOf)', false],
    ];
    for (const [expression, result] of rows) {
      assert.equal(evaluate(expression, request), result, expression);
    }
  }
});

test('a map with a member called __proto__ does not equal another map', () => {
  const claims = JSON.parse('{"a":{"__proto__":{}}}') as Record<string, string>;
  assert.equal(evaluate('jwt.a == {"role": "admin"}', subject({ claims })), false);
  assert.equal(evaluate('{"role": "admin"} == jwt.a', subject({ claims })), false);
});
