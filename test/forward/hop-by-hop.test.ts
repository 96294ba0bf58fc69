import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectionOptions, HOP_BY_HOP } from '../../src/forward/hop-by-hop.ts';

const rows: readonly [headers: string[], options: string[] | null][] = [
  [[], null],
  [['accept', 'connection', 'x-a', 'x-b'], null],
  [['connection', 'keep-alive'], null],
  [['connection', 'Close'], null],
  [['connection', ''], null],
  [['connection', 'X-A'], ['x-a']],
  [
    ['connection', 'close, X-A ,\tx-b'],
    ['close', 'x-a', 'x-b'],
  ],
  [['connection', 'keep-alive', 'accept', '*/*', 'connection', 'x-a'], ['x-a']],
  [
    ['connection', 'x-a', 'connection', 'x-b'],
    ['x-a', 'x-b'],
  ],
  [['connection', 'content-type, content-length, host, x-a'], ['x-a']],
];
for (const [headers, options] of rows) {
  test(`${JSON.stringify(headers)} names ${JSON.stringify(options)}`, () => {
    const found = connectionOptions(headers);
    assert.deepEqual(found === null ? null : [...found], options);
  });
}

test('fields of one connection are known', () => {
  for (const name of [
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ]) {
    assert.ok(HOP_BY_HOP.has(name), name);
  }
});

test('every name in any Connection field is found, whatever stands around it', () => {
  const noise = fc.array(fc.constantFrom('close', 'keep-alive', '', ' ', 'x-other'), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(noise, noise, fc.nat(3), (before, after, others) => {
      const headers = Array.from({ length: others }, () => ['connection', 'keep-alive']).flat();
      headers.push('connection', [...before, 'X-Secret', ...after].join(','));
      assert.ok(connectionOptions(headers)?.has('x-secret'));
    }),
    { numRuns: 300 },
  );
});
