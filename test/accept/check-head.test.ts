import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkHead, type HeadLimits } from '../../src/accept/check-head.ts';
import { Refusal } from '../../src/errors.ts';

const limits: HeadLimits = {
  maxHeaderFields: 20,
  maxHeaderBytes: 4000,
  maxBodyBytes: 1000,
  maxTargetBytes: 100,
};
const check = (headers: string[], method = 'POST', targetLength = 10) =>
  checkHead(method, targetLength, headers, limits);

function assertRefused(result: ReturnType<typeof checkHead>, code: string): void {
  assert.ok(result instanceof Refusal, 'was accepted');
  assert.equal(result.kind.code, code);
  // The octets of a body that is too large are still counted; after other refusals nothing is sure.
  assert.equal(result.kind.closesConnection, code !== 'BODY_TOO_LARGE');
}

const single = [
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
  'proxy-authorization',
  'transfer-encoding',
];

describe('fields that may be there once', () => {
  for (const name of single) {
    const value = name === 'content-length' ? '5' : name === 'transfer-encoding' ? 'chunked' : 'x';
    test(`${name} twice is refused, also with the same value and with others between`, () => {
      assertRefused(check([name, value, name, value]), 'REQUEST_INVALID');
      assertRefused(
        check(['accept', 'a', name, value, 'accept', 'b', name, value]),
        'REQUEST_INVALID',
      );
    });
    test(`${name} once is accepted where another field's value is that name`, () => {
      assert.deepEqual(
        check(['x-a', name, name, value, 'x-b', name, 'x-c', name]) instanceof Refusal,
        false,
      );
    });
  }

  test('other fields may be repeated', () => {
    assert.deepEqual(check(['accept', 'a', 'accept', 'b', 'x-a', '1', 'x-a', '2']), {
      hasBody: false,
    });
  });
});

describe('framing', () => {
  const framings: readonly [headers: string[], expected: boolean | string][] = [
    [[], false],
    [['content-length', '0'], false],
    [['content-length', '00'], false],
    [['content-length', '1'], true],
    [['content-length', '1000'], true],
    [['content-length', '1001'], 'BODY_TOO_LARGE'],
    [['content-length', '999999999999999'], 'BODY_TOO_LARGE'],
    [['content-length', '9999999999999999'], 'REQUEST_INVALID'],
    [['content-length', ''], 'REQUEST_INVALID'],
    [['content-length', '+1'], 'REQUEST_INVALID'],
    [['content-length', '-1'], 'REQUEST_INVALID'],
    [['content-length', '1, 1'], 'REQUEST_INVALID'],
    [['content-length', '0x10'], 'REQUEST_INVALID'],
    [['content-length', '1e2'], 'REQUEST_INVALID'],
    [['content-length', ' 1'], 'REQUEST_INVALID'],
    [['transfer-encoding', 'chunked'], true],
    [['transfer-encoding', 'Chunked'], true],
    [['transfer-encoding', 'xchunked'], 'REQUEST_INVALID'],
    [['transfer-encoding', 'chunked '], 'REQUEST_INVALID'],
    [['transfer-encoding', 'gzip, chunked'], 'REQUEST_INVALID'],
    [['transfer-encoding', 'chunked, identity'], 'REQUEST_INVALID'],
    [['transfer-encoding', 'identity'], 'REQUEST_INVALID'],
    [['transfer-encoding', ''], 'REQUEST_INVALID'],
  ];
  for (const [headers, expected] of framings) {
    test(`${JSON.stringify(headers)}: ${expected}`, () => {
      const result = check(headers);
      if (typeof expected === 'string') assertRefused(result, expected);
      else assert.deepEqual(result, { hasBody: expected });
    });
  }
});

describe('method, target, names and values', () => {
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PATCH', 'M-SEARCH', 'HEAD', 'PUT']) {
    test(`${method} is accepted`, () => assert.deepEqual(check([], method), { hasBody: false }));
  }
  for (const method of ['', 'get', 'G ET', 'GET\n', '-GET', 'CONNECT', 'TRACE', 'A'.repeat(33)]) {
    test(`the method ${JSON.stringify(method)} is refused`, () =>
      assertRefused(check([], method), 'REQUEST_INVALID'));
  }
  for (const name of ['', 'a b', 'a:', 'a\n', 'ä', 'a(', 'a"', 'a\0', 'a/b']) {
    test(`the header name ${JSON.stringify(name)} is refused`, () =>
      assertRefused(check([name, 'x']), 'REQUEST_INVALID'));
  }
  for (const value of ['a\nb', 'a\rb', '\0', '\x1f', 'a\x7f', '\ufffd']) {
    test(`the header value ${JSON.stringify(value)} is refused`, () =>
      assertRefused(check(['x-a', value]), 'REQUEST_INVALID'));
  }
  for (const value of ['', 'a\tb', 'é日本', '"quoted"', ' ', '😀']) {
    test(`the header value ${JSON.stringify(value)} is accepted`, () =>
      assert.deepEqual(check(['x-a', value]), { hasBody: false }));
  }
  test('a target at the limit is accepted and one above it refused', () => {
    assert.deepEqual(check([], 'GET', 100), { hasBody: false });
    assertRefused(check([], 'GET', 101), 'TARGET_TOO_LONG');
  });
  test('as many fields as allowed are accepted and one more is refused', () => {
    const fields = (count: number) => Array.from({ length: count }, () => ['x-a', 'b']).flat();
    assert.deepEqual(check(fields(20)), { hasBody: false });
    assertRefused(check(fields(21)), 'HEADERS_TOO_LARGE');
  });

  test('header lines over the limit together are refused with 431, up to it they pass', () => {
    const lines = (length: number) => ['x-a', 'v'.repeat(1993), 'x-b', 'v'.repeat(length)];
    assert.deepEqual(check(lines(1993)), { hasBody: false });
    assertRefused(check(lines(1994)), 'HEADERS_TOO_LARGE');
  });
});

test('whatever the headers are, the answer is framing or a refusal that tells nothing of them', () => {
  const name = fc.oneof(fc.constantFrom(...single, 'x-a'), fc.string({ maxLength: 8 }));
  const value = fc.oneof(fc.constantFrom('chunked', '5', ...single), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 25 }), (pairs) => {
      const result = check(pairs.flat());
      if (result instanceof Refusal) {
        assert.match(result.text, /^[ -~]+$/);
        assert.match(result.detail ?? '', /^[ -~]*$/);
        assert.ok(result.status >= 400 && result.status < 500);
        return;
      }
      for (const field of single) {
        assert.ok(pairs.filter(([other]) => other === field).length <= 1, field);
      }
    }),
    { numRuns: 2000 },
  );
});
