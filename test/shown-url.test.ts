import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownUrl } from '../src/shown-url.ts';

for (const [url, shown] of [
  ['https://idp.test/jwks.json', 'https://idp.test/jwks.json'],
  ['http://idp.test:8080/a/b?key=canary', 'http://idp.test:8080/a/b?[redacted]'],
  ['https://canary:canary@idp.test/jwks', 'https://idp.test/jwks'],
  ['https://canary@idp.test/jwks?canary#canary', 'https://idp.test/jwks?[redacted]'],
  ['https://idp.test/jwks#canary', 'https://idp.test/jwks'],
  ['canary', '[not a URL]'],
  ['', '[not a URL]'],
] as const) {
  test(`${JSON.stringify(url)} is shown as ${shown}`, () => assert.equal(shownUrl(url), shown));
}
