import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { parseToken } from '../../src/authenticate/parse-token.ts';
import { Refusal } from '../../src/errors.ts';
import { base64url, forge, goodClaims } from './token-issuer.ts';

const header = { alg: 'RS256', kid: 'k', typ: 'JWT' };

function codeOf(token: string): string {
  const parsed = parseToken(token);
  return parsed instanceof Refusal ? parsed.kind.code : 'parsed';
}

const part = base64url(header);
const payload = base64url(goodClaims);

describe('a token that is taken apart', () => {
  const rows: [title: string, token: string, outcome: string][] = [
    ['is a compact JWS', forge(header), 'parsed'],
    ['may have any typ', forge({ ...header, typ: 'at+jwt' }), 'parsed'],
    ['may have no kid', forge({ alg: 'RS256' }), 'parsed'],
    [
      'may offer keys, which nobody looks at',
      forge({ ...header, jwk: {}, jku: 'x', x5u: 'x', x5c: [] }),
      'parsed',
    ],
    ['is not a word', 'abcdefg', 'TOKEN_MALFORMED'],
    ['is not empty', '', 'TOKEN_MALFORMED'],
    ['has no fewer than three parts', `${part}.${payload}`, 'TOKEN_MALFORMED'],
    ['has no fourth part', `${forge(header)}.AAAA`, 'TOKEN_MALFORMED'],
    ['is not encrypted', `${part}.AAAA.AAAA.AAAA.AAAA`, 'TOKEN_MALFORMED'],
    ['has a signature', `${part}.${payload}.`, 'TOKEN_MALFORMED'],
    ['has a header', `.${payload}.AAAA`, 'TOKEN_MALFORMED'],
    ['has a payload', `${part}..AAAA`, 'TOKEN_MALFORMED'],
    [
      'has no padding in the header',
      `${base64url('{"alg":"RS256"}')}=.${payload}.AAAA`,
      'TOKEN_MALFORMED',
    ],
    [
      'has no padding in the payload',
      `${part}.${base64url('{"a":1}')}==.AAAA`,
      'TOKEN_CLAIMS_MALFORMED',
    ],
    ['has no padding in the signature', `${part}.${payload}.AA==`, 'TOKEN_SIGNATURE_INVALID'],
    ['has no plus sign in the signature', `${part}.${payload}.AA+A`, 'TOKEN_SIGNATURE_INVALID'],
    ['has no slash in the signature', `${part}.${payload}.AA/A`, 'TOKEN_SIGNATURE_INVALID'],
    ['has no stray bits in the signature', `${part}.${payload}.AB`, 'TOKEN_SIGNATURE_INVALID'],
    [
      'has no stray bits in the header',
      `${base64url('{"alg":"RS256"} ').replace(/A$/, 'B')}.${payload}.AAAA`,
      'TOKEN_MALFORMED',
    ],
    ['has no single left-over character', `${part}.${payload}.AAAAA`, 'TOKEN_SIGNATURE_INVALID'],
    ['has no white space inside', `${part}.${payload}.AA AA`, 'TOKEN_SIGNATURE_INVALID'],
    ['has a JSON header', `${base64url('alg')}.${payload}.AAAA`, 'TOKEN_MALFORMED'],
    ['has an object for a header', forge('[]'), 'TOKEN_MALFORMED'],
    [
      'has a header of UTF-8',
      `${Buffer.from('{"alg":"\xff"}', 'latin1').toString('base64url')}.${payload}.AAAA`,
      'TOKEN_MALFORMED',
    ],
    ['has no byte order mark', forge('\ufeff{"alg":"RS256"}'), 'TOKEN_MALFORMED'],
    ['names its algorithm', forge({ kid: 'k' }), 'TOKEN_MALFORMED'],
    ['names its algorithm as a string', forge({ alg: ['RS256'] }), 'TOKEN_MALFORMED'],
    ['names its kid as a string', forge({ alg: 'RS256', kid: 1 }), 'TOKEN_MALFORMED'],
    ['has no kid of null', forge({ alg: 'RS256', kid: null }), 'TOKEN_MALFORMED'],
    ['names alg once', forge('{"alg":"none","kid":"k","alg":"RS256"}'), 'TOKEN_MALFORMED'],
    [
      'names alg once in any spelling',
      forge('{"alg":"none","kid":"k","\\u0061lg":"RS256"}'),
      'TOKEN_MALFORMED',
    ],
    ['asks for no extension', forge({ ...header, crit: ['exp'], exp: 1 }), 'TOKEN_MALFORMED'],
    ['asks for no empty extension', forge({ ...header, crit: [] }), 'TOKEN_MALFORMED'],
    ['has an encoded payload', forge({ ...header, b64: false, crit: ['b64'] }), 'TOKEN_MALFORMED'],
    [
      'has an encoded payload without crit too',
      forge({ ...header, b64: false }),
      'TOKEN_MALFORMED',
    ],
    ['has an object for a payload', forge(header, '"alice"'), 'TOKEN_CLAIMS_MALFORMED'],
    ['has no token for a payload', forge(header, forge(header)), 'TOKEN_CLAIMS_MALFORMED'],
    ['has no null for a payload', forge(header, 'null'), 'TOKEN_CLAIMS_MALFORMED'],
    [
      'names each claim once',
      forge(header, '{"sub":"alice","sub":"bob"}'),
      'TOKEN_CLAIMS_MALFORMED',
    ],
    [
      'names each inner claim once',
      forge(header, '{"a":[{"r":1,"r":2}]}'),
      'TOKEN_CLAIMS_MALFORMED',
    ],
    [
      'may use a name in two objects',
      forge(header, '{"a":{"x":1},"b":{"x":2},"x":[{"x":"x"}]}'),
      'parsed',
    ],
    ['nests not too deep', forge(header, `{"a":${'['.repeat(31)}${']'.repeat(31)}}`), 'parsed'],
    [
      'nests no deeper',
      forge(header, `{"a":${'['.repeat(32)}${']'.repeat(32)}}`),
      'TOKEN_CLAIMS_MALFORMED',
    ],
    [
      'has no compressed payload',
      `${base64url({ ...header, zip: 'DEF' })}.${deflateRawSync(JSON.stringify(goodClaims)).toString('base64url')}.AAAA`,
      'TOKEN_CLAIMS_MALFORMED',
    ],
  ];
  for (const [title, token, outcome] of rows) {
    test(title, () => assert.equal(codeOf(token), outcome));
  }

  test('may be very deep and is refused without a stack overflow', () => {
    assert.equal(codeOf(forge(header, `{"a":${'['.repeat(500_000)}`)), 'TOKEN_CLAIMS_MALFORMED');
    const deep = `{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`;
    assert.equal(codeOf(forge(header, deep)), 'TOKEN_CLAIMS_MALFORMED');
  });
});

