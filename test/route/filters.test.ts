import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { FilterPlan, PathModifierPlan } from '../../src/plan.ts';
import { compileFilters } from '../../src/route/filters.ts';
import { compilePathModifier } from '../../src/route/path-modifier.ts';
import { createRouteTable } from '../../src/route/route-table.ts';
import { entryOf, headOf, matchOf } from './plans.ts';

type RedirectPlan = Extract<FilterPlan, { type: 'RequestRedirect' }>;
type RewritePlan = Extract<FilterPlan, { type: 'URLRewrite' }>;

const fullPath = (value: string): PathModifierPlan => ({ type: 'ReplaceFullPath', value });
const prefix = (value: string): PathModifierPlan => ({ type: 'ReplacePrefixMatch', value });

describe('header modifiers', () => {
  const rows: readonly [
    name: string,
    plan: { set?: [string, string][]; add?: [string, string][]; remove?: string[] },
    before: string[],
    after: string[],
  ][] = [
    ['set adds what is missing', { set: [['x', '1']] }, ['a', 'b'], ['a', 'b', 'x', '1']],
    ['set replaces in place', { set: [['x', '1']] }, ['x', '0', 'a', 'b'], ['x', '1', 'a', 'b']],
    [
      'set leaves one of several',
      { set: [['x', '1']] },
      ['x', '0', 'a', 'b', 'x', '2', 'c', 'd', 'x', '3'],
      ['x', '1', 'a', 'b', 'c', 'd'],
    ],
    ['add keeps what is there', { add: [['x', '1']] }, ['x', '0'], ['x', '0', 'x', '1']],
    ['remove takes all', { remove: ['x'] }, ['x', '0', 'a', 'b', 'x', '1'], ['a', 'b']],
    ['remove of nothing', { remove: ['x'] }, ['a', 'b'], ['a', 'b']],
    [
      'values are no names',
      { remove: ['x'], set: [['y', '1']] },
      ['a', 'x', 'b', 'y'],
      ['a', 'x', 'b', 'y', 'y', '1'],
    ],
    [
      'set, add, remove in this order',
      {
        set: [['x', '1']],
        add: [
          ['x', '2'],
          ['y', '2'],
        ],
        remove: ['y', 'z'],
      },
      ['x', '0', 'y', '0', 'z', '0'],
      ['x', '1', 'x', '2'],
    ],
    ['nothing on nothing', {}, [], []],
  ];
  for (const [name, { set = [], add = [], remove = [] }, before, after] of rows) {
    for (const type of ['RequestHeaderModifier', 'ResponseHeaderModifier'] as const) {
      test(`${type}: ${name}`, () => {
        const fields = (pairs: [string, string][]) =>
          pairs.map(([each, value]) => ({ name: each, value }));
        const filters = compileFilters([{ type, set: fields(set), add: fields(add), remove }]);
        const headers = [...before];
        const [modify, other] =
          type === 'RequestHeaderModifier'
            ? [filters.modifyRequestHeaders, filters.modifyResponseHeaders]
            : [filters.modifyResponseHeaders, filters.modifyRequestHeaders];
        assert.equal(other, null);
        modify?.(headers);
        assert.deepEqual(headers, after);
      });
    }
  }

  test('two of one kind run in their order', () => {
    const set = (value: string) =>
      ({
        type: 'RequestHeaderModifier',
        set: [{ name: 'x', value }],
        add: [],
        remove: [],
      }) as const;
    const headers: string[] = [];
    compileFilters([set('1'), set('2')]).modifyRequestHeaders?.(headers);
    assert.deepEqual(headers, ['x', '2']);
  });
});

describe('ReplacePrefixMatch', () => {
  // The table of HTTPPathModifier, and what it leaves out.
  const rows: readonly [request: string, match: string, value: string, path: string][] = [
    ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
    ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
    ['/foo', '/foo', '/xyz', '/xyz'],
    ['/foo/', '/foo', '/xyz', '/xyz/'],
    ['/foo/bar', '/foo', '', '/bar'],
    ['/foo/', '/foo', '', '/'],
    ['/foo', '/foo', '', '/'],
    ['/foo/', '/foo', '/', '/'],
    ['/foo', '/foo', '/', '/'],
    ['/foo/bar', '/foo', '/', '/bar'],
    ['/prefix/one/two', '/prefix/one', '/one', '/one/two'],
    ['/foo/bar', '/', '/xyz', '/xyz/foo/bar'],
    ['/', '/', '/xyz', '/xyz/'],
    ['/', '/', '/', '/'],
    ['/foo/bar', '/foo', 'xyz', '/xyz/bar'],
    ['/foo/bar', '/foo', '//evil.example/', '/evil.example/bar'],
    ['/foo/bar', '/%66oo', '/xyz', '/xyz/bar'],
  ];
  for (const [request, match, value, path] of rows) {
    test(`${request} with ${match} to ${JSON.stringify(value)} is ${path}`, () => {
      const head = headOf({ path: request });
      const found = createRouteTable([entryOf('x', [matchOf(match)])]).find(head);
      const filters = compileFilters([{ type: 'URLRewrite', hostname: null, path: prefix(value) }]);
      assert.ok(found && filters.rewrite);
      assert.deepEqual(filters.rewrite(head, found.matchedPrefixLength), { path, host: null });
    });
  }

  test('never yields two slashes, or one too few', () => {
    const segments = fc.array(fc.constantFrom('a', 'b', ''), { maxLength: 4 });
    fc.assert(
      fc.property(segments, segments, fc.boolean(), (value, rest, slash) => {
        const modify = compilePathModifier(
          prefix(`/${value.filter(Boolean).join('/')}${slash ? '/' : ''}`),
        );
        const path = `/foo${rest
          .filter(Boolean)
          .map((each) => `/${each}`)
          .join('')}`;
        assert.match(modify(path, 4), /^(?:\/|(?:\/[ab])+\/?)$/);
      }),
    );
  });
});

