import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { CorsPlan } from '../../src/plan.ts';
import { compileAllowedOrigins } from '../../src/route/allowed-origins.ts';
import { compileCors } from '../../src/route/cors.ts';
import { headOf } from './plans.ts';

const plan: CorsPlan = {
  allowOrigins: ['https://www.foo.com', 'https://*.bar.com'],
  allowMethods: ['GET', 'OPTIONS'],
  allowHeaders: ['x-header-1', 'x-header-2'],
  exposeHeaders: ['x-header-3', 'x-header-4'],
  allowCredentials: true,
  maxAgeSeconds: 3600,
};

const preflightOf = (origin: string, headers: Record<string, string> = {}) =>
  headOf({
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', ...headers },
  });

const fieldsOf = (fields: readonly string[] | null): Record<string, string> | null => {
  if (fields === null) return null;
  const pairs = fields.flatMap((name, index) =>
    index % 2 === 0 ? [[name, fields[index + 1] ?? '']] : [],
  );
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, 'a field occurs twice');
  return Object.fromEntries(pairs) as Record<string, string>;
};

describe('allowed origins', () => {
  const rows: readonly [patterns: string[], origin: string, allowed: boolean][] = [
    [['https://a.com'], 'https://a.com', true],
    [['https://A.com'], 'https://a.com', true],
    [['https://a.com:443'], 'https://a.com', true],
    [['http://a.com'], 'http://a.com:80', true],
    [['https://a.com'], 'http://a.com', false],
    [['https://a.com'], 'https://a.com:8443', false],
    [['https://a.com:8443'], 'https://a.com:8443', true],
    [['https://a.com'], 'https://a.com.evil.example', false],
    [['https://a.com'], 'https://evil-a.com', false],
    [['https://a.com'], 'https://a.com/', false],
    [['https://a.com'], 'https://a.com, https://evil.example', false],
    [['https://key.com'], 'https://\u212Aey.com', false],
    [['http://[::1]:3000'], 'http://[::1]:3000', true],
    [['http://localhost:6274'], 'http://localhost:6274', true],
    [['https://*.bar.com'], 'https://www.bar.com', true],
    [['https://*.bar.com'], 'https://xpto.www.bar.com', true],
    [['https://*.bar.com'], 'https://bar.com', false],
    [['https://*.bar.com'], 'https://.bar.com', false],
    [['https://*.bar.com'], 'https://evilbar.com', false],
    [['https://*.bar.com'], 'http://www.bar.com', false],
    [['https://*.bar.com'], 'https://www.bar.com:8443', false],
    [['https://*.bar.com'], 'https://evil.example/.bar.com', false],
    [['https://*.bar.com'], 'https://evil.example:1@x.bar.com', false],
    [['https://*.bar.com'], 'https://evil.example?.bar.com', false],
    [['https://*.bar.com'], 'https://evil.example#.bar.com', false],
    [['https://*.bar.com'], 'https://x.bar.com\r\nset-cookie: a', false],
    [['https://*.bar.com'], 'https://www.bar.com:443', true],
    [['https://*.bar.com:8443'], 'https://www.bar.com:8443', true],
    [['https://*'], 'https://anything.example', true],
    [['https://*'], 'http://anything.example', false],
    [['https://*'], 'https://anything.example:1234', false],
    [['*'], 'https://anything.example:1234', true],
    [['*'], 'null', false],
    [['null'], 'null', true],
    [['https://a.com'], 'null', false],
    [['*'], 'not an origin', false],
    [['*'], '', false],
    [[], 'https://a.com', false],
  ];
  for (const [patterns, origin, allowed] of rows) {
    test(`${JSON.stringify(patterns)} ${allowed ? 'covers' : 'does not cover'} ${JSON.stringify(origin)}`, () => {
      assert.equal(compileAllowedOrigins(patterns).includes(origin), allowed);
    });
  }
});

