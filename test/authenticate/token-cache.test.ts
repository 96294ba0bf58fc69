import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JWK } from 'jose';
import { Refusal } from '../../src/errors.ts';
import type { ProviderPlan } from '../../src/plan.ts';
import * as harnesses from './authenticator-harness.ts';
import type { Harness } from './authenticator-harness.ts';
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
} from './token-issuer.ts';

const key = await makeKey('ES256', 'k1');
const nextKey = await makeKey('ES256', 'k2');
const stranger = await makeKey('ES256', 'k1');
const plan = policyPlan([providerPlan([key.jwk])]);
const good = await sign(key);
const bad = await sign(stranger);

async function codeOf(harness: Harness, token: string): Promise<string> {
  const result = await harness.present(token);
  return result instanceof Refusal ? result.kind.code : 'accepted';
}

for (const forgetsHeads of [true, false]) {
  describe(forgetsHeads ? 'in heads that never came before' : 'in heads that come again', () => {
    checkAll((asked, options) => harnesses.createHarness(asked, { ...options, forgetsHeads }));
  });
}

function checkAll(createHarness: typeof harnesses.createHarness): void {
  describe('a token that was accepted before', () => {
    test('is answered at once and with the same principal, without a signature check', async () => {
      const harness = createHarness(plan);
      const first = await harness.present(good);
      const again = harness.authenticator.authenticate(bearer(good), nowMs);
      assert.ok(!(again instanceof Promise));
      assert.equal(again, first);
      assert.equal(harness.signatureChecks, 1);
      assert.equal(harness.authenticator.cache.accepted, 1);
    });

    test('costs one signature check when many bring it at once', async () => {
      const harness = createHarness(plan);
      const results = await Promise.all(Array.from({ length: 100 }, () => harness.present(good)));
      assert.ok(results.every((result) => !(result instanceof Refusal)));
      assert.equal(harness.signatureChecks, 1);
      assert.equal(harness.authenticator.inFlight, 0);
      assert.equal(harness.verdicts.filter((verdict) => verdict.includes('verified')).length, 1);
    });

    test('is refused from the moment it expires', async () => {
      const harness = createHarness(plan);
      await harness.present(good);
      const endMs = (goodClaims.exp + 60) * 1000;
      harness.nowMs = endMs - 1;
      assert.equal(await codeOf(harness, good), 'accepted');
      assert.equal(harness.signatureChecks, 1);
      harness.nowMs = endMs;
      assert.equal(await codeOf(harness, good), 'TOKEN_EXPIRED');
      assert.equal(harness.authenticator.cache.accepted, 0);
    });

    test('is refused when the clock is set back before its nbf', async () => {
      const harness = createHarness(plan);
      const token = await sign(key, { ...goodClaims, nbf: nowSeconds });
      assert.equal(await codeOf(harness, token), 'accepted');
      harness.nowMs = nowMs - 60_001;
      assert.equal(await codeOf(harness, token), 'TOKEN_NOT_YET_VALID');
      harness.nowMs = nowMs;
      assert.equal(await codeOf(harness, token), 'accepted');
    });

    test('is not accepted when it expires while its signature is checked', async () => {
      const harness: Harness = createHarness(plan, {
        verifySignature: () => {
          harness.nowMs = (goodClaims.exp + 60) * 1000;
          return Promise.resolve('valid');
        },
      });
      assert.equal(await codeOf(harness, good), 'TOKEN_EXPIRED');
    });

    test('does not vouch for a token that differs in one character', async () => {
      const harness = createHarness(plan);
      await harness.present(good);
      const other = good.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
      assert.notEqual(await codeOf(harness, other), 'accepted');
      assert.equal(await codeOf(harness, `${good} x`), 'TOKEN_SIGNATURE_INVALID');
    });

    test('does not lend its signature to another payload or header', async () => {
      const harness = createHarness(plan);
      await harness.present(good);
      const [header = '', payload = '', signature = ''] = good.split('.');
      const claims = base64url({ ...goodClaims, sub: 'root' });
      assert.equal(
        await codeOf(harness, `${header}.${claims}.${signature}`),
        'TOKEN_SIGNATURE_INVALID',
      );
      const other = base64url({ alg: 'ES256', kid: 'k1', typ: 'x' });
      assert.equal(
        await codeOf(harness, `${other}.${payload}.${signature}`),
        'TOKEN_SIGNATURE_INVALID',
      );
      assert.equal(await codeOf(harness, good), 'accepted');
      assert.equal(harness.signatureChecks, 3);
    });

    test('is told with the place where it stands now', async () => {
      const harness = createHarness(plan);
      await harness.present(good);
      const inQuery = await harness.authenticator.authenticate(
        { headers: [], query: `access_token=${good}` },
        nowMs,
      );
      assert.ok(!(inQuery instanceof Refusal));
      assert.deepEqual(inQuery.location, { in: 'query', name: 'access_token' });
      assert.equal(harness.signatureChecks, 1);
    });

    test('does not count where other providers look', async () => {
      const inHeader = { headers: [{ header: 'x-a', prefix: '' }], queryParams: [] };
      const a = providerPlan([key.jwk], { name: 'a', tokenSources: inHeader });
      const b = providerPlan([nextKey.jwk], { name: 'b' });
      const harness = createHarness(policyPlan([a, b]));
      const there = await harness.authenticator.authenticate(
        { headers: ['x-a', good], query: null },
        nowMs,
      );
      assert.ok(!(there instanceof Refusal));
      assert.equal(await codeOf(harness, good), 'TOKEN_KEY_UNKNOWN');
    });
  });

  describe('a token that was refused before', () => {
    test('costs no second signature check for ten seconds', async () => {
      const harness = createHarness(plan);
      for (let round = 0; round < 10; round += 1) {
        assert.equal(await codeOf(harness, bad), 'TOKEN_SIGNATURE_INVALID');
      }
      assert.equal(harness.signatureChecks, 1);
      harness.nowMs += 10_000;
      await harness.present(bad);
      assert.equal(harness.signatureChecks, 2);
    });

    test('costs one signature check when many bring it at once', async () => {
      const harness = createHarness(plan);
      await Promise.all(Array.from({ length: 100 }, () => harness.present(bad)));
      assert.equal(harness.signatureChecks, 1);
    });

    test('is accepted as soon as its nbf is reached', async () => {
      const harness = createHarness(plan);
      const token = await sign(key, { ...goodClaims, nbf: nowSeconds + 62 });
      assert.equal(await codeOf(harness, token), 'TOKEN_NOT_YET_VALID');
      harness.nowMs += 2_000;
      assert.equal(await codeOf(harness, token), 'accepted');
    });

    test('is judged again where a fault of ours was the reason', async () => {
      let outcome: 'overloaded' | 'failed' | 'valid' = 'overloaded';
      const harness = createHarness(plan, { verifySignature: () => Promise.resolve(outcome) });
      assert.equal(await codeOf(harness, good), 'VERIFICATION_OVERLOADED');
      outcome = 'failed';
      assert.equal(await codeOf(harness, good), 'VERIFICATION_FAILED');
      outcome = 'valid';
      assert.equal(await codeOf(harness, good), 'accepted');
    });
  });

  describe('when the keys change', () => {
    const remote: ProviderPlan['keys'] = {
      source: 'remote',
      url: 'http://issuer.test/jwks',
      target: { name: 't', host: 'issuer.test', port: 80, path: null, protocol: 'HTTP', tls: null },
      cacheDurationMs: 300_000,
      waitForFirstFetch: true,
    };
    const remotePlan = policyPlan([providerPlan([], { keys: remote })]);

    /** Each unknown kid makes the set fetch what `served` holds then. */
    async function rotating(served: { keys: JWK[] }): Promise<Harness> {
      const harness = createHarness(remotePlan, {
        fetch: () => Promise.resolve({ jwks: served.keys }),
        timing: { unknownKidCooldownMs: 1 },
      });
      await harness.authenticator.ready;
      return harness;
    }

    async function rotate(harness: Harness): Promise<void> {
      harness.nowMs += 2;
      await harness.present(forge({ alg: 'ES256', kid: `unknown-${harness.nowMs}` }));
    }

    test('a remembered token of a key that is gone is refused', async (t) => {
      const served = { keys: [key.jwk] };
      const harness = await rotating(served);
      t.after(() => harness.authenticator.close());
      assert.equal(await codeOf(harness, good), 'accepted');
      served.keys = [nextKey.jwk];
      await rotate(harness);
      assert.equal(await codeOf(harness, good), 'TOKEN_KEY_UNKNOWN');
      assert.equal(harness.authenticator.cache.accepted, 0);
    });

    test('a remembered token of a key with the same kid and other members is refused', async (t) => {
      const served = { keys: [key.jwk] };
      const harness = await rotating(served);
      t.after(() => harness.authenticator.close());
      assert.equal(await codeOf(harness, good), 'accepted');
      served.keys = [stranger.jwk];
      await rotate(harness);
      assert.equal(await codeOf(harness, good), 'TOKEN_SIGNATURE_INVALID');
      assert.equal(await codeOf(harness, bad), 'accepted');
    });

    test('a verdict that is remembered with the head of a request holds no longer', async (t) => {
      const served = { keys: [key.jwk] };
      const harness = await rotating(served);
      t.after(() => harness.authenticator.close());
      for (let count = 0; count < 3; count += 1) {
        assert.equal(await codeOf(harness, good), 'accepted');
      }
      served.keys = [nextKey.jwk];
      await rotate(harness);
      assert.equal(await codeOf(harness, good), 'TOKEN_KEY_UNKNOWN');
    });

    test('a remembered token of a key that stays costs no new signature check', async (t) => {
      const served = { keys: [key.jwk] };
      const harness = await rotating(served);
      t.after(() => harness.authenticator.close());
      await harness.present(good);
      served.keys = [nextKey.jwk, key.jwk];
      await rotate(harness);
      assert.equal(await codeOf(harness, good), 'accepted');
      assert.equal(harness.signatureChecks, 1);
    });

    test('a remembered refusal is forgotten', async (t) => {
      const served = { keys: [stranger.jwk] };
      const harness = await rotating(served);
      t.after(() => harness.authenticator.close());
      assert.equal(await codeOf(harness, good), 'TOKEN_SIGNATURE_INVALID');
      served.keys = [key.jwk];
      await rotate(harness);
      assert.equal(await codeOf(harness, good), 'accepted');
    });

    test('a key that disappears while it is used does not accept any more', async (t) => {
      const served = { keys: [key.jwk] };
      let duringCheck: () => Promise<void> = () => Promise.resolve();
      const harness = createHarness(remotePlan, {
        fetch: () => Promise.resolve({ jwks: served.keys }),
        timing: { unknownKidCooldownMs: 1 },
        verifySignature: async () => {
          await duringCheck();
          return 'valid';
        },
      });
      t.after(() => harness.authenticator.close());
      await harness.authenticator.ready;
      duringCheck = async () => {
        served.keys = [nextKey.jwk];
        duringCheck = () => Promise.resolve();
        await rotate(harness);
      };
      assert.equal(await codeOf(harness, good), 'TOKEN_KEY_UNKNOWN');
    });
  });

  describe('memory', () => {
    test('accepted tokens are bounded in number', async () => {
      const harness = createHarness(plan, { limits: { maxAccepted: 3 } });
      for (let index = 0; index < 10; index += 1) {
        await harness.present(await sign(key, { ...goodClaims, jti: `${index}` }));
      }
      assert.equal(harness.authenticator.cache.accepted, 3);
    });

    test('accepted tokens are bounded in octets', async () => {
      const harness = createHarness(plan, { limits: { maxAcceptedBytes: 40_000 } });
      for (let index = 0; index < 20; index += 1) {
        await harness.present(
          await sign(key, { ...goodClaims, jti: `${index}`, pad: 'x'.repeat(3000) }),
        );
      }
      const { accepted, acceptedBytes } = harness.authenticator.cache;
      assert.ok(accepted > 0 && accepted < 4, `${accepted} entries`);
      assert.ok(acceptedBytes <= 40_000);
    });

    test('refused tokens are bounded and do not drive out accepted ones', async () => {
      const harness = createHarness(plan, { limits: { maxRefused: 5 } });
      await harness.present(good);
      for (let index = 0; index < 50; index += 1) await harness.present(`garbage-${index}`);
      assert.equal(harness.authenticator.cache.refused, 5);
      assert.equal(harness.authenticator.cache.accepted, 1);
    });

    test('judgements under way are bounded', async () => {
      let finish: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (finish = resolve));
      const harness = createHarness(plan, {
        limits: { maxInFlight: 2 },
        verifySignature: async () => {
          await gate;
          return 'valid';
        },
      });
      const tokens = await Promise.all(
        [1, 2, 3].map((jti) => sign(key, { ...goodClaims, jti: `${jti}` })),
      );
      const outcomes = tokens.map((token) => codeOf(harness, token));
      assert.equal(await outcomes[2], 'VERIFICATION_OVERLOADED');
      finish();
      assert.deepEqual(await Promise.all(outcomes), [
        'accepted',
        'accepted',
        'VERIFICATION_OVERLOADED',
      ]);
    });
  });

  test('two policies do not share verdicts', async () => {
    const open = createHarness(plan);
    const narrow = createHarness(policyPlan([providerPlan([key.jwk], { audiences: ['other'] })]));
    assert.equal(await codeOf(open, good), 'accepted');
    assert.equal(await codeOf(narrow, good), 'TOKEN_AUDIENCE_MISMATCH');
  });

  test('how long a remembered token takes', async (t) => {
    const harness = createHarness(plan, { onVerdict: () => undefined });
    await harness.present(good);
    // Each request brings a string of its own, as the native server makes them.
    const requests = Array.from({ length: 20_000 }, () => ({
      headers: [
        'host',
        'h',
        'accept',
        '*/*',
        'authorization',
        Buffer.from(`Bearer ${good}`).toString('latin1'),
      ],
      query: null,
    }));
    const startedAtMs = performance.now();
    for (const request of requests) harness.authenticator.authenticate(request, nowMs);
    const eachNs = ((performance.now() - startedAtMs) * 1e6) / requests.length;
    t.diagnostic(`${eachNs.toFixed(0)} ns for a token of ${good.length} characters`);
  });
}
