import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RequestHead } from '../../src/accept/request-head.ts';
import type { MatchPlan, ValueMatchPlan } from '../../src/plan.ts';
import { createRouteTable, type RouteTableEntry } from '../../src/route/route-table.ts';
import { entryOf, headOf } from './plans.ts';

/** What the specification says, word by word: collect every match, sort, take the first. */
function naiveFind(entries: readonly RouteTableEntry[], head: RequestHead): string | null {
  const hits = entries.flatMap(({ plan, rule }) =>
    (plan.hostnames.length === 0 ? [''] : plan.hostnames)
      .filter((hostname) => coversHost(hostname, head.host))
      .flatMap((hostname) =>
        plan.matches
          .map((match, matchIndex) => ({ match, matchIndex, hostname, plan, rule }))
          .filter((hit) => matches(hit.match, head)),
      ),
  );
  const key = ({ match, matchIndex, hostname, plan }: (typeof hits)[number]) => [
    hostname === '' || hostname.startsWith('*') ? 0 : -hostname.length,
    -hostname.length,
    ['Exact', 'RegularExpression', 'PathPrefix'].indexOf(match.path.type),
    -(match.path.type === 'PathPrefix' ? match.path.value.replace(/\/$/, '') : match.path.value)
      .length,
    match.method === null ? 1 : 0,
    -match.headers.length,
    -match.queryParams.length,
    plan.createdAt === '' ? '9999' : plan.createdAt,
    plan.route,
    plan.index,
    matchIndex,
  ];
  hits.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    const at = left.findIndex((part, index) => part !== right[index]);
    if (at < 0) return 0;
    return left[at]! < right[at]! ? -1 : 1;
  });
  return hits[0]?.rule.name ?? null;
}

function coversHost(hostname: string, host: string): boolean {
  if (hostname === '') return true;
  const labels = host.split('.');
  if (!hostname.startsWith('*.')) return hostname === host;
  return labels.some(
    (_, index) => index > 0 && labels.slice(index).join('.') === hostname.slice(2),
  );
}

function matches(match: MatchPlan, head: RequestHead): boolean {
  const { type, value } = match.path;
  const wanted = value.split('/').filter((segment) => segment !== '');
  const given = head.path.split('/').slice(1);
  const pathMatches =
    type === 'Exact'
      ? value === head.path
      : type === 'PathPrefix'
        ? wanted.every((segment, index) => given[index] === segment)
        : new RegExp(`^(?:${value})$`).test(head.path);
  const query = new URLSearchParams(head.query ?? '');
  const meets = (expected: ValueMatchPlan, actual: string | null | undefined) =>
    actual != null &&
    (expected.type === 'Exact'
      ? actual === expected.value
      : new RegExp(`^(?:${expected.value})$`).test(actual));
  return (
    pathMatches &&
    (match.method === null || match.method === head.method) &&
    match.headers.every((each) => meets(each, head.headers[head.headers.indexOf(each.name) + 1])) &&
    match.queryParams.every((each) => meets(each, query.get(each.name)))
  );
}

/** Conditions are seldom there, so that many requests meet many rules. */
const sparse = { freq: 2 };

const segment = fc.constantFrom('a', 'ab', 'b', 'mcp');
const path = fc
  .tuple(fc.array(segment, { maxLength: 2 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`);
const host = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join('.'));
const values = (name: string): fc.Arbitrary<ValueMatchPlan> =>
  fc.oneof(
    fc.record({
      type: fc.constant('Exact' as const),
      name: fc.constant(name),
      value: fc.constantFrom('1', '2'),
    }),
    fc.constant({ type: 'RegularExpression' as const, name, value: '[12]' }),
  );
const someValues = fc
  .tuple(fc.option(values('x'), sparse), fc.option(values('y'), sparse))
  .map((pair) => pair.filter((value) => value !== null));

const match: fc.Arbitrary<MatchPlan> = fc.record({
  path: fc.oneof(
    fc.record({ type: fc.constant('Exact' as const), value: path }),
    fc.record({ type: fc.constant('PathPrefix' as const), value: path }),
    fc.record({
      type: fc.constant('RegularExpression' as const),
      value: fc.constantFrom('/.*', '/a.*', '/(a|b)/?', '/[a-z]+/mcp'),
    }),
  ),
  method: fc.option(fc.constantFrom('GET', 'POST'), sparse),
  headers: someValues,
  queryParams: someValues,
});

const entries = fc
  .array(
    fc.record({
      matches: fc.array(match, { minLength: 1, maxLength: 3 }),
      hostnames: fc.array(
        fc.oneof(
          host,
          host.map((suffix) => `*.${suffix}`),
        ),
        { maxLength: 2, size: 'small' },
      ),
      createdAt: fc.constantFrom('', '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z'),
      name: fc.constantFrom('n/a', 'n/b', 'm/c'),
    }),
    { minLength: 6, maxLength: 12 },
  )
  .map((rules) =>
    rules.map(({ matches: all, hostnames, createdAt, name }, index) =>
      entryOf(`rule ${index}`, all, { hostnames, createdAt, route: name, index }),
    ),
  );

const head = fc
  .record({
    host,
    path,
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    headers: fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2', '3')),
    query: fc.constantFrom('', '?x=1', '?x=2&y=1', '?y=2&y=1', '?x=1&y=9'),
  })
  .map(({ query, ...rest }) => headOf({ ...rest, path: rest.path + query }));

test('find returns what the specification says for any routes and request', () => {
  let found = 0;
  fc.assert(
    fc.property(entries, fc.array(head, { minLength: 5, maxLength: 20 }), (rules, heads) => {
      const table = createRouteTable(rules);
      for (const each of heads) {
        const expected = naiveFind(rules, each);
        if (expected !== null) found += 1;
        assert.equal(table.find(each)?.rule.name ?? null, expected);
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(found > 3000, `only ${found} requests met a route`);
});