describe('URLRewrite', () => {
  const rewrite = (plan: Omit<RewritePlan, 'type'>, path: string) =>
    compileFilters([{ type: 'URLRewrite', ...plan }]).rewrite?.(headOf({ path }), 0);

  test('replaces the full path', () => {
    assert.deepEqual(rewrite({ hostname: null, path: fullPath('/one') }, '/full/one/two'), {
      path: '/one',
      host: null,
    });
  });
  test('replaces the host alone', () => {
    assert.deepEqual(rewrite({ hostname: 'one.example.org', path: null }, '/one'), {
      path: null,
      host: 'one.example.org',
    });
  });
  test('encodes what a path cannot carry', () => {
    assert.equal(
      rewrite({ hostname: null, path: fullPath('a b\r\n?é#\ud800') }, '/')?.path,
      '/a%20b%0D%0A%3F%C3%A9%23%EF%BF%BD',
    );
  });
  test('keeps percent escapes and a trailing slash of a full path', () => {
    assert.equal(rewrite({ hostname: null, path: fullPath('/a%20b/') }, '/')?.path, '/a%20b/');
  });
});

describe('RequestRedirect', () => {
  const nothing: RedirectPlan = {
    type: 'RequestRedirect',
    scheme: null,
    hostname: null,
    path: null,
    port: null,
    statusCode: 302,
  };
  const on80 = { authority: 'example.org' };
  const on8080 = { authority: 'example.org:8080' };
  const on443 = { authority: 'example.org', scheme: 'https' as const };

  const rows: readonly [
    plan: Partial<RedirectPlan>,
    request: Parameters<typeof headOf>[0],
    location: string,
  ][] = [
    // HTTPRouteRedirectPortAndScheme
    [{}, on80, 'http://example.org/'],
    [{ port: 80 }, on80, 'http://example.org/'],
    [{ port: 8080 }, on80, 'http://example.org:8080/'],
    [{ scheme: 'https' }, on80, 'https://example.org/'],
    [{ scheme: 'https', port: 443 }, on80, 'https://example.org/'],
    [{ scheme: 'https', port: 8443 }, on80, 'https://example.org:8443/'],
    [{}, on8080, 'http://example.org:8080/'],
    [{ port: 80 }, on8080, 'http://example.org/'],
    [{ scheme: 'https' }, on8080, 'https://example.org/'],
    [{ scheme: 'http' }, on8080, 'http://example.org/'],
    [{}, on443, 'https://example.org/'],
    [{ port: 443 }, on443, 'https://example.org/'],
    [{ port: 8443 }, on443, 'https://example.org:8443/'],
    [{ scheme: 'http' }, on443, 'http://example.org/'],
    [{ scheme: 'http', port: 80 }, on443, 'http://example.org/'],
    [{ scheme: 'http', port: 8080 }, on443, 'http://example.org:8080/'],
    [{ port: 80 }, on443, 'https://example.org:80/'],
    // HTTPRouteRedirectHostAndStatus, HTTPRouteRedirectPath
    [{ hostname: 'example.net', statusCode: 301 }, on80, 'http://example.net/'],
    [{ hostname: 'example.net' }, on8080, 'http://example.net:8080/'],
    [{ path: fullPath('/full') }, { ...on80, path: '/original/x' }, 'http://example.org/full'],
    [{ path: prefix('/new') }, { ...on80, path: '/original/x' }, 'http://example.org/new/x'],
    [{}, { ...on80, path: '/a?b=c&d' }, 'http://example.org/a?b=c&d'],
    [
      { path: fullPath('/full') },
      { ...on80, path: '/original/x?q=1' },
      'http://example.org/full?q=1',
    ],
    [{}, { ...on80, path: '/a?' }, 'http://example.org/a?'],
    [{}, { host: '[::1]', authority: '[::1]:8080' }, 'http://[::1]:8080/'],
    [{}, { host: '[::1]', authority: '[::1]' }, 'http://[::1]/'],
    [{}, { authority: 'example.org:' }, 'http://example.org/'],
    // Nothing that a client sends, or a filter says, may turn into another host or another header field.
    [{ path: fullPath('//evil.example') }, on80, 'http://example.org/evil.example'],
    [
      { path: prefix('//evil.example') },
      { ...on80, path: '/original/x' },
      'http://example.org/evil.example/x',
    ],
    [{ path: fullPath('/a\r\nset-cookie: b') }, on80, 'http://example.org/a%0D%0Aset-cookie:%20b'],
    [{}, { ...on80, path: '/a?b\r\nset-cookie: c' }, 'http://example.org/a'],
    [{}, { ...on80, path: '/a?é' }, 'http://example.org/a'],
    [{}, { ...on80, path: '/a?b#c' }, 'http://example.org/a'],
  ];
  for (const [plan, request, location] of rows) {
    test(`${JSON.stringify(plan)} of ${JSON.stringify(request)} leads to ${JSON.stringify(location)}`, () => {
      const filters = compileFilters([{ ...nothing, ...plan }]);
      const head = headOf({ host: 'example.org', ...request });
      const length = head.path.startsWith('/original') ? '/original'.length : 0;
      assert.deepEqual(filters.redirect?.(head, length), {
        status: plan.statusCode ?? 302,
        location,
      });
    });
  }
});

test('filters that are not there are null', () => {
  assert.deepEqual(compileFilters([]), {
    redirect: null,
    rewrite: null,
    modifyRequestHeaders: null,
    modifyResponseHeaders: null,
  });
});
