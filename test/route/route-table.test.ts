import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RequestHead } from '../../src/accept/request-head.ts';
import { createRouteTable, type RouteTableEntry } from '../../src/route/route-table.ts';
import { entryOf, headOf, matchOf } from './plans.ts';

type Row = readonly [request: Parameters<typeof headOf>[0], expected: string | null];

function runs(name: string, entries: readonly RouteTableEntry[], rows: readonly Row[]): void {
  const table = createRouteTable(entries);
  describe(name, () => {
    for (const [request, expected] of rows) {
      test(`${JSON.stringify(request)} goes to ${String(expected)}`, () => {
        assert.equal(table.find(headOf(request))?.rule.name ?? null, expected);
      });
    }
  });
}

runs(
  'a route with paths and headers (HTTPRouteMatching)',
  [
    entryOf('v1', [matchOf('/'), matchOf('/', { headers: { version: 'one' } })], { index: 0 }),
    entryOf('v2', [matchOf('/v2'), matchOf('/', { headers: { version: 'two' } })], { index: 1 }),
  ],
  [
    [{ path: '/' }, 'v1'],
    [{ path: '/example' }, 'v1'],
    [{ headers: { version: 'one' } }, 'v1'],
    [{ path: '/v2' }, 'v2'],
    [{ path: '/v2/' }, 'v2'],
    [{ path: '/v2/example' }, 'v2'],
    [{ path: '/v2example' }, 'v1'],
    [{ headers: { version: 'two' } }, 'v2'],
  ],
);

runs(
  'two routes that share a hostname (HTTPRouteMatchingAcrossRoutes)',
  [
    entryOf('v1', [matchOf('/'), matchOf('/', { headers: { version: 'one' } })], {
      route: 'infra/matching-part1',
      hostnames: ['example.com', 'example.net'],
    }),
    entryOf('v2', [matchOf('/v2'), matchOf('/', { headers: { version: 'two' } })], {
      route: 'infra/matching-part2',
      hostnames: ['example.com'],
    }),
  ],
  [
    [{ host: 'example.com' }, 'v1'],
    [{ host: 'example.com', path: '/example' }, 'v1'],
    [{ host: 'example.net', path: '/example' }, 'v1'],
    [{ host: 'example.com', path: '/example', headers: { version: 'one' } }, 'v1'],
    [{ host: 'example.com', path: '/v2' }, 'v2'],
    [{ host: 'example.net', path: '/v2' }, 'v1'],
    [{ host: 'example.com', path: '/v2/example' }, 'v2'],
    [{ host: 'example.com', headers: { version: 'two' } }, 'v2'],
    [{ host: 'example.org' }, null],
  ],
);

runs(
  'exact paths and prefixes in any order (HTTPRoutePathMatchOrder)',
  [
    entryOf('exact-match', [matchOf('=/match')], { index: 0 }),
    entryOf('exact-match-exact', [matchOf('=/match/exact')], { index: 1 }),
    entryOf('exact-one', [matchOf('=/match/exact/one')], { index: 2 }),
    entryOf('prefix-match', [matchOf('/match/')], { index: 3 }),
    entryOf('prefix-prefix', [matchOf('/match/prefix/')], { index: 4 }),
    entryOf('prefix-one', [matchOf('/match/prefix/one')], { index: 5 }),
  ],
  [
    [{ path: '/match/exact/one' }, 'exact-one'],
    [{ path: '/match/exact' }, 'exact-match-exact'],
    [{ path: '/match' }, 'exact-match'],
    [{ path: '/match/' }, 'prefix-match'],
    [{ path: '/match/prefix/one/any' }, 'prefix-one'],
    [{ path: '/match/prefix/oneany' }, 'prefix-prefix'],
    [{ path: '/match/prefix/any' }, 'prefix-prefix'],
    [{ path: '/match/any' }, 'prefix-match'],
    [{ path: '/matching' }, null],
    [{ path: '/MATCH' }, null],
    [{ path: '/' }, null],
  ],
);

