import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCelError, run } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { createRuleContext } from '../../src/authorize/context.ts';
import { compileRule } from '../../src/authorize/rule.ts';
import { subject } from './subject.ts';

/**
 * A second, independent CEL must agree on every rule that people write. Left out are the two places
 * where that one is wrong: timestamp(int) takes milliseconds there, and a null claim counts as absent.
 */
const expressions = [
  'jwt.sub == "alice"',
  'jwt.sub != "alice"',
  'jwt.missing == "x"',
  'jwt.missing != "x"',
  '!(jwt.missing == "x")',
  'jwt.missing == "x" || jwt.sub == "alice"',
  'jwt.sub == "alice" || jwt.missing == "x"',
  'jwt.missing == "x" || false',
  'jwt.missing == "x" && false',
  'false && jwt.missing == "x"',
  'jwt.missing == "x" && true',
  'jwt.sub',
  'jwt.sub && true',
  'has(jwt.sub)',
  'has(jwt.missing)',
  'has(jwt.nested.key)',
  'has(jwt.nested.other)',
  'has(jwt.missing.key)',
  '!has(jwt.missing) || jwt.missing == "x"',
  'has(jwt.team) && jwt.team == "dev"',
  '"admin" in jwt.roles',
  '"nobody" in jwt.roles',
  '"a" in jwt.sub',
  '"a" in jwt.missing',
  '"key" in jwt.nested',
  'jwt.sub in ["alice", "bob"]',
  'jwt.level in [1, 2, 3]',
  'jwt.roles.exists(r, r == "x")',
  'jwt.roles.exists(r, r == "z")',
  'jwt.roles.exists(r, r.nope == "z" || r == "x")',
  'jwt.roles.exists(r, r == "z" || jwt.missing == 1)',
  'jwt.roles.all(r, r.startsWith("a"))',
  'jwt.roles.exists_one(r, r == "x")',
  'jwt.roles.filter(r, r != "x").size() == 1',
  'jwt.roles.map(r, r + "!") == ["admin!", "x!"]',
  'jwt.nested.exists(k, k == "key")',
  'jwt.sub.exists(c, c == "a")',
  'jwt.roles[0] == "admin"',
  'jwt.roles[9] == "admin"',
  'jwt.roles[-1] == "x"',
  'jwt["odd.name"]["x.y"] == "dotted"',
  'jwt.roles == ["admin", "x"]',
  'jwt.nested == {"key": "value"}',
  'jwt.nested == {"key": "other"}',
  'jwt.sub == ["alice"]',
  'jwt.roles == "admin"',
  'size(jwt.roles) == 2 && jwt.sub.size() == 5',
  'jwt.level > 2',
  'jwt.level >= 3 && jwt.level <= 3.0',
  'jwt.level == 3u',
  'jwt.level == "3"',
  'jwt.level > "2"',
  'jwt.level + 1 == 4',
  'jwt.level + 1.0 == 4.0',
  'int(jwt.level) + 1 == 4',
  'int(jwt.level) % 2 == 1',
  'jwt.exp > 1700000000',
  'string(jwt.level) == "3"',
  'int(jwt.sub) == 1',
  'type(jwt.level) == double',
  'jwt.sub.startsWith("al") && jwt.sub.endsWith("ce") && jwt.sub.contains("lic")',
  'jwt.level.startsWith("a")',
  'jwt.sub.matches("^al.*e$")',
  'jwt.sub.matches("(?i)^ALICE$")',
  'jwt.sub.matches("li")',
  'jwt.email.lowerAscii() == "alice@example.com"',
  'jwt.kelvin.lowerAscii() == "k"',
  'jwt.scope.split(" ").exists(s, s == "mcp:read")',
  'jwt.scope.split(" ").all(s, s.startsWith("mcp:"))',
  'jwt.sub.replace("a", "b") == "blice"',
  'jwt.sub.substring(0, 2) == "al"',
  'jwt.sub.charAt(1) == "l"',
  'jwt.roles.join(",") == "admin,x"',
  'jwt.sub == "alice" ? jwt.level > 1 : false',
  'jwt.missing == "x" ? true : false',
  'jwt.active',
  'jwt.active == true',
  '!jwt.active',
  '!jwt.sub',
  'jwt.mixed.exists(m, m == "a")',
  'jwt.mixed.exists(m, m.startsWith("q"))',
  '3 in jwt.mixed',
  '{"k": "v"} in jwt.mixed',
  'jwt.objects.exists(o, o.role == "admin" && o.org == "x")',
  'jwt.objects.exists(o, o.org == "z")',
  'jwt.objects.exists(o, has(o.org) && o.org == "z")',
  '"admin" in jwt.objects.map(o, o.role)',
  'jwt.empty == []',
  'jwt.empty.all(x, x == "y")',
  'jwt.empty.exists(x, x == "y")',
  '{"alice": ["get_"]}[jwt.sub].exists(p, request.path.startsWith("/" + p))',
  '{"alice": ["/mc"]}[jwt.sub].exists(p, request.path.startsWith(p))',
  'request.method == "POST" && request.path == "/mcp"',
  'request.headers["content-type"] == "application/json"',
  'request.headers["absent"] == "a"',
  'has(request.headers.host) && request.headers.host.startsWith("localhost")',
  '"x-a" in request.headers',
  'source.address == "127.0.0.1"',
  'source.address.startsWith("10.")',
  'request.path.matches("^/(mcp|sse)(/|$)")',
  'timestamp("2024-01-01T00:00:00Z") < timestamp("2025-01-01T00:00:00Z")',
  'duration("1h") > duration("30m")',
  'timestamp("2024-03-04T05:06:07Z").getFullYear() == 2024',
  'jwt.aud == "mcp" || "mcp" in jwt.aud',
  'jwt.aud.exists(a, a in ["mcp", "other"])',
  'true',
  'false',
  'jwt.level == 3.0',
  '"b" > jwt.sub',
];

