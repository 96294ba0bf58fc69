import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileTokenSources, findToken } from '../../src/authenticate/find-token.ts';
import { Refusal } from '../../src/errors.ts';
import { bearerSources } from './token-issuer.ts';

const sources = compileTokenSources([bearerSources]);

function find(headers: string[], query: string | null = null, from = sources): string {
  const found = findToken({ headers, query }, from);
  if (found instanceof Refusal) return found.kind.code;
  return `${found.location.in} ${found.location.name} ${found.token}`;
}

describe('a token in the Authorization header', () => {
  const rows: [title: string, value: string, outcome: string][] = [
    ['is found behind its prefix', 'Bearer abc', 'header authorization abc'],
    ['is found whatever the case of the prefix', 'bEARER abc', 'header authorization abc'],
    ['may follow several spaces', 'Bearer   abc', 'header authorization abc'],
    ['is cut loose from trailing space', 'Bearer abc \t', 'header authorization abc'],
    ['keeps what stands inside it', 'Bearer a, Bearer b', 'header authorization a, Bearer b'],
    ['keeps a space that is not ASCII', 'Bearer \u00a0abc', 'header authorization \u00a0abc'],
    ['needs the space after the prefix', 'Bearerabc', 'TOKEN_MISSING'],
    ['does not count when empty', 'Bearer  ', 'TOKEN_MISSING'],
    ['does not count when there is the scheme alone', 'Bearer', 'TOKEN_MISSING'],
    ['does not count under another scheme', 'Basic abc', 'TOKEN_MISSING'],
    ['does not count without a scheme', 'abc', 'TOKEN_MISSING'],
  ];
  for (const [title, value, outcome] of rows) {
    test(title, () => assert.equal(find(['host', 'h', 'authorization', value]), outcome));
  }
});

describe('a token in the query', () => {
  const rows: [title: string, query: string, outcome: string][] = [
    ['is found', 'a=b&access_token=abc', 'query access_token abc'],
    ['is percent-decoded', 'access_token=a%2Eb', 'query access_token a.b'],
    ['keeps its plus signs', 'access_token=a+b', 'query access_token a+b'],
    ['keeps further equals signs', 'access_token=a=b', 'query access_token a=b'],
    ['is found under an encoded name', 'access%5Ftoken=abc', 'query access_token abc'],
    ['stays as it is when badly encoded', 'access_token=%zz', 'query access_token %zz'],
    ['does not count when empty', 'access_token=', 'TOKEN_MISSING'],
    ['does not count without a value', 'access_token', 'TOKEN_MISSING'],
    ['is looked for by the exact name', 'Access_token=abc', 'TOKEN_MISSING'],
    ['is ambiguous when repeated', 'access_token=a&access_token=b', 'TOKEN_AMBIGUOUS'],
    [
      'is ambiguous when repeated in another spelling',
      'access_token=a&access%5ftoken=a',
      'TOKEN_AMBIGUOUS',
    ],
    ['is ambiguous beside an empty one', 'access_token=&access_token=a', 'TOKEN_AMBIGUOUS'],
  ];
  for (const [title, query, outcome] of rows) {
    test(title, () => assert.equal(find([], query), outcome));
  }
});

describe('more than one place', () => {
  test('two tokens are ambiguous, even two equal ones', () => {
    assert.equal(find(['authorization', 'Bearer a'], 'access_token=a'), 'TOKEN_AMBIGUOUS');
  });

  test('a doubled header is ambiguous, whichever of the two has the prefix', () => {
    for (const [first, second] of [
      ['Bearer a', 'Bearer b'],
      ['Basic a', 'Bearer b'],
      ['Bearer a', 'x'],
    ]) {
      const headers = ['authorization', first ?? '', 'authorization', second ?? ''];
      assert.equal(find(headers), 'TOKEN_AMBIGUOUS');
    }
  });

  test('a header of another scheme does not hide a token in the query', () => {
    assert.equal(find(['authorization', 'Basic a'], 'access_token=a'), 'query access_token a');
  });

  test('a place that only one provider reads concerns this provider alone', () => {
    const two = compileTokenSources([
      {
        headers: [
          { header: 'authorization', prefix: 'Bearer ' },
          { header: 'x-a', prefix: '' },
        ],
        queryParams: [],
      },
      { headers: [{ header: 'authorization', prefix: 'Bearer ' }], queryParams: ['t'] },
    ]);
    const groupOf = (headers: string[], query: string | null): readonly number[] => {
      const found = findToken({ headers, query }, two);
      return found instanceof Refusal ? [] : found.group.providers;
    };
    assert.deepEqual(groupOf(['authorization', 'Bearer a'], null), [0, 1]);
    assert.deepEqual(groupOf(['x-a', 'a'], null), [0]);
    assert.deepEqual(groupOf([], 't=a'), [1]);
  });

  test('the longest prefix that fits decides', () => {
    const two = compileTokenSources([
      {
        headers: [
          { header: 'x', prefix: '' },
          { header: 'x', prefix: 'tok_' },
        ],
        queryParams: [],
      },
    ]);
    assert.equal(find(['x', 'tok_abc'], null, two), 'header x abc');
    assert.equal(find(['x', 'abc'], null, two), 'header x abc');
  });
});

test('no request makes the search throw', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.option(fc.string({ unit: 'binary' })),
      (value, query) => {
        find(['authorization', value], query);
        find([], `access_token=${value}&${query ?? ''}`);
      },
    ),
    { numRuns: 500 },
  );
});
