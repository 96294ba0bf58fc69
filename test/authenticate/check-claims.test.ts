import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkClaims, readClaims, validUntilMs } from '../../src/authenticate/check-claims.ts';
import { Refusal } from '../../src/errors.ts';
import { nowMs, nowSeconds } from './token-issuer.ts';

const rules = { issuer: null, audiences: null, clockSkewSeconds: 60 };

function judge(
  claims: Record<string, unknown>,
  more: Partial<Parameters<typeof checkClaims>[1]> = {},
  atMs = nowMs,
): string {
  const read = readClaims(claims);
  if (read instanceof Refusal) return read.kind.code;
  return checkClaims(read, { ...rules, ...more }, atMs)?.kind.code ?? 'good';
}

const exp = nowSeconds + 100;

describe('claims of the wrong type are malformed', () => {
  const rows: Record<string, unknown>[] = [
    { exp: `${exp}` },
    { exp: null },
    { exp: true },
    { exp: JSON.parse('1e999') },
    { exp: [exp] },
    { exp, nbf: 'soon' },
    { exp, nbf: null },
    { exp, iss: 1 },
    { exp, iss: null },
    { exp, iss: ['solo.io'] },
    { exp, sub: 7 },
    { exp, sub: null },
    { exp, aud: 1 },
    { exp, aud: null },
    { exp, aud: ['a', 1] },
    { exp, aud: { a: 1 } },
  ];
  for (const claims of rows) {
    test(JSON.stringify(claims), () => assert.equal(judge(claims), 'TOKEN_CLAIMS_MALFORMED'));
  }
});

describe('times', () => {
  const rows: [title: string, claims: Record<string, unknown>, outcome: string][] = [
    ['exp must be there', { sub: 'alice' }, 'TOKEN_WITHOUT_EXP'],
    ['exp in the future is good', { exp }, 'good'],
    ['exp may be a fraction', { exp: nowSeconds + 0.5 }, 'good'],
    ['exp past by less than the skew is good', { exp: nowSeconds - 59.999 }, 'good'],
    ['exp past by the skew is expired', { exp: nowSeconds - 60 }, 'TOKEN_EXPIRED'],
    ['exp of 0 is expired', { exp: 0 }, 'TOKEN_EXPIRED'],
    ['exp below 0 is expired', { exp: -1e300 }, 'TOKEN_EXPIRED'],
    ['exp in the far future is good', { exp: 1e300 }, 'good'],
    ['nbf in the past is good', { exp, nbf: nowSeconds - 1 }, 'good'],
    ['nbf ahead by the skew is good', { exp, nbf: nowSeconds + 60 }, 'good'],
    [
      'nbf ahead by more than the skew is not yet valid',
      { exp, nbf: nowSeconds + 60.001 },
      'TOKEN_NOT_YET_VALID',
    ],
    ['iat is not looked at', { exp, iat: 'never' }, 'good'],
    ['expired comes before not yet valid', { exp: 1, nbf: 1e300 }, 'TOKEN_EXPIRED'],
  ];
  for (const [title, claims, outcome] of rows) {
    test(title, () => assert.equal(judge(claims), outcome));
  }

  test('a skew of 0 leaves no grace', () => {
    assert.equal(judge({ exp: nowSeconds }, { clockSkewSeconds: 0 }), 'TOKEN_EXPIRED');
    assert.equal(judge({ exp: nowSeconds }, { clockSkewSeconds: 0 }, nowMs - 1), 'good');
  });

  test('the end of validity is a finite number of milliseconds', () => {
    const read = readClaims({ exp: 1e300 });
    assert.ok(!(read instanceof Refusal));
    assert.equal(validUntilMs(read, rules), Number.MAX_SAFE_INTEGER);
  });
});

describe('issuer and audience', () => {
  const rows: [
    title: string,
    claims: Record<string, unknown>,
    more: Parameters<typeof judge>[1],
    outcome: string,
  ][] = [
    ['no issuer is asked for', { exp, iss: 'x' }, {}, 'good'],
    ['the issuer is equal', { exp, iss: 'x' }, { issuer: 'x' }, 'good'],
    ['the issuer differs', { exp, iss: 'X' }, { issuer: 'x' }, 'TOKEN_ISSUER_MISMATCH'],
    ['the issuer has another ending', { exp, iss: 'x/' }, { issuer: 'x' }, 'TOKEN_ISSUER_MISMATCH'],
    ['the issuer is missing', { exp }, { issuer: 'x' }, 'TOKEN_ISSUER_MISMATCH'],
    ['the issuer is empty', { exp, iss: '' }, { issuer: 'x' }, 'TOKEN_ISSUER_MISMATCH'],
    ['no audience is asked for', { exp, aud: 'x' }, {}, 'good'],
    [
      'the audience is one of those asked for',
      { exp, aud: 'b' },
      { audiences: ['a', 'b'] },
      'good',
    ],
    [
      'one of the audiences is asked for',
      { exp, aud: ['x', 'a'] },
      { audiences: ['a', 'b'] },
      'good',
    ],
    [
      'no audience is asked for of those present',
      { exp, aud: ['x'] },
      { audiences: ['a'] },
      'TOKEN_AUDIENCE_MISMATCH',
    ],
    ['the audience is missing', { exp }, { audiences: ['a'] }, 'TOKEN_AUDIENCE_MISMATCH'],
    [
      'the audience list is empty',
      { exp, aud: [] },
      { audiences: ['a'] },
      'TOKEN_AUDIENCE_MISMATCH',
    ],
    [
      'the audience is a part of the one asked for',
      { exp, aud: 'a' },
      { audiences: ['ab'] },
      'TOKEN_AUDIENCE_MISMATCH',
    ],
    [
      'no audience at all is allowed',
      { exp, aud: 'a' },
      { audiences: [] },
      'TOKEN_AUDIENCE_MISMATCH',
    ],
  ];
  for (const [title, claims, more, outcome] of rows) {
    test(title, () => assert.equal(judge(claims, more), outcome));
  }
});
