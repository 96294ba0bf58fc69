/** More new tokens than the threads can verify, in the real process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp, type Answer } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const COLD = 200;

test('while the queue is full new tokens are told to come again, and nothing else suffers', async (t) => {
  const issuer = await createIssuer();
  const upstream = await startFakeUpstream(t);
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    options: ['--verify-queue=1', '--overload-delay=0'],
    more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
  });
  const tokens = await Promise.all(
    Array.from({ length: COLD }, (_, index) => issuer.sign({ sub: 'alice', jti: String(index) })),
  );
  const known = await issuer.sign({ sub: 'alice' });
  const ask = (token: string): Promise<Answer> => sendMcp(gate.port, ping, { token });
  assert.equal((await ask(known)).status, 200);

  const [cold, cached] = await Promise.all([
    Promise.all(tokens.map(ask)),
    Promise.all(Array.from({ length: 50 }, () => ask(known))),
  ]);
  assert.deepEqual(new Set(cached.map(({ status }) => status)), new Set([200]));
  const refused = cold.filter(({ status }) => status === 503);
  assert.ok(refused.length > 0, 'the queue was never full');
  for (const { headers, text } of refused) {
    assert.equal(headers['retry-after'], '1');
    assert.equal(text, 'authentication is overloaded');
  }
  assert.deepEqual(new Set(cold.map(({ status }) => status)), new Set([200, 503]));

  // Nothing is held against a token that nobody looked into.
  for (const [index, { status }] of cold.entries()) {
    if (status === 503) assert.equal((await ask(tokens[index] ?? '')).status, 200);
  }
});
