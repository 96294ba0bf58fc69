import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClaimValue } from '../../src/authenticate/principal.ts';
import { maxClaimDepth, maxClaimMembers, visibleClaims } from '../../src/authorize/claims.ts';

type Claims = Record<string, ClaimValue>;

test('ordinary claims are used as they are', () => {
  const claims: Claims = { sub: 'alice', roles: ['a', { b: [1, null, true] }] };
  assert.equal(visibleClaims(claims), claims);
  assert.equal(visibleClaims(claims), claims);
});

test('members named constructor or __proto__ are left out at any depth', () => {
  const claims = JSON.parse(
    '{"sub":"a","constructor":1,"b":[{"__proto__":{"x":1},"c":2}],"d":{"constructor":{}}}',
  ) as Claims;
  assert.deepEqual(visibleClaims(claims), { sub: 'a', b: [{ c: 2 }], d: {} });
});

test('claims that are nested too deeply or too wide are not shown at all', () => {
  const nested = (depth: number): Claims => {
    let value: ClaimValue = 'leaf';
    for (let level = 1; level < depth; level += 1) value = level % 2 === 0 ? [value] : { value };
    return { value };
  };
  assert.notEqual(visibleClaims(nested(maxClaimDepth)), null);
  assert.equal(visibleClaims(nested(maxClaimDepth + 1)), null);
  assert.equal(visibleClaims(nested(100_000)), null);
  assert.notEqual(visibleClaims({ list: Array<string>(maxClaimMembers).fill('a') }), null);
  assert.equal(visibleClaims({ list: Array<string>(maxClaimMembers + 1).fill('a') }), null);
});
