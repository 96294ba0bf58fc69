import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkExpression, compileRule, maxExpressionLength } from '../../src/authorize/rule.ts';

function problem(expression: string): string {
  return checkExpression(expression, 'http').problems[0] ?? 'accepted';
}

test('a bad expression is refused with its place and a hint, in one line', () => {
  const rows: [expression: string, message: string][] = [
    [
      'jwtt.sub == "a"',
      '1:1: Unknown variable: jwtt; rules use jwt, request, source; text stands in quotes',
    ],
    ['jwt.sub = "a"', '1:9: Unexpected character: =; write == to compare'],
    ['jwt.sub == "a', '1:12: Unterminated string'],
    ['true\n  && jwt.sub ==', '2:16: Unexpected token: EOF'],
    [
      'size(jwt.sub)',
      '1:1: the type of the expression is int, not bool; compare it with ==, in, or the like',
    ],
    [
      '"abc"',
      '1:1: the type of the expression is string, not bool; compare it with ==, in, or the like',
    ],
    ['jwt.sub.matches("(")', '1:17: bad regular expression (RE2 syntax): missing closing ): `(`'],
    [
      'jwt.sub.matches("a(?=b)")',
      '1:17: bad regular expression (RE2 syntax): invalid or unsupported Perl syntax: `(?=`',
    ],
    [
      'has(jwt["a"].b)',
      '1:5: has() invalid argument; has() takes a field such as jwt.org.team; for others write "name" in jwt',
    ],
    [
      'jwt.sub.lowerAscii(1) == "a"',
      "1:1: found no matching overload for 'dyn.lowerAscii(int)'; no function has that name and these argument types",
    ],
    [
      'request.body == "x"',
      '1:1: request has no body; it has method, path, uri, host, scheme, query, headers, time',
    ],
    ['source["identity"] == "x"', '1:1: source has no identity; it has address, port'],
    ['bytes(jwt.x).json().a == 1', '1:1: json() is not available in rules'],
    ['', '1:1: the expression is empty'],
    ['  ', '1:1: the expression is empty'],
  ];
  for (const [expression, message] of rows) assert.equal(problem(expression), message);
});

test('hostile expressions are refused, quickly and with a message', () => {
  const rows: [expression: string, message: RegExp][] = [
    ['!'.repeat(16_000) + 'true', /nested too deeply/],
    ['('.repeat(8000) + 'true' + ')'.repeat(8000), /maxDepth/],
    ['['.repeat(8000), /maxDepth/],
    ['jwt' + '.a'.repeat(8000), /maxDepth/],
    [Array(1500).fill('true').join('&&'), /maxAstNodes/],
    [`jwt.sub in [${'1,'.repeat(1001)}1]`, /maxListElements/],
    ['jwt.a.all(a, jwt.a.all(b, jwt.a.all(c, a == b && b == c)))', /at most 2 deep/],
    ['jwt.a.map(a, jwt.a.filter(b, jwt.a.exists_one(c, a == c))) == []', /at most 2 deep/],
    ['cel.bind(a, jwt.x, cel.bind(b, a + a, cel.bind(c, b + b, c == "x")))', /at most 2 deep/],
    ['"a" == "' + 'a'.repeat(maxExpressionLength), /longer than 16384/],
    ['jwt.sub.matches("(a{1000}){1000}")', /invalid repeat count/],
    [`jwt.sub.matches("${'a{1000}'.repeat(40)}")`, /too large/],
    ['\0', /Unexpected character/],
    ['jwt.sub == "a" \u2028', /Unexpected character/],
    ['constructor == 1', /Unknown variable/],
    ['__proto__ == 1', /Reserved identifier/],
  ];
  for (const [expression, message] of rows) {
    const startedAtMs = performance.now();
    const text = problem(expression);
    assert.match(text, message);
    assert.ok(!text.includes('\n') && text.length < 400, text);
    assert.ok(performance.now() - startedAtMs < 20_000, expression.slice(0, 40));
  }
});