describe('preflight', () => {
  for (const origin of ['https://www.foo.com', 'https://www.bar.com', 'https://xpto.www.bar.com']) {
    test(`is answered for ${origin}`, () => {
      assert.deepEqual(fieldsOf(compileCors(plan).preflight(preflightOf(origin))), {
        'access-control-allow-origin': origin,
        vary: 'origin',
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, OPTIONS',
        'access-control-allow-headers': 'x-header-1, x-header-2',
        'access-control-expose-headers': 'x-header-3, x-header-4',
        'access-control-max-age': '3600',
      });
    });
  }

  const unanswered: readonly [why: string, head: ReturnType<typeof headOf>][] = [
    ['from another origin', preflightOf('https://foobar.com')],
    ['from null', preflightOf('null')],
    [
      'without Origin',
      headOf({ method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }),
    ],
    ['with an empty Origin', preflightOf('')],
    [
      'without a requested method',
      headOf({ method: 'OPTIONS', headers: { origin: 'https://www.foo.com' } }),
    ],
    [
      'with a requested method that is none',
      preflightOf('https://www.foo.com', { 'access-control-request-method': 'GET, PUT' }),
    ],
    [
      'by another method',
      headOf({
        method: 'POST',
        headers: { origin: 'https://www.foo.com', 'access-control-request-method': 'GET' },
      }),
    ],
  ];
  for (const [why, head] of unanswered) {
    test(`is not answered ${why}`, () => {
      assert.equal(compileCors(plan).preflight(head), null);
    });
  }

  test('with wildcards echoes what is asked for, and has no credentials', () => {
    const cors = compileCors({
      ...plan,
      allowOrigins: ['*'],
      allowMethods: ['*'],
      allowHeaders: ['*'],
      exposeHeaders: ['*'],
      allowCredentials: false,
    });
    const head = preflightOf('https://foobar.com:12345', {
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,, mcp-session-id ',
    });
    assert.deepEqual(fieldsOf(cors.preflight(head)), {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'authorization, mcp-session-id',
      'access-control-expose-headers': '*',
      'access-control-max-age': '3600',
    });
  });

  test('with wildcards and credentials never answers with a star', () => {
    const all = {
      allowOrigins: ['*'],
      allowMethods: ['*'],
      allowHeaders: ['*'],
      exposeHeaders: ['*'],
    };
    const cors = compileCors({ ...plan, ...all });
    const answers = [
      cors.preflight(preflightOf('https://a.example')),
      cors.preflight(preflightOf('https://a.example', { 'access-control-request-headers': 'x' })),
      cors.responseHeaders(headOf({ headers: { origin: 'https://a.example' } })),
    ];
    for (const fields of answers.map(fieldsOf)) {
      assert.equal(fields?.['access-control-allow-origin'], 'https://a.example');
      assert.equal(fields['access-control-allow-credentials'], 'true');
      assert.equal(fields.vary, 'origin');
      assert.match(fields['access-control-expose-headers'] ?? '', /mcp-session-id/);
      assert.ok(!Object.values(fields).includes('*'));
    }
    assert.equal(cors.preflight(preflightOf('null')), null);
  });

  test('echoes no header names that are none', () => {
    const cors = compileCors({ ...plan, allowHeaders: ['*'] });
    for (const asked of ['a b', 'x\r\nset-cookie: y', 'é', ',', ' ']) {
      const head = preflightOf('https://www.foo.com', { 'access-control-request-headers': asked });
      assert.equal(fieldsOf(cors.preflight(head))?.['access-control-allow-headers'], undefined);
    }
  });

  test('leaves out empty lists', () => {
    const cors = compileCors({ ...plan, allowMethods: [], allowHeaders: [], exposeHeaders: [] });
    const fields = fieldsOf(cors.preflight(preflightOf('https://www.foo.com')));
    assert.deepEqual(Object.keys(fields ?? {}), [
      'access-control-allow-origin',
      'vary',
      'access-control-allow-credentials',
      'access-control-max-age',
    ]);
  });
});

describe('an actual answer', () => {
  test('lets an allowed origin read it', () => {
    assert.deepEqual(
      fieldsOf(
        compileCors(plan).responseHeaders(headOf({ headers: { origin: 'https://www.foo.com' } })),
      ),
      {
        'access-control-allow-origin': 'https://www.foo.com',
        vary: 'origin',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'x-header-3, x-header-4',
      },
    );
  });
  test('gets no fields for another origin, or none', () => {
    const cors = compileCors(plan);
    assert.deepEqual(
      cors.responseHeaders(headOf({ headers: { origin: 'https://foobar.com' } })),
      [],
    );
    assert.deepEqual(cors.responseHeaders(headOf()), []);
  });
});

test('whatever is sent, no field can be forged and no origin outside the list is allowed', () => {
  const cors = compileCors({ ...plan, allowMethods: ['*'], allowHeaders: ['*'] });
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom('https://', 'www.foo.com', '.bar.com', 'x', ':443', '/', '@', '\r\n', ' '),
      )
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, text, text, (origin, method, headers) => {
      const head = preflightOf(origin, {
        'access-control-request-method': method,
        'access-control-request-headers': headers,
      });
      for (const fields of [cors.preflight(head) ?? [], cors.responseHeaders(head)]) {
        for (const field of fields) assert.match(field, /^[\x20-\x7e]+$/);
        const allowed = fieldsOf(fields)?.['access-control-allow-origin'];
        if (allowed === undefined) continue;
        const { protocol, hostname, port } = new URL(allowed);
        assert.equal(protocol + port, 'https:');
        assert.match(hostname, /^www\.foo\.com$|\.bar\.com$/);
      }
    }),
    { numRuns: 3000 },
  );
});
