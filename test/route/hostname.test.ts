import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  compareSpecificity,
  createHostnameIndex,
  hostnameMatches,
} from '../../src/route/hostname.ts';

describe('hostnameMatches', () => {
  const rows: readonly [pattern: string | null, host: string, matches: boolean][] = [
    ['very.specific.com', 'very.specific.com', true],
    ['very.specific.com', 'specific.com', false],
    ['*.wildcard.io', 'foo.wildcard.io', true],
    ['*.wildcard.io', 'foo.bar.wildcard.io', true],
    ['*.wildcard.io', 'wildcard.io', false],
    ['*.wildcard.io', '.wildcard.io', false],
    ['*.wildcard.io', 'foowildcard.io', false],
    ['*.wildcard.io', 'foo.nonmatchingwildcard.io', false],
    ['*.wildcard.io', 'foo.wildcard.io.evil', false],
    [null, 'anything', true],
  ];
  for (const [pattern, host, matches] of rows) {
    test(`${String(pattern)} ${matches ? 'covers' : 'does not cover'} ${host}`, () => {
      assert.equal(hostnameMatches(pattern, host), matches);
    });
  }
});

test('compareSpecificity puts exact names first, then long wildcards, then any host', () => {
  const sorted = [null, '*.com', 'a.com', '*.example.com', 'aa.example.com'].sort(
    compareSpecificity,
  );
  assert.deepEqual(sorted, ['aa.example.com', 'a.com', '*.example.com', '*.com', null]);
});

test('the index finds what a search over the sorted hostnames finds', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const pattern = fc.oneof(
    name,
    name.map((suffix) => `*.${suffix}`),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 12 }), name, (patterns, host) => {
      const index = createHostnameIndex(new Map(patterns.map((each) => [each, String(each)])));
      const naive = [...patterns]
        .sort(compareSpecificity)
        .find((each) => hostnameMatches(each, host));
      assert.equal(index.find(host), naive === undefined ? undefined : String(naive));
    }),
    { numRuns: 2000 },
  );
});
