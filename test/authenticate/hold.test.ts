import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasKey, type Hold } from '../../src/authenticate/hold.ts';
import { Refusal } from '../../src/errors.ts';
import type { AuthenticationPlan, ProviderPlan } from '../../src/plan.ts';
import { createHarness } from './authenticator-harness.ts';
import { makeKey, policyPlan, providerPlan, sign } from './token-issuer.ts';

const key = await makeKey('ES256', 'k1');
const sameName = await makeKey('ES256', 'k1');
const other = await makeKey('ES256', 'k2');
const token = await sign(key);
const plan = policyPlan([providerPlan([key.jwk])]);

async function accepted(under: AuthenticationPlan = plan): Promise<Hold> {
  const result = await createHarness(under).present(token);
  assert.ok(!(result instanceof Refusal) && result.principal !== null);
  return result.principal.findings.hold ?? assert.fail('nothing is known of the principal');
}

const changed = (
  changes: Partial<ProviderPlan>,
  keys = [key.jwk],
  mode: AuthenticationPlan['mode'] = 'RequireValid',
): AuthenticationPlan => ({ ...policyPlan([{ ...providerPlan(keys), ...changes }]), mode });

const elsewhere = { headers: [{ header: 'x-token', prefix: '' }], queryParams: [] };

describe('what was accepted before', () => {
  const rows: readonly [string, AuthenticationPlan, string | null][] = [
    ['is accepted by the same policy', plan, 'held'],
    ['by one with more keys', changed({}, [other.jwk, key.jwk]), 'held'],
    ['by one under another name', { ...plan, policy: 'default/other' }, 'held'],
    ['but not without its key', changed({}, [other.jwk]), 'key_removed'],
    ['nor with another key of its name', changed({}, [sameName.jwk]), 'key_removed'],
    [
      'nor with its key for another algorithm',
      changed({}, [{ ...key.jwk, alg: 'ES384' }]),
      'key_removed',
    ],
    ['nor with its key for encryption', changed({}, [{ ...key.jwk, use: 'enc' }]), 'key_removed'],
    ['nor for another issuer', changed({ issuer: 'https://new.test' }), 'provider_removed'],
    ['nor for another audience', changed({ audiences: ['new'] }), 'provider_removed'],
    ['nor where tokens stand elsewhere', changed({ tokenSources: elsewhere }), 'token_required'],
    ['even if a token is not asked for', changed({}, [other.jwk], 'AllowMissing'), 'key_removed'],
    [
      'is no concern of a policy that looks elsewhere',
      changed({ tokenSources: elsewhere }, [key.jwk], 'AllowMissing'),
      null,
    ],
    [
      'nor of one that lets bad tokens pass',
      changed({}, [other.jwk], 'AllowMissingOrFailed'),
      null,
    ],
  ];
  for (const [name, under, expected] of rows) {
    test(name, async () => {
      const verdict = createHarness(under).authenticator.reconsider([await accepted()]);
      const told = verdict !== null && typeof verdict === 'object' ? 'held' : verdict;
      assert.equal(told, expected);
    });
  }

  test('without a token is refused where one is asked for', () => {
    assert.equal(createHarness(plan).authenticator.reconsider([]), 'token_required');
    const optional = createHarness({ ...plan, mode: 'AllowMissing' }).authenticator;
    assert.equal(optional.reconsider([]), null);
  });
});

test('a key is looked for when its set has changed, and gone once it is not in it', async () => {
  const hold = await accepted();
  assert.ok(hasKey(hold));
  let has = true;
  const keySet = { ...hold.keySet, generation: 7, has: () => has };
  const moved: Hold = { ...hold, keySet };
  assert.ok(hasKey(moved));
  assert.equal(moved.generation, 7);
  has = false;
  assert.ok(hasKey(moved), 'the set has not changed since');
  assert.ok(!hasKey({ ...moved, generation: 6 }));
});

test('nothing of the token is kept', async () => {
  const { claims, location } = await accepted();
  assert.ok(!JSON.stringify([claims, location]).includes(token.slice(-20)));
});
