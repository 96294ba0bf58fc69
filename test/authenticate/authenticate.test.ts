import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Refusal } from '../../src/errors.ts';
import { aliceToken, bobToken, gluedTokens, guideJwks } from '../fixtures/guide-tokens.ts';
import { createHarness } from './authenticator-harness.ts';
import {
  bearer,
  goodClaims,
  makeKey,
  nowMs,
  nowSeconds,
  policyPlan,
  providerPlan,
  sign,
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
    assert.deepEqual(result.headers, ['retry-after', '1']);
    const failed = createHarness(younger, { verifySignature: () => Promise.resolve('failed') });
    const failure = await failed.present(good);
    assert.ok(failure instanceof Refusal);
    assert.equal(failure.kind.code, 'VERIFICATION_FAILED');
    assert.equal(failure.status, 503);
    assert.deepEqual(failure.headers, ['retry-after', '1']);
  });
  test('turns a mistake of ours into a refusal', async () => {
    const broken = createHarness(younger, {
      verifySignature: () => Promise.reject(new Error('bug')),
    });
    const result = await broken.present(good);
    assert.ok(result instanceof Refusal);
    assert.equal(result.kind.code, 'VERIFICATION_FAILED');
    assert.equal(result.status, 503, 'whatever status the policy has for tokens');
    assert.deepEqual(result.headers, ['retry-after', '1']);
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
  test('under overload a new token is refused in every mode, before any check; a known one passes', async () => {
    for (const mode of ['RequireValid', 'AllowMissing', 'AllowMissingOrFailed'] as const) {
      const state = { overloaded: false };
      const harness = createHarness(policyPlan([strict], { mode }), {
        refuseCold: () => (state.overloaded ? new Refusal('OVERLOADED') : null),
      });
      await harness.present(good);
      const checks = harness.signatureChecks;
      state.overloaded = true;
      assert.ok(!((await harness.present(good)) instanceof Refusal));
      const cold = await harness.present(bad);
      assert.ok(cold instanceof Refusal);
      assert.equal(cold.kind.code, 'OVERLOADED');
      assert.equal(harness.signatureChecks, checks);
      state.overloaded = false;
      const warm = await harness.present(bad);
      assert.ok(!(warm instanceof Refusal) || warm.kind.code === 'TOKEN_SIGNATURE_INVALID');
    }
  });
  test('while the queue of the pool is full a new token is refused before it is read; a known one is not', async () => {
    const state = { full: false };
    const harness = createHarness(policyPlan([strict], { failureStatus: 401 }), {
      isVerifyQueueFull: () => state.full,
    });
    await harness.present(good);
    const checks = harness.signatureChecks;
    state.full = true;
    const known = await harness.present(good);
    assert.ok(!(known instanceof Refusal));
    assert.equal(known.principal?.subject, 'alice');
    for (const token of [bad, 'garbage', bad]) {
      const cold = await harness.present(token);
      assert.ok(cold instanceof Refusal);
      assert.equal(cold.kind.code, 'VERIFICATION_OVERLOADED');
      assert.equal(cold.status, 503);
      assert.deepEqual(cold.headers, ['retry-after', '1']);
    }
    assert.equal(harness.signatureChecks, checks);
    state.full = false;
    const later = await harness.present(bad);
    assert.ok(later instanceof Refusal, 'nothing was remembered of it');
    assert.equal(later.kind.code, 'TOKEN_SIGNATURE_INVALID');
  });
  test('every mode refuses two tokens', () => {
    for (const mode of ['RequireValid', 'AllowMissing', 'AllowMissingOrFailed'] as const) {
      const harness = createHarness(policyPlan([strict], { mode }));
      const request = { headers: ['authorization', `Bearer ${good}`], query: 'access_token=a' };
      const result = harness.authenticator.authenticate(request, nowMs);
      assert.ok(result instanceof Refusal);
      assert.equal(result.kind.code, 'TOKEN_AMBIGUOUS');
    }
  });
  test('AllowMissingOrFailed tells where the refused token stands, so that it does not go upstream', async () => {
    const harness = createHarness(policyPlan([strict], { mode: 'AllowMissingOrFailed' }));
    const location = { in: 'header', name: 'authorization' };
    for (const token of [bad, bad, 'abcdefg', 'x'.repeat(20_000)]) {
      assert.deepEqual(await harness.present(token), { principal: null, location });
    }
  });
});

describe('new tokens that come in one turn', () => {
  /** Until nobody waits for a turn. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  };

  test('are read four in a turn; whoever is known does not wait for them', async () => {
    const fresh = await Promise.all(
      Array.from({ length: 10 }, (_, id) => sign(rsa, { ...goodClaims, jti: String(id) })),
    );
    const harness = createHarness(plan);
    await harness.present(good);
    await settle();
    const earlier = harness.signatureChecks;
    const checks = (): number => harness.signatureChecks - earlier;
    const outcomes = fresh.map((token) => harness.present(token));
    assert.equal(harness.authenticator.inFlight, 10);
    await Promise.resolve();
    assert.equal(checks(), 4);
    const known = harness.authenticator.authenticate(bearer(good), nowMs);
    assert.ok(!(known instanceof Promise) && !(known instanceof Refusal));
    // One that is waiting already is not judged twice.
    outcomes.push(harness.present(fresh[9] ?? ''));
    await nextTurn();
    assert.equal(checks(), 8);
    await nextTurn();
    assert.equal(checks(), 10);
    for (const outcome of await Promise.all(outcomes)) assert.ok(!(outcome instanceof Refusal));
    assert.equal(harness.authenticator.inFlight, 0);
  });

  test('and can not be read are refused in their turn, each once', async () => {
    const harness = createHarness(policyPlan([strict], { failureStatus: 401 }));
    await settle();
    const outcomes = ['a', 'b', 'c', 'd', 'e', 'e'].map((token) => harness.present(token));
    assert.equal(harness.authenticator.inFlight, 1);
    for (const outcome of await Promise.all(outcomes)) {
      assert.ok(outcome instanceof Refusal);
      assert.equal(outcome.kind.code, 'TOKEN_MALFORMED');
      assert.equal(outcome.status, 401);
    }
    assert.equal(harness.authenticator.cache.refused, 5);
    assert.equal(harness.verdicts.length, 6);
    assert.equal(harness.signatureChecks, 0);
    assert.equal(harness.authenticator.inFlight, 0);
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