runs(
  'exact paths (HTTPExactPathMatching)',
  [entryOf('one', [matchOf('=/one')]), entryOf('two', [matchOf('=/two')])],
  [
    [{ path: '/one' }, 'one'],
    [{ path: '/two' }, 'two'],
    [{ path: '/one/example' }, null],
    [{ path: '/one/' }, null],
    [{ path: '/Two' }, null],
  ],
);

runs(
  'headers (HTTPRouteHeaderMatching)',
  [
    entryOf('one', [matchOf('/', { headers: { version: 'one' } })], { index: 0 }),
    entryOf('two', [matchOf('/', { headers: { version: 'two' } })], { index: 1 }),
    entryOf('orange', [matchOf('/', { headers: { version: 'two', color: 'orange' } })], {
      index: 2,
    }),
    entryOf(
      'cold',
      ['blue', 'green'].map((color) => matchOf('/', { headers: { color } })),
      {
        index: 3,
      },
    ),
    entryOf(
      'warm',
      ['red', 'yellow'].map((color) => matchOf('/', { headers: { color } })),
      {
        index: 4,
      },
    ),
    entryOf('number', [matchOf('/', { headers: { color: '~[0-9]+' } })], { index: 5 }),
  ],
  [
    [{ headers: { version: 'one' } }, 'one'],
    [{ headers: { version: 'two' } }, 'two'],
    [{ headers: { version: 'two', color: 'orange' } }, 'orange'],
    [{ headers: { version: 'two', color: 'blue' } }, 'two'],
    [{ headers: { color: 'orange' } }, null],
    [{ headers: { 'some-other-header': 'one' } }, null],
    [{ headers: { color: 'blue' } }, 'cold'],
    [{ headers: { color: 'green' } }, 'cold'],
    [{ headers: { color: 'red' } }, 'warm'],
    [{ headers: { color: 'yellow' } }, 'warm'],
    [{ headers: { color: 'Yellow' } }, null],
    [{ headers: { color: 'purple' } }, null],
    [{ headers: { color: '123' } }, 'number'],
    [{ headers: { color: '123x' } }, null],
    // A repeated field is one value with commas: a second line can't make it match.
    [{ headers: ['color', 'red', 'color', 'blue'] }, null],
  ],
);

runs(
  'a repeated header field as one value',
  [entryOf('both', [matchOf('/', { headers: { accept: 'a,b' } })])],
  [
    [{ headers: ['accept', 'a', 'x', 'y', 'accept', 'b'] }, 'both'],
    [{ headers: ['accept', 'a,b'] }, 'both'],
    [{ headers: ['accept', 'b', 'accept', 'a'] }, null],
  ],
);

