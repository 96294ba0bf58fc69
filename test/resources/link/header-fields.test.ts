import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  headerNameProblem,
  headerValueProblem,
  printable,
} from '../../../src/resources/link/header-fields.ts';

for (const name of ['Authorization', 'x-api-key', "!#$%&'*+-.^_`|~09azAZ"]) {
  test(`a filter may set the header ${name}`, () => {
    assert.equal(headerNameProblem(name), null);
  });
}

for (const name of ['', 'a b', 'a:', 'a\r\nb', 'ä', ':path', 'a\0', 'x'.repeat(257)]) {
  test(`${JSON.stringify(name.slice(0, 20))} is not a header name`, () => {
    assert.match(headerNameProblem(name) ?? '', /is not a header name/);
  });
}

for (const name of [
  'Connection',
  'keep-alive',
  'Transfer-Encoding',
  'content-length',
  'HOST',
  'te',
  'Trailer',
  'Upgrade',
  'Proxy-Connection',
]) {
  test(`no filter may change ${name}`, () => {
    assert.match(headerNameProblem(name) ?? '', /may not be changed/);
  });
}

for (const value of ['a\rb', 'a\nb', 'a\0b', 'a\x7fb', 'secret\n', ' padded', 'ü']) {
  test(`the header value ${JSON.stringify(value)} is refused, and not shown`, () => {
    const problem = headerValueProblem(value);
    assert.ok(problem);
    assert.ok(!problem.includes('secret'));
  });
}

for (const value of ['', 'Bearer abc', 'a\tb', '~!"']) {
  test(`the header value ${JSON.stringify(value)} is fine`, () => {
    assert.equal(headerValueProblem(value), null);
  });
}

test('printable text has no control characters and is short', () => {
  assert.equal(printable('a\nb"'), 'a\\nb\\"');
  assert.ok(printable('x'.repeat(1000)).length < 80);
});
