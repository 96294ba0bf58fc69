import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TokenLocation } from '../../src/authenticate/authenticator.ts';
import { requestTarget } from '../../src/forward/request-target.ts';

const token: TokenLocation = { in: 'query', name: 'access token' };
const rows: readonly [query: string | null, tokens: TokenLocation[], target: string][] = [
  [null, [token], '/p'],
  ['', [], '/p?'],
  ['a=1&b', [], '/p?a=1&b'],
  ['a=%2f+%20&&=&b', [], '/p?a=%2f+%20&&=&b'],
  ['access+token=t', [token], '/p'],
  ['access%20token=t', [token], '/p'],
  ['%61ccess%20token=t', [token], '/p'],
  ['%61%63%63%65%73%73+%74oken', [token], '/p'],
  ['a=1&access+token=t&b=%2F', [token], '/p?a=1&b=%2F'],
  ['access+token=t&access%20token=u&a=1', [token], '/p?a=1'],
  ['a=access+token', [token], '/p?a=access+token'],
  ['access+tokens=t', [token], '/p?access+tokens=t'],
  ['%zz=1&access+token=t', [token], '/p?%zz=1'],
  ['a=1', [{ in: 'header', name: 'a' }], '/p?a=1'],
  [
    'a=1&b=2',
    [
      { in: 'query', name: 'a' },
      { in: 'query', name: 'b' },
    ],
    '/p',
  ],
];
for (const [query, tokens, target] of rows) {
  test(`${JSON.stringify(query)} without ${JSON.stringify(tokens)}: ${target}`, () =>
    assert.equal(requestTarget('/p', query, tokens), target));
}

test('a token is removed in whatever spelling its name comes, and nothing else', () => {
  const encodings = fc.array(fc.constantFrom('plain', 'lower', 'upper'), {
    minLength: 5,
    maxLength: 5,
  });
  fc.assert(
    fc.property(
      encodings,
      fc.array(fc.constantFrom('a=1', 'b', '', 'c=%20&d'), { maxLength: 4 }),
      (how, others) => {
        const name = Array.from('token', (letter, place) => {
          const code = `%${letter.charCodeAt(0).toString(16)}`;
          return how[place] === 'plain'
            ? letter
            : how[place] === 'lower'
              ? code
              : code.toUpperCase();
        }).join('');
        const query = [...others, `${name}=secret`, ...others].join('&');
        const target = requestTarget('/p', query, [{ in: 'query', name: 'token' }]);
        const kept = [...others, ...others].join('&').split('&');
        assert.equal(target, others.length === 0 ? '/p' : `/p?${kept.join('&')}`);
      },
    ),
    { numRuns: 300 },
  );
});