test('loops side by side, and two deep, are accepted', () => {
  for (const expression of [
    'jwt.a.exists(a, jwt.b.exists(b, a == b))',
    'jwt.a.map(a, a).filter(a, a != "").map(a, a).exists(a, a == "x")',
    Array(300).fill('jwt.sub == "x"').join(' || '),
  ]) {
    assert.equal(problem(expression), 'accepted');
  }
});

test('a rule about mcp outside a Backend policy is warned about', () => {
  assert.deepEqual(checkExpression('mcp.tool.name == "echo"', 'http'), {
    problems: [],
    warnings: [
      'mcp is available only to policies that target a Backend, so this rule is never true here',
    ],
  });
  assert.deepEqual(checkExpression('mcp.tool.name == "echo"', 'mcp').warnings, []);
  assert.match(
    checkExpression('mcp.tool.name == "echo"', 'http', 'Deny').warnings[0] ?? '',
    /always denies here/,
  );
});

test('likely mistakes are warned about', () => {
  assert.deepEqual(checkExpression('request.headers["X-Team"] == "a"', 'http').warnings, [
    '1:17: header names are lower case in request.headers; write "x-team"',
  ]);
  const unguarded = 'this Deny rule fails, and so denies, when a claim or header';
  const rows: [expression: string, action: 'Deny' | 'Allow', warned: boolean][] = [
    ['jwt.team == "ops"', 'Deny', true],
    ['jwt.team == "ops"', 'Allow', false],
    ['has(jwt.team) && jwt.team == "ops"', 'Deny', false],
    ['jwt.?team.orValue("") == "ops"', 'Deny', false],
    ['jwt.sub == "bob"', 'Deny', false],
    ['request.path.startsWith("/admin")', 'Deny', false],
  ];
  for (const [expression, action, warned] of rows) {
    const text = checkExpression(expression, 'http', action).warnings.join();
    assert.equal(text.includes(unguarded), warned, expression);
  }
});

test('a rule says what it reads', () => {
  const rows: [expression: string, roots: string[], members: string[]][] = [
    ['jwt.sub == "a"', ['jwt'], []],
    ['true', [], []],
    ['request.method == "GET"', ['request'], ['method']],
    ['request["path"] == "/"', ['request'], ['path']],
    ['has(request.headers.x) && source.port == 1', ['request', 'source'], ['headers']],
    ['request.?query[?"a"].orValue("") == "b"', ['request'], ['query']],
    [
      '["a"].exists(m, request[m] == jwt.x)',
      ['request', 'jwt'],
      ['method', 'path', 'uri', 'host', 'scheme', 'query', 'headers', 'time'],
    ],
    [
      'size(request) == 1',
      ['request'],
      ['method', 'path', 'uri', 'host', 'scheme', 'query', 'headers', 'time'],
    ],
    ['mcp.tool.name == "echo"', ['mcp'], []],
  ];
  for (const [expression, roots, members] of rows) {
    const result = compileRule(expression, 'mcp');
    if (!result.ok) assert.fail(result.message);
    assert.deepEqual([...result.rule.reads.roots].sort(), [...roots].sort(), expression);
    assert.deepEqual([...result.rule.reads.requestMembers], members, expression);
  }
});

test('any text at all is accepted or refused, and never thrown at the caller', () => {
  const token = fc.constantFrom(
    ...[
      'jwt',
      'request',
      '.',
      '?',
      'a',
      '[',
      ']',
      '(',
      ')',
      '{',
      '}',
      ':',
      ',',
      '"x"',
      "'",
      '1',
      '2u',
    ],
    ...[
      '==',
      '&&',
      '||',
      '!',
      '-',
      '+',
      'in',
      'has',
      'matches',
      'exists',
      'map',
      'bind',
      'cel',
      ' ',
    ],
    ...[
      'optional',
      'timestamp',
      'int',
      'null',
      'true',
      'b"',
      'r"',
      '\\',
      '\n',
      '//',
      'é',
      '\u0000',
    ],
  );
  const text = fc.oneof(
    fc.array(token).map((tokens) => tokens.join('')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(text, (expression) => {
      const { problems, warnings } = checkExpression(expression, 'http', 'Deny');
      for (const message of [...problems, ...warnings]) assert.ok(!message.includes('\n'), message);
    }),
    { numRuns: 3000 },
  );
});