test('a token has one spelling: no other text parses to the same octets', () => {
  const token = forge(header, goodClaims, 'AAA');
  const alphabet = Array.from(
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n',
  );
  const octets = (text: string): string =>
    text
      .split('.')
      .map((p) => Buffer.from(p, 'base64url').toString('hex'))
      .join('.');
  fc.assert(
    fc.property(
      fc.nat(token.length),
      fc.constantFrom(...alphabet, ''),
      fc.nat(1),
      (at, insert, replaced) => {
        const other = token.slice(0, at) + insert + token.slice(at + replaced);
        if (other === token || parseToken(other) instanceof Refusal) return;
        assert.notEqual(octets(other), octets(token));
      },
    ),
    { numRuns: 2000 },
  );
});

test('no text makes the parser throw', () => {
  const anyPart = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json().map(base64url),
    fc.uint8Array().map((octets) => Buffer.from(octets).toString('base64url')),
  );
  fc.assert(
    fc.property(fc.array(anyPart, { maxLength: 6 }), (parts) => void parseToken(parts.join('.'))),
    { numRuns: 1000 },
  );
});

test('members come out as JSON.parse reads them', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (claims) => {
      const text = JSON.stringify(claims);
      // Refused: what it names differs from reader to reader.
      fc.pre(!text.includes('"__proto__"'));
      const parsed = parseToken(forge(header, text));
      assert.ok(!(parsed instanceof Refusal));
      assert.deepEqual(parsed.payload, JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});
