import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainToken, renderTokenExplanation } from '../../src/authenticate/explain-token.ts';
import { aliceToken, bobToken, guideJwks } from '../fixtures/guide-tokens.ts';
import {
  forge,
  goodClaims,
  makeKey,
  nowMs,
  nowSeconds,
  policyPlan,
  providerPlan,
  sign,
} from './token-issuer.ts';

const guide = policyPlan([providerPlan(guideJwks.keys, { name: 'selfminted', issuer: 'solo.io' })]);
const remote = policyPlan([
  providerPlan([], {
    name: 'idp',
    issuer: 'solo.io',
    keys: {
      source: 'remote',
      url: 'https://idp.test/jwks',
      target: { name: 't', host: 'idp.test', port: 443, path: null, protocol: 'HTTP', tls: null },
      cacheDurationMs: 1,
      waitForFirstFetch: true,
    },
  }),
]);

async function textOf(token: string, plans = [guide]): Promise<string> {
  return renderTokenExplanation(await explainToken(token, plans, nowMs));
}

describe('postern token', () => {
  test('tells who accepts the token of Alice, and its claims', async () => {
    const explanation = await explainToken(` Bearer ${aliceToken}\n`, [guide], nowMs);
    assert.equal(explanation.accepted, true);
    assert.equal(explanation.claims?.sub, 'alice');
    assert.equal(
      renderTokenExplanation(explanation),
      `alg: RS256
kid: "solo-public-key-001"
claims: {
  "iss": "solo.io",
  "org": "solo.io",
  "sub": "alice",
  "team": "dev",
  "exp": 2074274884,
  "llms": {
    "openai": [
      "gpt-3.5-turbo"
    ]
  }
}
GlooTrafficPolicy/ns/jwt (RequireValid)
  provider selfminted: accepted
`,
    );
  });

  test('tells each provider why not', async () => {
    const [stranger, narrow] = [
      providerPlan([], { name: 'other', issuer: 'x' }),
      providerPlan(guideJwks.keys, { audiences: ['a'] }),
    ];
    const text = await textOf(bobToken, [guide, policyPlan([stranger, narrow])]);
    assert.match(
      text,
      /provider other: refused: .*Error\(InvalidIssuer\) \[TOKEN_ISSUER_MISMATCH\]/,
    );
    assert.match(
      text,
      /provider main: refused: .*Error\(InvalidAudience\) \[TOKEN_AUDIENCE_MISMATCH\]/,
    );
    assert.match(text, /provider selfminted: accepted/);
  });

  test('says that claims are not verified where nobody accepts', async () => {
    const key = await makeKey('ES256', 'solo-public-key-001');
    const text = await textOf(await sign(key, { ...goodClaims, iss: 'solo.io' }));
    assert.match(text, /claims \(not verified\)/);
    assert.match(text, /TOKEN_ALGORITHM_REFUSED/);
  });

  test('says that remote keys are not fetched', async () => {
    const explanation = await explainToken(aliceToken, [remote], nowMs);
    assert.equal(explanation.accepted, false);
    assert.equal(explanation.policies[0]?.providers[0]?.verdict, 'unknown');
    assert.match(
      await textOf(aliceToken, [remote]),
      /provider idp: unknown: the signature was not checked .*https:\/\/idp\.test\/jwks are not fetched offline/,
    );
  });

  test('still refuses what needs no key', async () => {
    assert.match(
      await textOf(forge({ alg: 'RS256', kid: 'k' }, { iss: 'solo.io', exp: nowSeconds - 999 }), [
        remote,
      ]),
      /provider idp: refused: .*TOKEN_EXPIRED/,
    );
  });

  test('says why a token can not be read', async () => {
    assert.equal(
      await textOf('abcdefg'),
      'refused: authentication failure: the token header is malformed: Error(InvalidToken) [TOKEN_MALFORMED] (not three parts)\n',
    );
  });

  test('refuses a token that the gate would find too large', async () => {
    assert.match(await textOf('x'.repeat(17_000)), /^refused: .*TOKEN_TOO_LARGE/);
  });

  test('says that no policy is there', async () => {
    assert.match(await textOf(aliceToken, []), /no authentication policy is configured/);
  });

  test('never prints the signature or what a terminal would obey', async () => {
    const key = await makeKey('ES256', '\u001b[2J\u009b\nprovider main: accepted');
    const token = await sign(key, { ...goodClaims, sub: '\u001b]0;x\u0007\u202e\u009b' });
    const text = await textOf(token, [policyPlan([providerPlan([key.jwk])])]);
    assert.match(text, /^[\n\x20-\x7e]*$/);
    assert.ok(!text.includes(token.split('.')[2] ?? ''));
    assert.ok(!(await textOf(aliceToken)).includes(aliceToken.split('.')[2] ?? ''));
  });
});
