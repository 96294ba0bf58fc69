import assert from 'node:assert/strict';
import { parseAdminToken } from '../../../src/admin/admin-token.ts';
import { parseToken } from '../../../src/authenticate/parse-token.ts';
import { readToken } from '../../../src/authenticate/read-token.ts';
import { checkExpression, compileRule } from '../../../src/authorize/rule.ts';
import { Refusal } from '../../../src/errors.ts';
import { parseOptions } from '../../../src/options.ts';
import { checkRegularExpression } from '../../../src/re2.ts';
import { accessLine, maxLineBytes } from '../../../src/record/access-line.ts';
import { parseDuration } from '../../../src/resources/duration.ts';
import { loadResources } from '../../../src/resources/load.ts';
import type { FuzzTarget } from '../target.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token: FuzzTarget = {
  name: 'token',
  seeds: [
    `${part({ alg: 'RS256', kid: 'a' })}.${part({ iss: 'x', exp: 1, aud: ['a'] })}.AAAA`,
    `${part({ alg: 'none' })}.${part({})}.`,
  ],
  dictionary: ['.', '=', '-', '_', 'eyJ', '\0', part('"'), part({ alg: 'HS256' })],
  check(input) {
    readToken(input, true);
    const parsed = parseToken(input);
    if (parsed instanceof Refusal) {
      assert.ok(input.length < 20 || !`${parsed.text}${parsed.detail ?? ''}`.includes(input));
      return;
    }
    assert.equal(parsed.compact, input);
    for (const one of input.split('.')) {
      assert.equal(Buffer.from(one, 'base64url').toString('base64url'), one);
    }
  },
};

const expression: FuzzTarget = {
  name: 'cel',
  seeds: [
    ...['jwt.sub == "alice"', 'mcp.tool.name in ["a", "b"]', 'jwt.groups.exists(g, g == "x")'],
    ...['request.headers["x"].matches("^a+$")', 'mcp.tool.arguments.amount <= 100', 'has(jwt.a.b)'],
  ],
  dictionary: [
    ...['(', ')', '[', ']', '{', '}', '.', '&&', '||', '!', '?', ':', '==', '"', "'", 'r"', 'b"'],
    ...['jwt', 'mcp', 'true', 'null', '1u', '0x', '1e999', '.map(x, ', '.matches("', 'constructor'],
  ],
  check(input) {
    for (const scope of ['http', 'mcp'] as const) {
      const { problems } = checkExpression(input, scope);
      const compiled = compileRule(input, scope);
      assert.equal(compiled.ok, problems.length === 0);
      for (const problem of problems) assert.doesNotMatch(problem, /[\n\r]/);
    }
  },
};

const regularExpression: FuzzTarget = {
  name: 'regex',
  seeds: ['^/a/[^/]+$', '(a+)+$', '(?i)x{1,9}', '\\d{1000}'],
  dictionary: [
    '(',
    ')',
    '[',
    ']',
    '*',
    '+',
    '?',
    '{',
    '}',
    '\\',
    '(?=',
    '(?P<a>',
    '|',
    '^',
    '{999}',
  ],
  check(input) {
    const problem = checkRegularExpression(input);
    assert.ok(problem === null || problem.length > 0);
  },
};

const document = `apiVersion: gloo.solo.io/v1alpha1
kind: GlooTrafficPolicy
metadata: {name: a, namespace: b}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
  rbac: {policy: {matchExpressions: ['jwt.sub == "alice"']}}
`;
const yaml: FuzzTarget = {
  name: 'yaml',
  seeds: [document, 'a: &a [*a]\n', '--- {}\n---\n- 1\n', '{"kind":"List","items":[{}]}'],
  dictionary: [
    ...['\n', '  ', ': ', '- ', '---\n', '&a ', '*a', '<<: ', '!!binary ', '!x ', '|\n', '>', '"'],
    ...[
      '{',
      '}',
      '[',
      ']',
      '${HOME}',
      'kind: ',
      'spec:',
      'metadata:',
      '#',
      '\t',
      '? ',
      '~',
      '.inf',
    ],
  ],
  check(input) {
    const { problems } = loadResources([{ file: 'a.yaml', text: input }], {
      environment: {},
      strict: true,
    });
    for (const { file, line, message } of problems) {
      assert.equal(file, 'a.yaml');
      assert.ok(line >= 1 && message.length > 0);
    }
  },
};

const duration: FuzzTarget = {
  name: 'duration',
  seeds: ['1h30m', '10s', '500ms', '0s'],
  dictionary: ['h', 'm', 's', 'ms', '.', '-', '0', '9', '99999'],
  check(input) {
    const ms = parseDuration(input);
    assert.ok(ms === null || (Number.isFinite(ms) && ms >= 0));
  },
};

const commandLine: FuzzTarget = {
  name: 'command-line',
  seeds: ['--workers\n2\n-f\na.yaml', '--max-body\n4MiB', '--admin-address\n[::1]:1'],
  dictionary: ['--', '-f', '\n', '=', 'auto', '9', 'KiB', ':', '--strict', '--drain-timeout'],
  check(input) {
    const parsed = parseOptions(input.split('\n'), {});
    if (!parsed.ok) assert.ok(parsed.problems.every((problem) => problem.length > 0));
  },
};

const adminToken: FuzzTarget = {
  name: 'admin-token',
  seeds: ['a'.repeat(30), 'a b'],
  dictionary: ['=', ' ', '\n', '~'],
  check(input) {
    const parsed = parseAdminToken(input);
    if (parsed.ok) assert.equal(parsed.check?.(`Bearer ${input}x`), false);
    if (parsed.ok) assert.equal(parsed.check?.(`Bearer ${input}`), true);
  },
};

const logLine: FuzzTarget = {
  name: 'access-line',
  seeds: ['/mcp alice', 'a" b=c\n2026-11-22T00:00:00Z\tinfo'],
  dictionary: ['\n', '\r', '"', '=', '\t', '\u2028', '\x1b[31m', ' ', '\ud800', '%0a'],
  check(input) {
    for (const format of ['text', 'json'] as const) {
      const line = accessLine(
        {
          ...{ endedAtMs: 1_800_000_000_000, gateway: 'a/b', listener: 'http', route: 'a/c' },
          ...{ remoteAddress: '127.0.0.1', remotePort: null, method: input, host: input },
          ...{ path: input, status: 200, subject: input, error: input, durationMs: 1 },
          ...{ reason: null, policy: null, rule: input, detail: input, backend: 'a/d' },
          ...{
            target: input,
            mcpTarget: input,
            mcpMethod: input,
            toolName: input,
            sessionHash: null,
          },
        },
        format,
      );
      assert.match(line, /^[\t\x20-\x7e]*\n$/);
      assert.ok(Buffer.byteLength(line) <= maxLineBytes);
      if (format === 'json') JSON.parse(line);
    }
  },
};

export const identityAndPolicyTargets: readonly FuzzTarget[] = [
  ...[token, expression, regularExpression, yaml, duration, commandLine, adminToken, logLine],
];
