import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySetId } from '../../src/authenticate/key-set-store.ts';
import type { AuthenticationPlan, Plan, RemoteKeysPlan } from '../../src/plan.ts';
import { createFetchedKeySets } from '../../src/workers/fetched-key-sets.ts';
import { policyPlan, providerPlan } from '../authenticate/token-issuer.ts';

const keysAt = (url: string): RemoteKeysPlan => ({
  ...{ source: 'remote', url, cacheDurationMs: 1000, waitForFirstFetch: true },
  target: { name: 't', host: '127.0.0.1', port: 1, path: null, protocol: 'HTTP', tls: null },
});

function policyOf(...urls: readonly string[]): AuthenticationPlan {
  return policyPlan([
    providerPlan([]),
    ...urls.map((url) => ({ ...providerPlan([]), keys: keysAt(url) })),
  ]);
}

function planOf(...authentications: readonly AuthenticationPlan[]): Plan {
  return {
    ...{ generation: 1, ports: [], authentications, authorizations: [] },
    ...{ backends: [], localRateLimits: [], globalRateLimits: [] },
  };
}

const fetchedOf = (url: string, kid: string) => ({
  ...{ id: keySetId(keysAt(url)), jwks: [{ kid }], fetchedAtMs: 1 },
});

test('the newest of each set is kept, as long as the plan uses it', () => {
  const fetched = createFetchedKeySets();
  const [a, b] = ['http://a.test/', 'http://b.test/'];
  fetched.add(fetchedOf(a, 'first'));
  fetched.add(fetchedOf(b, 'other'));
  fetched.add(fetchedOf(a, 'second'));
  fetched.keepOnly(planOf(policyOf(a), policyOf(b)));
  assert.deepEqual(fetched.all(), [fetchedOf(a, 'second'), fetchedOf(b, 'other')]);
  fetched.keepOnly(planOf(policyOf(b)));
  assert.deepEqual(fetched.all(), [fetchedOf(b, 'other')]);
  fetched.keepOnly(planOf());
  assert.deepEqual(fetched.all(), []);
});