runs(
  'query parameters (HTTPRouteQueryParamMatching)',
  [
    entryOf('whale', [matchOf('/', { query: { animal: 'whale' } })], { index: 0 }),
    entryOf('dolphin', [matchOf('/', { query: { animal: 'dolphin' } })], { index: 1 }),
    entryOf(
      'blue-dolphin',
      [
        matchOf('/', { query: { animal: 'dolphin', color: 'blue' } }),
        matchOf('/', { query: { ANIMAL: 'Whale' } }),
      ],
      { index: 2 },
    ),
    entryOf('path1', [matchOf('/path1', { query: { animal: 'whale' } })], { index: 3 }),
    entryOf('header', [matchOf('/', { query: { animal: 'whale' }, headers: { version: 'one' } })], {
      index: 4,
    }),
    entryOf('or', [matchOf('/path3', { query: { animal: 'shark' } }), matchOf('/path4')], {
      index: 5,
    }),
    entryOf('path5', [matchOf('/path5')], { index: 6 }),
    entryOf('hydra-header', [matchOf('/', { headers: { version: 'four' } })], { index: 7 }),
    entryOf('hydra', [matchOf('/', { query: { animal: 'hydra' } })], { index: 8 }),
    entryOf('digits', [matchOf('/', { query: { n: '~[0-9]+' } })], { index: 9 }),
    entryOf('odd', [matchOf('/', { query: { 'a b': 'c&d=é' } })], { index: 10 }),
    entryOf('question', [matchOf('/', { query: { '?q': '1' } })], { index: 11 }),
  ],
  [
    [{ path: '/?animal=whale' }, 'whale'],
    [{ path: '/?animal=dolphin' }, 'dolphin'],
    [{ path: '/?animal=dolphin&color=blue' }, 'blue-dolphin'],
    [{ path: '/?ANIMAL=Whale' }, 'blue-dolphin'],
    [{ path: '/?animal=whale&otherparam=irrelevant' }, 'whale'],
    [{ path: '/?animal=dolphin&color=yellow' }, 'dolphin'],
    [{ path: '/?color=blue' }, null],
    [{ path: '/?animal=dog' }, null],
    [{ path: '/?animal=whaledolphin' }, null],
    [{ path: '/' }, null],
    [{ path: '/?' }, null],
    [{ path: '/path1?animal=whale' }, 'path1'],
    [{ path: '/?animal=whale', headers: { version: 'one' } }, 'header'],
    [{ path: '/path3?animal=shark' }, 'or'],
    [{ path: '/path4' }, 'or'],
    [{ path: '/?animal=shark' }, null],
    [{ path: '/path5?animal=hydra' }, 'path5'],
    [{ path: '/?animal=hydra', headers: { version: 'four' } }, 'hydra-header'],
    [{ path: '/?animal=%77hale' }, 'whale'],
    [{ path: '/?animal=whale&animal=dolphin' }, 'whale'],
    [{ path: '/?animal=dolphin&animal=whale' }, 'dolphin'],
    [{ path: '/?n=42' }, 'digits'],
    [{ path: '/?n=42x' }, null],
    [{ path: '/?a+b=c%26d%3D%C3%A9' }, 'odd'],
    [{ path: '/??q=1' }, 'question'],
    [{ path: '/?q=1' }, null],
    [{ path: '/?animal=%' }, null],
  ],
);

runs(
  'methods (HTTPRouteMethodMatching)',
  [
    entryOf('post', [matchOf('/', { method: 'POST' })], { index: 0 }),
    entryOf('get', [matchOf('/', { method: 'GET' })], { index: 1 }),
    entryOf('path1', [matchOf('/path1', { method: 'GET' })], { index: 2 }),
    entryOf('put', [matchOf('/', { method: 'PUT', headers: { version: 'one' } })], { index: 3 }),
    entryOf('path5', [matchOf('/path5')], { index: 4 }),
    entryOf('patch', [matchOf('/', { method: 'PATCH' })], { index: 5 }),
    entryOf('header', [matchOf('/', { headers: { version: 'four' } })], { index: 6 }),
  ],
  [
    [{ method: 'POST' }, 'post'],
    [{ method: 'GET' }, 'get'],
    [{ method: 'HEAD' }, null],
    [{ method: 'get' }, null],
    [{ method: 'GET', path: '/path1' }, 'path1'],
    [{ method: 'PUT', headers: { version: 'one' } }, 'put'],
    [{ method: 'PUT' }, null],
    [{ method: 'PATCH', path: '/path5' }, 'path5'],
    [{ method: 'PATCH', headers: { version: 'four' } }, 'patch'],
  ],
);

runs(
  'expressions stand between exact paths and prefixes and match the whole path',
  [
    entryOf('catch-all', [matchOf('/')], { index: 0 }),
    entryOf('short', [matchOf('~/api/.*')], { index: 1 }),
    entryOf('long', [matchOf('~/api/v[0-9]+/.*')], { index: 2 }),
    entryOf('exact', [matchOf('=/api/v1/x')], { index: 3 }),
    entryOf('prefix', [matchOf('/api/v1/a/very/long/prefix/indeed')], { index: 4 }),
  ],
  [
    [{ path: '/api/x' }, 'short'],
    [{ path: '/api/v1/y' }, 'long'],
    [{ path: '/api/v1/x' }, 'exact'],
    [{ path: '/api/v1/a/very/long/prefix/indeed' }, 'long'],
    [{ path: '/before/api/x' }, 'catch-all'],
    [{ path: '/api' }, 'catch-all'],
  ],
);

