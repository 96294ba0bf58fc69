import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { RemoteKeySetTiming } from '../../src/authenticate/remote-key-set.ts';
import { Refusal } from '../../src/errors.ts';
import type { RemoteKeysPlan } from '../../src/plan.ts';
import { createHarness } from './authenticator-harness.ts';
import { fastRetry, fetchKeySet, startKeyEndpoint } from './key-endpoint.ts';
import { forge, goodClaims, makeKey, policyPlan, providerPlan, sign } from './token-issuer.ts';

const oldKey = await makeKey('ES256', 'old');
const newKey = await makeKey('ES256', 'new');

describe('a policy with a remote key set', async () => {
  const goodOld = await sign(oldKey);
  const goodNew = await sign(newKey);

  function start(
    t: TestContext,
    plan: RemoteKeysPlan,
    timing: Partial<RemoteKeySetTiming> = {},
  ): ReturnType<typeof createHarness> {
    const harness = createHarness(policyPlan([providerPlan([], { keys: plan })]), {
      fetch: fetchKeySet,
      timing,
    });
    t.after(() => harness.authenticator.close());
    return harness;
  }

  async function codeOf(harness: ReturnType<typeof createHarness>, token: string): Promise<string> {
    const result = await harness.present(token);
    return result instanceof Refusal ? result.kind.code : 'accepted';
  }

  test('lets the first token wait for the first fetch', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    assert.equal(await codeOf(harness, goodOld), 'accepted');
  });

  test('answers 503 while there are no keys, and goes on once there are', async (t) => {
    const endpoint = await startKeyEndpoint(t);
    endpoint.answer = (response) => void response.writeHead(500).end();
    const harness = start(t, endpoint.plan, { ...fastRetry, firstRetryMs: 50 });
    const result = await harness.present(goodOld);
    assert.ok(result instanceof Refusal);
    assert.equal(result.kind.code, 'KEYS_UNAVAILABLE');
    assert.equal(result.status, 503);
    endpoint.publish(oldKey.jwk);
    await harness.authenticator.ready;
    assert.equal(await codeOf(harness, goodOld), 'accepted');
  });

  test('does not wait longer than a fetch may take', async (t) => {
    const endpoint = await startKeyEndpoint(t);
    endpoint.answer = () => undefined;
    const harness = start(t, endpoint.plan, {
      fetchTimeoutMs: 50,
      firstRetryMs: 60_000,
      maxRetryMs: 60_000,
    });
    assert.equal(await codeOf(harness, goodOld), 'KEYS_UNAVAILABLE');
  });

  test('takes a new key up with the first token that names it', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    assert.equal(await codeOf(harness, goodOld), 'accepted');
    endpoint.publish(oldKey.jwk, newKey.jwk);
    const results = await Promise.all(Array.from({ length: 50 }, () => codeOf(harness, goodNew)));
    assert.deepEqual(new Set(results), new Set(['accepted']));
    assert.equal(endpoint.requests.length, 2);
    assert.equal(await codeOf(harness, goodOld), 'accepted');
  });

  test('asks again when a fetch under way did not have the new key yet', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    endpoint.answer = (response) => {
      endpoint.publish(oldKey.jwk, newKey.jwk);
      setTimeout(() => response.end(JSON.stringify({ keys: [oldKey.jwk] })), 50);
    };
    const harness = start(t, endpoint.plan);
    assert.equal(await codeOf(harness, goodNew), 'accepted');
    assert.equal(endpoint.requests.length, 2);
  });

  test('asks once in a cooldown however many unknown keys come', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    await harness.authenticator.ready;
    const strangers = (from: number): Promise<string>[] =>
      Array.from({ length: 100 }, (_, index) =>
        codeOf(harness, forge({ alg: 'ES256', kid: `k${from + index}` })),
      );
    assert.deepEqual(new Set(await Promise.all(strangers(0))), new Set(['TOKEN_KEY_UNKNOWN']));
    assert.equal(endpoint.requests.length, 2);
    harness.nowMs += 29_999;
    await Promise.all(strangers(100));
    assert.equal(endpoint.requests.length, 2);
    harness.nowMs += 1;
    await Promise.all(strangers(200));
    assert.equal(endpoint.requests.length, 3);
    assert.equal(harness.signatureChecks, 0);
  });

  test('asks nobody for a token that is refused anyway', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    await harness.authenticator.ready;
    await harness.present(forge({ alg: 'none', kid: 'x' }));
    await harness.present(forge({ alg: 'HS256', kid: 'x' }));
    await harness.present(forge({ alg: 'ES256', kid: 'x' }, { ...goodClaims, exp: 1 }));
    await harness.present(forge({ alg: 'ES256' }));
    assert.equal(endpoint.requests.length, 1);
  });

  test('a provider that has the key answers before one whose endpoint hangs', async (t) => {
    const endpoint = await startKeyEndpoint(t);
    endpoint.answer = () => undefined;
    const hanging = providerPlan([], { name: 'hanging', keys: endpoint.plan });
    const policy = policyPlan([hanging, providerPlan([oldKey.jwk], { name: 'local' })]);
    const harness = createHarness(policy, { fetch: fetchKeySet, timing: { fetchTimeoutMs: 5000 } });
    t.after(() => harness.authenticator.close());
    const startedAtMs = performance.now();
    const result = await harness.present(goodOld);
    assert.ok(!(result instanceof Refusal));
    assert.ok(performance.now() - startedAtMs < 4000);
    assert.equal(await codeOf(harness, goodNew), 'KEYS_UNAVAILABLE');
  });
});