const claims = {
  iss: 'solo.io',
  sub: 'alice',
  team: 'dev',
  roles: ['admin', 'x'],
  nested: { key: 'value' },
  'odd.name': { 'x.y': 'dotted' },
  level: 3,
  exp: 2_074_274_884,
  email: 'Alice@EXAMPLE.com',
  kelvin: '\u212A',
  scope: 'mcp:read mcp:write',
  active: true,
  mixed: ['a', 3, true, { k: 'v' }],
  objects: [{ role: 'admin', org: 'x' }, { role: 'dev' }],
  empty: [],
  aud: ['mcp'],
};

function outcome(result: unknown): string {
  return result === true || result === false ? String(result) : 'error';
}

test('a second CEL implementation agrees on a corpus of authorization rules', () => {
  const request = subject({ claims });
  const seen = new Set<string>();
  for (const jwt of [claims, { sub: 'bob', aud: 'other', active: false }, {}]) {
    const oracleContext = {
      jwt,
      request: {
        method: request.method,
        path: request.path,
        headers: { host: 'localhost:8080', 'content-type': 'application/json' },
      },
      source: { address: request.remoteAddress },
    };
    for (const expression of expressions) {
      const result = compileRule(expression, 'http');
      let mine = 'error';
      if (result.ok) {
        const context = createRuleContext([result.rule.reads]);
        assert.equal(context.load(subject({ claims: jwt })), null);
        mine = outcome(result.rule.evaluate(context.values));
      }
      let theirs: unknown;
      try {
        theirs = run(expression, oracleContext, { funcs: strings });
      } catch {
        theirs = undefined;
      }
      assert.equal(mine, isCelError(theirs) ? 'error' : outcome(theirs), expression);
      seen.add(mine);
    }
  }
  assert.deepEqual([...seen].sort(), ['error', 'false', 'true']);
});
