import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateKey, oneForAll } from '../../src/limit/rate-key.ts';
import { parseRedisUrl } from '../../src/limit/redis-url.ts';
import { exchangeOf, headOf } from '../route/plans.ts';

const { exchange } = exchangeOf(headOf({ remoteAddress: '192.0.2.1' }));
const { exchange: other } = exchangeOf(headOf({ remoteAddress: '192.0.2.2' }));

test('what an expression gives is the key; each different text counts once', () => {
  assert.deepEqual(oneForAll(exchange), ['']);
  assert.deepEqual(createRateKey(() => ['a', 'b', 'a'])(exchange), ['=a', '=b']);
});

test('where it gives nothing the caller is the key, which no text can be', () => {
  const failing = createRateKey(() => [null]);
  assert.notDeepEqual(failing(exchange), failing(other));
  const [key = ''] = failing(exchange);
  assert.notDeepEqual(createRateKey(() => [key])(exchange), [key]);
});

test('the URL of Redis is read, or refused without a word of it', () => {
  assert.deepEqual(parseRedisUrl(undefined), { ok: true, url: null });
  assert.deepEqual(parseRedisUrl(''), { ok: true, url: null });
  for (const url of ['redis://127.0.0.1:6379', 'rediss://u:p@redis.test/3']) {
    assert.deepEqual(parseRedisUrl(url), { ok: true, url });
  }
  for (const text of ['secret', 'http://u:secret@x', 'redis://', 'unix:///secret']) {
    const parsed = parseRedisUrl(text);
    assert.ok(!parsed.ok);
    assert.ok(!parsed.problem.includes('secret'));
  }
});
