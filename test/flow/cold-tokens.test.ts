/** More new tokens than the threads can verify, in the real process. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp, type Answer } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';

const COLD = 200;

let issuer: TokenIssuer;
before(async () => {
  issuer = await createIssuer();
});

/** A gate with a single place to wait for the thread, and how it is asked. */
async function startShortQueue(scope: Scope): Promise<(token: string) => Promise<Answer>> {
  const upstream = await startFakeUpstream(scope);
  const gate = await startGate(scope, {
    upstreamPort: upstream.port,
    options: ['--verify-queue=1', '--overload-delay=0'],
    more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
  });
  return (token) => sendMcp(gate.port, ping, { token });
}

const coldTokens = () =>
  Promise.all(
    Array.from({ length: COLD }, (_, index) => issuer.sign({ sub: 'alice', jti: String(index) })),
  );

const statusesOf = (answers: readonly Answer[]) => new Set(answers.map(({ status }) => status));

test('while the queue is full new tokens are told to come again, and nothing else suffers', async (t) => {
  const ask = await startShortQueue(t);
  const tokens = await coldTokens();
  const known = await issuer.sign({ sub: 'alice' });
  assert.equal((await ask(known)).status, 200);

  const [cold, cached] = await Promise.all([
    Promise.all(tokens.map(ask)),
    Promise.all(Array.from({ length: 50 }, () => ask(known))),
  ]);
  assert.deepEqual(statusesOf(cached), new Set([200]));
  const refused = cold.filter(({ status }) => status === 503);
  assert.ok(refused.length > 0, 'the queue was never full');
  for (const { headers, text } of refused) {
    assert.equal(headers['retry-after'], '1');
    assert.equal(text, 'authentication is overloaded');
  }
  assert.deepEqual(statusesOf(cold), new Set([200, 503]));

  // Nothing is held against a token that nobody looked into.
  for (const [index, { status }] of cold.entries()) {
    if (status === 503) assert.equal((await ask(tokens[index] ?? '')).status, 200);
  }
});

test('while the queue is full nobody reads a new token, not even to see that it is none', async (t) => {
  const ask = await startShortQueue(t);
  const garbage = Array.from({ length: COLD }, (_, index) => `none.at-all.${index}`);
  const cold = await coldTokens();

  const answers = await Promise.all(
    garbage.map(async (token, index) => {
      // In turn with cold ones, which keep the queue full.
      const [, answer] = await Promise.all([ask(cold[index] ?? ''), ask(token)]);
      return { token, answer };
    }),
  );
  const unread = answers.filter(({ answer }) => answer.status === 503);
  assert.ok(unread.length > 0, 'all of them were read');
  for (const { answer } of unread) {
    assert.equal(answer.headers['retry-after'], '1');
    assert.equal(answer.text, 'authentication is overloaded');
  }
  assert.ok(answers.every(({ answer: { status } }) => status === 503 || status === 403));

  // With room it is read, and refused for what it is.
  for (const { token } of unread) assert.equal((await ask(token)).status, 403);
});
