import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { normalisePath } from '../../src/accept/request-path.ts';

const accepted: readonly [raw: string, path: string][] = [
  ['/', '/'],
  ['/mcp', '/mcp'],
  ['/mcp/', '/mcp/'],
  ['/MCP', '/MCP'],
  ['/%6d%63%70', '/mcp'],
  ['/a%2Db%2db%5f%7E', '/a-b-b_~'],
  ['/a%2eb', '/a.b'],
  ['/v1.2/...', '/v1.2/...'],
  ['/.well-known/x', '/.well-known/x'],
  ['/..a/.b/a..', '/..a/.b/a..'],
  ["/!$&'()*+,=:@", "/!$&'()*+,=:@"],
  ['/%21%24%26%27%28%29%2A%2b%2C%3d%3A%40', "/!$&'()*+,=:@"],
  ['/a%20b', '/a%20b'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/100%25', '/100%25'],
  ['/100%25%20', '/100%25%20'],
  ['/a|b^c`d', '/a%7Cb%5Ec%60d'],
  ['/"<>[]{}', '/%22%3C%3E%5B%5D%7B%7D'],
  ['/%5b%7c%7d', '/%5B%7C%7D'],
];

const refused: readonly [raw: string, why: RegExp][] = [
  ['', /start with a slash/],
  ['*', /start with a slash/],
  ['mcp', /start with a slash/],
  ['http://example.com/mcp', /start with a slash/],
  ['//', /empty segment/],
  ['//evil.example/x', /empty segment/],
  ['/a//b', /empty segment/],
  ['/a//', /empty segment/],
  ['/.', /dot segment/],
  ['/..', /dot segment/],
  ['/../', /dot segment/],
  ['/a/./b', /dot segment/],
  ['/a/../b', /dot segment/],
  ['/a/..', /dot segment/],
  ['/a/%2e', /dot segment/],
  ['/a/%2e%2e/b', /dot segment/],
  ['/a/.%2E/b', /dot segment/],
  ['/a/%2E./b', /dot segment/],
  ['/a/..;/b', /a semicolon/],
  ['/a/..;x=1/b', /a semicolon/],
  ['/admin;x/tools', /a semicolon/],
  ['/admin%3Bx', /encoded semicolon/],
  ['/admin%3b/..', /encoded semicolon/],
  ['/a%2fb', /encoded slash/],
  ['/a/..%2Fb', /encoded slash/],
  ['/a\\b', /a backslash/],
  ['/a%5cb', /encoded backslash/],
  ['/a/..%5C..', /encoded backslash/],
  ['/a?b', /question mark/],
  ['/a%3fb', /encoded question mark/],
  ['/a#b', /number sign/],
  ['/a%23b', /encoded number sign/],
  ['/a b', /a space/],
  ['/a\tb', /control character/],
  ['/a\0', /control character/],
  ['/a\r\nb', /control character/],
  ['/a\x7f', /control character/],
  ['/a%00', /encoded control/],
  ['/a%0d%0aset-cookie', /encoded control/],
  ['/a%1f', /encoded control/],
  ['/a%7F', /encoded control/],
  ['/café', /beyond ASCII/],
  ['/\uFFFD', /beyond ASCII/],
  ['/\u212A', /beyond ASCII/],
  ['/a%', /incomplete/],
  ['/a%2', /incomplete/],
  ['/a%zz', /incomplete/],
  ['/a%2g', /incomplete/],
  ['/a%u002e', /incomplete/],
  ['/a%+1', /incomplete/],
  ['/%252e%252e/', /within a percent escape/],
  ['/%25%32%65', /within a percent escape/],
  ['/%25%32f', /within a percent escape/],
  ['/%2%35e', /incomplete/],
  ['/%c0%ae', /not UTF-8/],
  ['/%c0%af', /not UTF-8/],
  ['/%ff', /not UTF-8/],
  ['/%c3', /not UTF-8/],
  ['/%ed%a0%80', /not UTF-8/],
];

describe('normalisePath', () => {
  for (const [raw, path] of accepted) {
    test(`reads ${raw} as ${path}`, () => {
      assert.deepEqual(normalisePath(raw), { ok: true, path });
    });
  }

  for (const [raw, why] of refused) {
    test(`refuses ${JSON.stringify(raw)}`, () => {
      const result = normalisePath(raw);
      assert.ok(!result.ok, 'it was accepted');
      assert.match(result.why, why);
    });
  }

  test('returns for any text a refusal, or one spelling that every reading leaves alone', () => {
    let seen = 0;
    fc.assert(
      fc.property(paths, (raw) => {
        const result = normalisePath(raw);
        if (!result.ok) {
          assert.match(result.why, /^the path [a-zA-Z8 -]+$/);
          return;
        }
        seen += 1;
        const { path } = result;
        assert.match(path, /^\/[\x21-\x7e]*$/);
        assert.deepEqual(normalisePath(path), result);
        assert.doesNotMatch(path, /\/\/|[?#;\\]|\/\.{1,2}(?:\/|$)/);
        const decoded = decodeURIComponent(path);
        assert.equal(decoded.split('/').length, path.split('/').length);
        assert.doesNotMatch(decoded, /\/\/|[?#;\\\0\r\n]|\/\.{1,2}(?:\/|$)/);
        assert.doesNotMatch(decoded, /%[0-9a-f]{2}/i);
        // The URL parser that clients and upstreams in JavaScript use.
        assert.equal(decodeURIComponent(new URL(`http://host${path}`).pathname), decoded);
        // What was sent meant the same.
        assert.equal(decodeURIComponent(raw), decoded);
      }),
      { numRuns: 10_000 },
    );
    assert.ok(seen > 500, `only ${seen} accepted paths`);
  });

  test('gives spellings that decode to the same text the same path', () => {
    const spell = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zA-Z0-9._~!$&'()*+,=:@ |é-]{1,30}$/),
        spell,
        (text, encode) => {
          const spelled = Array.from(text)
            .map((character, index) => {
              const mustEncode = !/[\x21-\x7e]/.test(character);
              return mustEncode || encode[index] === true ? percentEncode(character) : character;
            })
            .join('');
          const canonical = normalisePath(`/${encodeURIComponent(text)}`);
          if (text !== '.' && text !== '..') assert.ok(canonical.ok);
          assert.deepEqual(normalisePath(`/${spelled}`), canonical);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function percentEncode(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16)}`).join('');
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('/', 'a', 'mcp', 'Z', '-', '%61', '%20', '%C3%A9', '|') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        '.',
        '..',
        '%2e',
        '%2E',
        '%25',
        '%2',
        '%',
        '%2f',
        '%5c',
        ';',
        '%3b',
        '//',
        '\\',
        '#',
        '?',
      ],
      ...['%3f', '%23', '%00', '%c0%ae', '%e0%80', '\0', ' ', 'é', '2e', '\u212A', '\ud800'],
    ),
  },
);

const paths = fc.oneof(
  fc.string().map((text) => `/${text}`),
  fc.string({ unit: 'binary' }),
  fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`),
  fc
    .array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 })
    .map((bytes) => `/${bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`),
);
