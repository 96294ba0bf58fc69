import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { claimsToHeaders, findClaim } from '../../src/authenticate/claims-to-headers.ts';
import { safeClaims } from '../../src/authenticate/safe-claims.ts';
import type { ClaimValue } from '../../src/authenticate/principal.ts';

test('claims lose members with the names of object machinery, at any depth', () => {
  const payload = JSON.parse(
    '{"sub":"a","constructor":1,"__proto__":{"admin":true},"prototype":2,"deep":[{"constructor":null,"x":{"__proto__":3,"y":1}}]}',
  ) as Record<string, unknown>;
  const claims = safeClaims(payload);
  assert.equal(JSON.stringify(claims), '{"sub":"a","deep":[{"x":{"y":1}}]}');
  assert.equal(claims.admin, undefined);
  assert.equal(Object.getPrototypeOf(claims), Object.prototype);
});

test('claims are frozen at any depth', () => {
  const claims = safeClaims({ a: { b: [{ c: 1 }] } });
  assert.throws(() => Object.assign(claims, { x: 1 }), TypeError);
  assert.throws(() => Object.assign(claims.a as object, { x: 1 }), TypeError);
  const list = (claims.a as { readonly b: ClaimValue[] }).b;
  assert.throws(() => list.push(1), TypeError);
  assert.throws(() => Object.assign(list[0] as object, { x: 1 }), TypeError);
});

describe('a claim becomes a header value', () => {
  const rows: [title: string, value: unknown, expected: string | null][] = [
    ['a string as it is', 'alice', 'alice'],
    ['an empty string', '', ''],
    ['a number', 1.5, '1.5'],
    ['a boolean', false, 'false'],
    ['a list joined with commas', ['a', 1, true], 'a,1,true'],
    ['an object as JSON', { a: [1] }, '{"a":[1]}'],
    ['a list of objects as JSON', [{ a: 1 }], '[{"a":1}]'],
    ['text beyond ASCII as UTF-8 octets', 'é€', Buffer.from('é€').toString('latin1')],
    ['null not at all', null, null],
    ['an empty list not at all', [], null],
    ['a line break not at all', 'a\r\nx-admin: 1', null],
    ['a line break in a list not at all', ['a', 'b\nc'], null],
    ['a NUL not at all', 'a\0b', null],
    ['a comma inside a list item not at all', ['x,admin,y'], null],
    ['a value over 8 KiB not at all', 'x'.repeat(8193), null],
  ];
  for (const [title, value, expected] of rows) {
    test(title, () => {
      const claims = safeClaims({ c: value });
      const headers = claimsToHeaders(claims, [{ claim: 'c', header: 'x-c', append: false }]);
      assert.deepEqual(headers, { set: expected === null ? [] : ['x-c', expected], append: [] });
    });
  }

  test('and is appended where the plan says so', () => {
    const plan = [{ claim: 'sub', header: 'X-Sub', append: true }];
    assert.deepEqual(claimsToHeaders({ sub: 'a' }, plan), { set: [], append: ['x-sub', 'a'] });
  });

  test('whatever it is, it can not break a header', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plan = [{ claim: 'c', header: 'x-c', append: false }];
        const { set } = claimsToHeaders(safeClaims({ c: value }), plan);
        for (const text of set) assert.match(text, /^[\x20-\x7e\x80-\xff]*$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a claim is found by name', () => {
  const claims: Readonly<Record<string, ClaimValue>> = {
    'https://x.test/roles': 'by its own dotted name',
    org: { team: { name: 'by path' } },
    'a.b': { c: 'by a path that starts with dots' },
  };
  const rows: [name: string, expected: ClaimValue | undefined][] = [
    ['https://x.test/roles', 'by its own dotted name'],
    ['org.team.name', 'by path'],
    ['a.b.c', 'by a path that starts with dots'],
    ['org.name', undefined],
    ['toString', undefined],
    ['org.constructor.name', undefined],
    ['org.team.name.length', undefined],
  ];
  for (const [name, expected] of rows) {
    test(name, () => assert.equal(findClaim(claims, name), expected));
  }
});
