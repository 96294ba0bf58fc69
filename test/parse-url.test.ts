import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUrl } from '../src/parse-url.ts';

test('what is a URL is read', () => {
  assert.equal(parseUrl('https://a.test/b?c')?.pathname, '/b');
});

test('what is none is null, however often it is asked for', () => {
  for (const text of ['', 'a', 'http://', 'http://[', 'http://a b/', 'http://\xff:\xff', '//a']) {
    for (let round = 0; round < 20_000; round += 1) assert.equal(parseUrl(text), null);
  }
});
