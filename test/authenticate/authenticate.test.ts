import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { base64url as joseBase64url } from 'jose';
import { Refusal } from '../../src/errors.ts';
import type { RefusalCode } from '../../src/errors.ts';
import { aliceToken, bobToken, gluedTokens, guideJwks } from '../fixtures/guide-tokens.ts';
import { createHarness } from './authenticator-harness.ts';
import {
  base64url,
  bearer,
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
const pss = await makeKey('PS256', 'pss');
const ec = await makeKey('ES256', 'ec');
const others = await Promise.all(
  ['RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512', 'EdDSA', 'Ed25519'].map((alg) =>
    makeKey(alg, alg),
  ),
);
const stranger = await makeKey('RS256', 'rsa');
const all = [rsa, pss, ec, ...others];

const strict = providerPlan(
  all.map((key) => key.jwk),
  {
    issuer: 'https://issuer.test',
    audiences: ['postern'],
  },
);
const plan = policyPlan([strict]);

async function outcomeOf(token: string, policy = plan): Promise<string> {
  const result = await createHarness(policy).present(token);
  return result instanceof Refusal
    ? result.kind.code
    : `accepted by ${result.principal?.provider ?? 'nobody'}`;
}

describe('a token signed with', () => {
  for (const key of all) {
    test(`${key.alg} is accepted`, async () => {
      const result = await createHarness(plan).present(await sign(key));
      assert.ok(!(result instanceof Refusal), result instanceof Refusal ? result.text : '');
      assert.equal(result.principal?.subject, 'alice');
      assert.equal(result.principal.issuer, 'https://issuer.test');
      assert.deepEqual(result.principal.claims, goodClaims);
      assert.equal(result.principal.expiresAtMs, (goodClaims.exp + 60) * 1000);
      assert.deepEqual(result.location, { in: 'header', name: 'authorization' });
    });
  }
});

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

describe('the key and the tokens of the guide', () => {
  const guide = policyPlan([
    providerPlan(guideJwks.keys, { name: 'selfminted', issuer: 'solo.io' }),
  ]);
  test('Alice and Bob are accepted', async () => {
    assert.equal(await outcomeOf(aliceToken, guide), 'accepted by selfminted');
    assert.equal(await outcomeOf(bobToken, guide), 'accepted by selfminted');
  });
  test('a token glued to the next word is refused', async () => {
    for (const token of gluedTokens)
      assert.equal(await outcomeOf(token, guide), 'TOKEN_SIGNATURE_INVALID');
  });
});

describe('several providers', async () => {
  const keyB = await makeKey('ES256', 'b');
  const a = providerPlan([rsa.jwk], { name: 'a', issuer: 'a' });
  const b = providerPlan([keyB.jwk], { name: 'b', issuer: 'b', audiences: ['x'] });
  const anyIssuer = providerPlan([ec.jwk], { name: 'any' });
  const two = policyPlan([a, b]);
  const three = policyPlan([anyIssuer, a, b]);
  const exp = nowSeconds + 100;
  const fromB = { iss: 'b', aud: 'x', exp };

  const rows: [title: string, policy: typeof plan, token: string, outcome: string][] = [
    ['the issuer names the provider', two, await sign(rsa, { iss: 'a', exp }), 'accepted by a'],
    ['the second provider is asked too', two, await sign(keyB, fromB), 'accepted by b'],
    ['one without issuer takes any', three, await sign(ec, { iss: 'z', exp }), 'accepted by any'],
    [
      'a key of another provider is unknown',
      two,
      await sign(keyB, { iss: 'a', exp }),
      'TOKEN_KEY_UNKNOWN',
    ],
    [
      'a kid of another provider does not help',
      two,
      await sign(rsa, { iss: 'a', exp }, { kid: 'b' }),
      'TOKEN_KEY_UNKNOWN',
    ],
    [
      'an issuer of nobody is told',
      two,
      await sign(rsa, { iss: 'z', exp }),
      'TOKEN_ISSUER_MISMATCH',
    ],
    [
      'the provider of the issuer has the say',
      three,
      await sign(keyB, { ...fromB, aud: 'y' }),
      'TOKEN_AUDIENCE_MISMATCH',
    ],
    [
      'a wrong signature is told',
      three,
      await sign(stranger, { iss: 'a', exp }),
      'TOKEN_SIGNATURE_INVALID',
    ],
    [
      'the one that knows the key has the say',
      three,
      await sign(ec, { iss: 'z', exp: 1 }),
      'TOKEN_EXPIRED',
    ],
  ];
  for (const [title, policy, token, outcome] of rows) {
    test(title, async () => assert.equal(await outcomeOf(token, policy), outcome));
  }

  test('a token is only judged by the providers that look where it stands', async () => {
    const own = { headers: [{ header: 'x-b', prefix: '' }], queryParams: [] };
    const split = policyPlan([a, { ...b, tokenSources: own }]);
    const harness = createHarness(split);
    const token = await sign(keyB, fromB);
    const inOwn = await harness.authenticator.authenticate(
      { headers: ['x-b', token], query: null },
      nowMs,
    );
    assert.ok(!(inOwn instanceof Refusal));
    const inShared = await harness.authenticator.authenticate(bearer(token), nowMs);
    assert.ok(inShared instanceof Refusal);
    assert.equal(inShared.kind.code, 'TOKEN_ISSUER_MISMATCH');
  });

  test('a verdict is told with the policy, the provider, the outcome and the code', async () => {
    const harness = createHarness(two);
    const token = await sign(rsa, { iss: 'a', exp });
    await harness.present(token);
    await harness.present(token);
    await harness.present(await sign(keyB, { ...fromB, aud: 'y' }));
    await harness.present('abcdefg');
    harness.authenticator.authenticate({ headers: [], query: null }, nowMs);
    assert.deepEqual(harness.verdicts, [
      'ns/jwt a verified -',
      'ns/jwt a cached -',
      'ns/jwt b refused TOKEN_AUDIENCE_MISMATCH',
      'ns/jwt - refused TOKEN_MALFORMED',
      'ns/jwt - refused TOKEN_MISSING',
    ]);
  });
});

describe('a single PEM key', () => {
  const pem = policyPlan([
    providerPlan([rsa.jwk], { keys: { source: 'local', jwks: [rsa.jwk], kidOptional: true } }),
  ]);
  test('verifies tokens without kid and with any kid', async () => {
    assert.equal(
      await outcomeOf(await sign(rsa, goodClaims, { kid: undefined }), pem),
      'accepted by main',
    );
    assert.equal(
      await outcomeOf(await sign(rsa, goodClaims, { kid: 'other' }), pem),
      'accepted by main',
    );
  });
  test('verifies no token of another key', async () => {
    assert.equal(
      await outcomeOf(await sign(stranger, goodClaims, { kid: undefined }), pem),
      'TOKEN_SIGNATURE_INVALID',
    );
  });
});

describe('a policy of failure status 401', () => {
  const younger = policyPlan([strict], { failureStatus: 401 });
  const challenge = async (token: string): Promise<readonly string[]> => {
    const result = await createHarness(younger).present(token);
    assert.ok(result instanceof Refusal);
    assert.equal(result.status, 401);
    return result.headers;
  };
  test('asks for a token where there is none', async () => {
    assert.deepEqual(await challenge(''), ['www-authenticate', 'Bearer']);
  });
  test('says what is wrong, in safe characters and without a word of the token', async () => {
    const expired = await sign(rsa, { ...goodClaims, exp: 1 });
    assert.deepEqual(await challenge(expired), [
      'www-authenticate',
      'Bearer error="invalid_token", error_description="the token is invalid or malformed: Error(ExpiredSignature)"',
    ]);
    const noExp = await sign(rsa, { ...goodClaims, exp: undefined });
    assert.match((await challenge(noExp))[1] ?? '', /MissingRequiredClaim\('exp'\)/);
    const unknown = await sign(rsa, goodClaims, { kid: 'secret-kid"\r\n' });
    assert.match(
      (await challenge(unknown))[1] ?? '',
      /^Bearer error="invalid_token", error_description="token uses an unknown key"$/,
    );
  });
  test('keeps the status of a fault of ours', async () => {
    const overloaded = createHarness(younger, {
      verifySignature: () => Promise.resolve('overloaded'),
    });
    const result = await overloaded.present(good);
    assert.ok(result instanceof Refusal);
    assert.equal(result.kind.code, 'VERIFICATION_OVERLOADED');
    assert.equal(result.status, 503);
    assert.deepEqual(result.headers, []);
    const failed = createHarness(younger, { verifySignature: () => Promise.resolve('failed') });
    const failure = await failed.present(good);
    assert.ok(failure instanceof Refusal);
    assert.equal(failure.kind.code, 'VERIFICATION_FAILED');
    assert.equal(failure.status, 500);
  });
  test('turns a mistake of ours into a refusal', async () => {
    const broken = createHarness(younger, {
      verifySignature: () => Promise.reject(new Error('bug')),
    });
    const result = await broken.present(good);
    assert.ok(result instanceof Refusal);
    assert.equal(result.kind.code, 'VERIFICATION_FAILED');
  });
});

describe('the mode', async () => {
  const bad = await sign(stranger);
  const rows: [mode: typeof plan.mode, token: string, outcome: string][] = [
    ['RequireValid', '', 'TOKEN_MISSING'],
    ['RequireValid', bad, 'TOKEN_SIGNATURE_INVALID'],
    ['RequireValid', good, 'alice'],
    ['AllowMissing', '', 'nobody'],
    ['AllowMissing', bad, 'TOKEN_SIGNATURE_INVALID'],
    ['AllowMissing', good, 'alice'],
    ['AllowMissingOrFailed', '', 'nobody'],
    ['AllowMissingOrFailed', bad, 'nobody'],
    ['AllowMissingOrFailed', 'abcdefg', 'nobody'],
    ['AllowMissingOrFailed', 'x'.repeat(20_000), 'nobody'],
    ['AllowMissingOrFailed', good, 'alice'],
  ];
  for (const [mode, token, outcome] of rows) {
    test(`${mode}: ${token.slice(-8)} is ${outcome}`, async () => {
      const result = await createHarness(policyPlan([strict], { mode })).present(token);
      const seen =
        result instanceof Refusal ? result.kind.code : (result.principal?.subject ?? 'nobody');
      assert.equal(seen, outcome);
    });
  }
  test('AllowMissing refuses two tokens', () => {
    const harness = createHarness(policyPlan([strict], { mode: 'AllowMissing' }));
    const request = {
      headers: ['authorization', 'Bearer a', 'authorization', 'Bearer b'],
      query: null,
    };
    assert.ok(harness.authenticator.authenticate(request, nowMs) instanceof Refusal);
  });
  test('AllowMissingOrFailed tells where the refused token stands, so that it does not go upstream', async () => {
    const result = await createHarness(
      policyPlan([strict], { mode: 'AllowMissingOrFailed' }),
    ).present(bad);
    assert.deepEqual(result, {
      principal: null,
      location: { in: 'header', name: 'authorization' },
    });
  });
});

test('the principal carries headers made of claims, and the policy reserves their names', async () => {
  const claimsToHeaders = [
    { claim: 'sub', header: 'x-user', append: false },
    { claim: 'aud', header: 'x-aud', append: true },
    { claim: 'none', header: 'x-none', append: false },
  ];
  const harness = createHarness(policyPlan([{ ...strict, claimsToHeaders }]));
  const result = await harness.present(good);
  assert.ok(!(result instanceof Refusal));
  assert.deepEqual(result.principal?.headersToSet, ['x-user', 'alice']);
  assert.deepEqual(result.principal.headersToAppend, ['x-aud', 'postern']);
  assert.deepEqual(harness.authenticator.reservedHeaders, ['x-user', 'x-aud', 'x-none']);
});

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
