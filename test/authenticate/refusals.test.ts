import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { base64url as joseBase64url } from 'jose';
import { Refusal } from '../../src/errors.ts';
import type { RefusalCode } from '../../src/errors.ts';
import { createHarness } from './authenticator-harness.ts';
import {
  base64url,
  forge,
  goodClaims,
  makeKey,
  nowMs,
  nowSeconds,
  policyPlan,
  providerPlan,
  sign,
  signHmac,
} from './token-issuer.ts';

const rsa = await makeKey('RS256', 'rsa');
const ec = await makeKey('ES256', 'ec');
const ed = await makeKey('EdDSA', 'EdDSA');
const stranger = await makeKey('RS256', 'rsa');
const plan = policyPlan([
  providerPlan([rsa.jwk, ec.jwk, ed.jwk], {
    issuer: 'https://issuer.test',
    audiences: ['postern'],
  }),
]);

const good = await sign(rsa);
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
const invalid = (kind: string): string =>
  `authentication failure: the token is invalid or malformed: Error(${kind})`;
const malformed = 'authentication failure: the token header is malformed: Error(InvalidToken)';

describe('a refusal', async () => {
  const rows: [title: string, token: string, code: RefusalCode, text: string][] = [
    ['of garbage', 'abcdefg', 'TOKEN_MALFORMED', malformed],
    [
      'of a token without kid',
      await sign(rsa, goodClaims, { kid: undefined }),
      'TOKEN_WITHOUT_KID',
      'authentication failure: the token header does not specify a `kid`',
    ],
    [
      'of an expired token without kid',
      await sign(rsa, { ...goodClaims, exp: 1 }, { kid: undefined }),
      'TOKEN_WITHOUT_KID',
      'authentication failure: the token header does not specify a `kid`',
    ],
    [
      'of an unknown key',
      await sign(rsa, goodClaims, { kid: 'k9' }),
      'TOKEN_KEY_UNKNOWN',
      'authentication failure: token uses the unknown key "k9"',
    ],
    [
      'of an unknown key with a hostile name',
      await sign(rsa, goodClaims, { kid: '"\n\u001b[2J\u2028é' }),
      'TOKEN_KEY_UNKNOWN',
      'authentication failure: token uses the unknown key "\\"\\n\\u001b[2J\\u2028\\u00e9"',
    ],
    [
      'of an unknown key with a long name',
      await sign(rsa, goodClaims, { kid: 'x'.repeat(500) }),
      'TOKEN_KEY_UNKNOWN',
      `authentication failure: token uses the unknown key "${'x'.repeat(128)}"`,
    ],
    [
      'of a kid that is a path',
      await sign(rsa, goodClaims, { kid: '../../dev/null' }),
      'TOKEN_KEY_UNKNOWN',
      'authentication failure: token uses the unknown key "../../dev/null"',
    ],
    [
      'of a kid that every object has',
      await sign(rsa, goodClaims, { kid: '__proto__' }),
      'TOKEN_KEY_UNKNOWN',
      'authentication failure: token uses the unknown key "__proto__"',
    ],
    [
      'of alg none',
      forge({ alg: 'none', kid: 'rsa' }),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of alg None',
      forge({ alg: 'None', kid: 'rsa' }),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of alg NONE',
      forge({ alg: 'NONE', kid: 'rsa' }),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of alg none without signature',
      `${base64url({ alg: 'none', kid: 'rsa' })}.${goodPayload}.`,
      'TOKEN_MALFORMED',
      malformed,
    ],
    [
      'of HS256 with the public PEM as secret',
      signHmac({ alg: 'HS256', kid: 'rsa' }, rsa.publicPem),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of HS256 with the public JWK as secret',
      signHmac({ alg: 'HS256', kid: 'rsa' }, JSON.stringify(rsa.jwk)),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of HS256 with the modulus as secret',
      signHmac({ alg: 'HS256', kid: 'rsa' }, Buffer.from(joseBase64url.decode(rsa.jwk.n ?? ''))),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of an HMAC that calls itself RS256',
      signHmac({ alg: 'RS256', kid: 'rsa' }, rsa.publicPem),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of RS512 by an RS256 key',
      await sign({ ...rsa, alg: 'RS256' }).then(() => forge({ alg: 'RS512', kid: 'rsa' })),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of ES256 by an RSA key',
      forge({ alg: 'ES256', kid: 'rsa' }),
      'TOKEN_ALGORITHM_REFUSED',
      invalid('InvalidAlgorithm'),
    ],
    [
      'of another key with the same kid',
      await sign(stranger),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a key that the token brings along',
      await sign(stranger, goodClaims, { jwk: stranger.jwk }),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a key that the token points to',
      await sign(stranger, goodClaims, {
        jku: 'http://127.0.0.1:1/jwks',
        x5u: 'http://127.0.0.1:1/x',
      }),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a changed payload',
      `${goodHeader}.${base64url({ ...goodClaims, sub: 'bob' })}.${goodSignature}`,
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a changed header',
      `${base64url({ alg: 'RS256', kid: 'rsa', typ: 'x' })}.${goodPayload}.${goodSignature}`,
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a signature cut short',
      good.slice(0, -4),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a signature with more behind it',
      `${good}AAAA`,
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of an ES256 signature of zeros',
      forge({ alg: 'ES256', kid: 'ec' }, goodClaims, Buffer.alloc(64).toString('base64url')),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of an EdDSA signature of zeros',
      forge({ alg: 'EdDSA', kid: 'EdDSA' }, goodClaims, Buffer.alloc(64).toString('base64url')),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a payload that is not JSON',
      await sign(rsa, 'alice'),
      'TOKEN_CLAIMS_MALFORMED',
      invalid('InvalidClaimFormat'),
    ],
    [
      'of a claim of the wrong type',
      await sign(rsa, { ...goodClaims, exp: 'later' }),
      'TOKEN_CLAIMS_MALFORMED',
      invalid('InvalidClaimFormat'),
    ],
    [
      'of a repeated claim',
      await sign(rsa, `{"exp":1,"exp":${nowSeconds + 9}}`),
      'TOKEN_CLAIMS_MALFORMED',
      invalid('InvalidClaimFormat'),
    ],
    [
      'of a nested token',
      await sign(rsa, good, { cty: 'JWT' }),
      'TOKEN_CLAIMS_MALFORMED',
      invalid('InvalidClaimFormat'),
    ],
    [
      'of a token without exp',
      await sign(rsa, { ...goodClaims, exp: undefined }),
      'TOKEN_WITHOUT_EXP',
      invalid('MissingRequiredClaim("exp")'),
    ],
    [
      'of an expired token',
      await sign(rsa, { ...goodClaims, exp: nowSeconds - 60 }),
      'TOKEN_EXPIRED',
      invalid('ExpiredSignature'),
    ],
    [
      'of a token for later',
      await sign(rsa, { ...goodClaims, nbf: nowSeconds + 61 }),
      'TOKEN_NOT_YET_VALID',
      invalid('ImmatureSignature'),
    ],
    [
      'of another issuer',
      await sign(rsa, { ...goodClaims, iss: 'https://evil.test' }),
      'TOKEN_ISSUER_MISMATCH',
      invalid('InvalidIssuer'),
    ],
    [
      'of a token without issuer',
      await sign(rsa, { ...goodClaims, iss: undefined }),
      'TOKEN_ISSUER_MISMATCH',
      invalid('InvalidIssuer'),
    ],
    [
      'of another audience',
      await sign(rsa, { ...goodClaims, aud: 'other' }),
      'TOKEN_AUDIENCE_MISMATCH',
      invalid('InvalidAudience'),
    ],
    [
      'of a token without audience',
      await sign(rsa, { ...goodClaims, aud: undefined }),
      'TOKEN_AUDIENCE_MISMATCH',
      invalid('InvalidAudience'),
    ],
    [
      'of a token of 1 MiB',
      await sign(rsa, { ...goodClaims, pad: 'x'.repeat(1 << 20) }),
      'TOKEN_TOO_LARGE',
      'authentication failure: the token is too large',
    ],
    [
      'of an encrypted token',
      `${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'rsa' })}.AAAA.AAAA.AAAA.AAAA`,
      'TOKEN_MALFORMED',
      malformed,
    ],
    [
      'of padding behind the signature',
      `${good}==`,
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
    [
      'of a second spelling of the signature',
      respell(good),
      'TOKEN_SIGNATURE_INVALID',
      invalid('InvalidSignature'),
    ],
  ];
  for (const [title, token, code, text] of rows) {
    test(title, async () => {
      const result = await createHarness(plan).present(token);
      assert.ok(result instanceof Refusal, 'the token was accepted');
      assert.equal(result.kind.code, code);
      assert.equal(result.text, text);
      assert.equal(result.status, 403);
      assert.equal(result.policy, 'ns/jwt');
      assert.deepEqual(result.headers, []);
    });
  }

  test('of a request without a token', () => {
    const result = createHarness(plan).authenticator.authenticate(
      { headers: [], query: null },
      nowMs,
    );
    assert.ok(result instanceof Refusal);
    assert.equal(result.text, 'authentication failure: no bearer token found');
    assert.equal(result.status, 403);
  });

  test('of two tokens', () => {
    const request = { headers: ['authorization', `Bearer ${good}`], query: `access_token=${good}` };
    const result = createHarness(plan).authenticator.authenticate(request, nowMs);
    assert.ok(result instanceof Refusal);
    assert.equal(result.text, 'authentication failure: the request carries more than one token');
  });
});

/** Changes the unused bits of the last character: a decoder that is not strict sees the same octets. */
function respell(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.slice(-1));
  const other = token.slice(0, -1) + (alphabet[last + 1] ?? 'A');
  const octets = (text: string): Buffer => Buffer.from(text.split('.')[2] ?? '', 'base64url');
  assert.deepEqual(octets(other), octets(token));
  return other;
}

test('no text is ever taken for a token, or makes the policy throw', async () => {
  const harness = createHarness(plan);
  const b64 = fc
    .uint8Array({ maxLength: 60 })
    .map((octets) => Buffer.from(octets).toString('base64url'));
  const header = fc.constantFrom(
    goodHeader,
    base64url({ alg: 'ES256', kid: 'ec' }),
    base64url({ alg: 'none', kid: 'rsa' }),
  );
  const payload = fc.oneof(fc.constant(goodPayload), fc.jsonValue().map(base64url), b64);
  const anyToken = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(header, payload, b64).map((parts) => parts.join('.')),
    fc
      .tuple(fc.nat(good.length - 1), fc.constantFrom('A', 'B', '-', '.', ''))
      .map(([at, insert]) => good.slice(0, at) + insert + good.slice(at + 1)),
  );
  await fc.assert(
    fc.asyncProperty(anyToken, async (token) => {
      if (token.trim() === good) return;
      assert.ok((await harness.present(token)) instanceof Refusal);
    }),
    { numRuns: 600 },
  );
});