runs(
  'the most specific hostname first, then the next one',
  [
    entryOf('any', [matchOf('/'), matchOf('=/exact-of-any')]),
    entryOf('wide', [matchOf('/wide'), matchOf('=/both')], { hostnames: ['*.com'] }),
    entryOf('narrow', [matchOf('/narrow'), matchOf('/both')], { hostnames: ['*.example.com'] }),
    entryOf('exact', [matchOf('/exact'), matchOf('/exact-of-any')], {
      hostnames: ['a.example.com'],
    }),
  ],
  [
    [{ host: 'a.example.com', path: '/exact' }, 'exact'],
    [{ host: 'a.example.com', path: '/exact-of-any' }, 'exact'],
    [{ host: 'a.example.com', path: '/narrow' }, 'narrow'],
    [{ host: 'a.example.com', path: '/both' }, 'narrow'],
    [{ host: 'a.example.com', path: '/wide' }, 'wide'],
    [{ host: 'a.example.com', path: '/x' }, 'any'],
    [{ host: 'b.c.example.com', path: '/narrow' }, 'narrow'],
    [{ host: 'b.example.com', path: '/exact' }, 'any'],
    [{ host: 'example.com', path: '/narrow' }, 'any'],
    [{ host: 'example.com', path: '/both' }, 'wide'],
    [{ host: 'com', path: '/wide' }, 'any'],
    [{ host: '[::1]', path: '/wide' }, 'any'],
  ],
);

runs(
  'hostnames of routes (HTTPRouteHostnameIntersection)',
  [
    entryOf('s1', [matchOf('/s1')], { hostnames: ['very.specific.com'] }),
    entryOf('s2', [matchOf('/s2')], { hostnames: ['*.wildcard.io'] }),
  ],
  [
    [{ host: 'very.specific.com', path: '/s1' }, 's1'],
    [{ host: 'non.matching.com', path: '/s1' }, null],
    [{ host: 'foo.nonmatchingwildcard.io', path: '/s2' }, null],
    [{ host: 'foo.wildcard.io', path: '/s2' }, 's2'],
    [{ host: 'foo.bar.wildcard.io', path: '/s2' }, 's2'],
    [{ host: 'wildcard.io', path: '/s2' }, null],
    [{ host: 'very.specific.com', path: '/s2' }, null],
    [{ host: 'very.specific.com', path: '/non-matching-prefix' }, null],
  ],
);

