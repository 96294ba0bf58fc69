import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authenticateRequest } from '../../src/authenticate/authenticate-request.ts';
import type { Authenticator } from '../../src/authenticate/authenticator.ts';
import { Refusal } from '../../src/errors.ts';
import { PASS } from '../../src/verdict.ts';
import { exchangeOf, headOf, ruleRuntimeOf } from '../route/plans.ts';
import { createHarness, type Harness } from './authenticator-harness.ts';
import { goodClaims, makeKey, policyPlan, providerPlan, sign } from './token-issuer.ts';

const key = await makeKey('ES256', 'key');
const good = await sign(key);
const other = await sign(key, { ...goodClaims, sub: 'bob' });
const stranger = await sign(await makeKey('ES256', 'key'));

/** A policy that looks for its token in one field. */
const policyOf = (header: string): Harness => {
  const provider = providerPlan([key.jwk]);
  const tokenSources = { headers: [{ header, prefix: '' }], queryParams: [] };
  return createHarness(policyPlan([{ ...provider, tokenSources }]));
};

function requestOf(authenticators: readonly Authenticator[], headers: Record<string, string>) {
  const { exchange } = exchangeOf(headOf({ headers }));
  exchange.rule = ruleRuntimeOf('x', { authenticators });
  return exchange;
}

describe('a rule with two authentication policies', () => {
  for (const state of ['new', 'known'] as const) {
    const isNew = state === 'new';
    const start = async () => {
      const policies = [policyOf('x-first'), policyOf('x-second')] as const;
      const authenticators = policies.map(({ authenticator }) => authenticator);
      // Each token was seen before, by a request of its own for each of the policies.
      const ask = (first: string, second: string) => {
        const exchange = requestOf(authenticators, { 'x-first': first, 'x-second': second });
        return { exchange, verdict: authenticateRequest(exchange) };
      };
      if (!isNew) await ask(good, other).verdict;
      return { policies, ask };
    };

    test(`asks both, with a ${state} token for the first`, async () => {
      const { ask } = await start();
      const { exchange, verdict } = ask(good, other);
      assert.equal(verdict instanceof Promise, isNew);
      assert.equal(await verdict, PASS);
      assert.equal(exchange.principal?.subject, 'bob');
      assert.deepEqual(
        exchange.earlierPrincipals.map(({ subject }) => subject),
        ['alice'],
      );
      assert.deepEqual(
        exchange.tokensToRemove.map(({ name }) => name),
        ['x-first', 'x-second'],
      );
    });

    test(`lets nobody pass whom the second refuses, with a ${state} token for the first`, async () => {
      const { ask } = await start();
      for (const [second, code] of [
        [stranger, 'TOKEN_SIGNATURE_INVALID'],
        ['', 'TOKEN_MISSING'],
        ['garbage', 'TOKEN_MALFORMED'],
      ] as const) {
        const verdict = await ask(good, second).verdict;
        assert.ok(verdict instanceof Refusal);
        assert.equal(verdict.kind.code, code);
      }
    });

    test(`does not ask the second where the first refuses a token, with others ${state}`, async () => {
      const { policies, ask } = await start();
      const before = policies[1].verdicts.length;
      const verdict = await ask(stranger, other).verdict;
      assert.ok(verdict instanceof Refusal);
      assert.equal(verdict.kind.code, 'TOKEN_SIGNATURE_INVALID');
      assert.equal(policies[1].verdicts.length, before);
    });
  }
});
