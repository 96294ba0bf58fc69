import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/resources/nearest.ts';

const existing = ['matches', 'filters', 'backendRefs', 'name', 'glooJWT', 'jwks'];

const rows: readonly (readonly [string, string | null])[] = [
  ['backendRef', 'backendRefs'],
  ['backendrefs', 'backendRefs'],
  ['fitlers', 'filters'],
  ['match', 'matches'],
  ['glooJwt', 'glooJWT'],
  ['jkws', 'jwks'],
  ['nam', 'name'],
  ['timeout', null],
  ['', null],
  ['x'.repeat(100_000), null],
];

for (const [word, expected] of rows) {
  test(`${word.slice(0, 20)} is taken for ${String(expected)}`, () => {
    assert.equal(nearest(word, existing), expected);
  });
}