describe('ties', () => {
  const old = '2020-09-08T01:02:03Z';
  const young = '2020-09-08T01:02:04Z';
  const rows: readonly [why: string, winner: RouteTableEntry, loser: RouteTableEntry][] = [
    [
      'a method before headers',
      entryOf('winner', [matchOf('/a', { method: 'GET' })], { index: 9 }),
      entryOf('loser', [matchOf('/a', { headers: { h: '1', i: '2' } })]),
    ],
    [
      'more headers before query parameters',
      entryOf('winner', [matchOf('/a', { headers: { h: '1', i: '2' } })], { index: 9 }),
      entryOf('loser', [matchOf('/a', { headers: { h: '1' }, query: { q: '1', r: '2' } })]),
    ],
    [
      'more query parameters before age',
      entryOf('winner', [matchOf('/a', { query: { q: '1', r: '2' } })], { createdAt: young }),
      entryOf('loser', [matchOf('/a', { query: { q: '1' } })], { createdAt: old }),
    ],
    [
      'the older route before the name',
      entryOf('winner', [matchOf('/a')], { createdAt: old, route: 'b/b' }),
      entryOf('loser', [matchOf('/a')], { createdAt: young, route: 'a/a' }),
    ],
    [
      'instants, not their spelling',
      entryOf('winner', [matchOf('/a')], { createdAt: '2020-09-08T03:02:03+02:00', route: 'b/b' }),
      entryOf('loser', [matchOf('/a')], { createdAt: young, route: 'a/a' }),
    ],
    [
      'a route with a time before one without',
      entryOf('winner', [matchOf('/a')], { createdAt: young, route: 'b/b' }),
      entryOf('loser', [matchOf('/a')], { route: 'a/a' }),
    ],
    [
      'the name before the order of rules',
      entryOf('winner', [matchOf('/a')], { route: 'a/a', index: 9 }),
      entryOf('loser', [matchOf('/a')], { route: 'a/b', index: 0 }),
    ],
    [
      'names by code units',
      entryOf('winner', [matchOf('/a')], { route: 'a/Z' }),
      entryOf('loser', [matchOf('/a')], { route: 'a/a' }),
    ],
    [
      'the first rule',
      entryOf('winner', [matchOf('/zzz'), matchOf('/a')], { index: 2 }),
      entryOf('loser', [matchOf('/a')], { index: 10 }),
    ],
    [
      'a trailing slash adds no length to a prefix',
      entryOf('winner', [matchOf('/a')], { index: 0 }),
      entryOf('loser', [matchOf('/a/')], { index: 1 }),
    ],
  ];
  const request = headOf({ path: '/a?q=1&r=2', headers: { h: '1', i: '2' } });
  for (const [why, winner, loser] of rows) {
    test(why, () => {
      for (const entries of [
        [winner, loser],
        [loser, winner],
      ]) {
        assert.equal(createRouteTable(entries).find(request)?.rule.name, 'winner');
      }
    });
  }
});

describe('matchedPrefixLength', () => {
  const rows: readonly [path: string, request: string, length: number][] = [
    ['/', '/a/b', 0],
    ['/a', '/a/b', 2],
    ['/a/', '/a/b', 2],
    ['/a/b', '/a/b', 4],
    ['/%61', '/a/b', 2],
    ['=/a/b', '/a/b', 0],
    ['~/a/.', '/a/b', 0],
  ];
  for (const [path, request, length] of rows) {
    test(`is ${length} for ${path} and ${request}`, () => {
      const table = createRouteTable([entryOf('x', [matchOf(path)])]);
      assert.equal(table.find(headOf({ path: request }))?.matchedPrefixLength, length);
    });
  }
});

test('values of a route are read like paths of requests', () => {
  const table = createRouteTable([
    entryOf('café', [matchOf('=/caf%c3%a9')]),
    entryOf('never', [matchOf('/a//b'), matchOf('/..'), matchOf('=/x%2fy')]),
  ]);
  const find = (head: RequestHead) => table.find(head)?.rule.name ?? null;
  assert.equal(find(headOf({ path: '/caf%C3%A9' })), 'café');
  assert.equal(find(headOf({ path: '/a/b' })), null);
  assert.equal(find(headOf({ path: '/x/y' })), null);
});

test('of several header or query entries with one name only the first counts', () => {
  const twice = (value: string) => ({ type: 'Exact', name: 'h', value }) as const;
  const match = { ...matchOf('/'), headers: [twice('1'), twice('2')] };
  const table = createRouteTable([entryOf('x', [match])]);
  assert.ok(table.find(headOf({ headers: { h: '1' } })));
  assert.equal(table.find(headOf({ headers: { h: '2' } })), null);
});

test('an expression that is not one stops the table from being made', () => {
  assert.throws(() => createRouteTable([entryOf('x', [matchOf('~(')])]), /regular expression/);
});

test('an empty table finds nothing', () => {
  assert.equal(createRouteTable([]).find(headOf()), null);
});

test('a long path of many segments costs no more than the longest prefix', () => {
  const prefixes = Array.from({ length: 200 }, (_, index) => `/p${index}`);
  const table = createRouteTable(prefixes.map((path) => entryOf(path, [matchOf(path)])));
  const head = headOf({ path: '/x'.repeat(30_000) });
  const startedAt = performance.now();
  for (let round = 0; round < 200; round += 1) table.find(head);
  assert.ok(performance.now() - startedAt < 20_000);
});
