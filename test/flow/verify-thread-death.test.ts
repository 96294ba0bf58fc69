/** A thread that checks signatures dies in the middle of traffic, in a gate that knows nothing of this test. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { processTree } from '../harness/memory.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';

const preload = new URL('./faults/dying-thread.mjs', import.meta.url).href;
const skip = processTree(process.pid) === null && 'this system has no /proc';
const BOUND_MS = 90_000;

let issuer: TokenIssuer;
let serial = 0;
before(async () => {
  issuer = await createIssuer();
});

/** A token that nobody has seen, so that a thread must check it. */
const coldToken = (claims: Readonly<Record<string, unknown>> = {}) =>
  issuer.sign({ sub: 'alice', jti: String((serial += 1)), ...claims });

const coldTokens = (count: number) => Promise.all(Array.from({ length: count }, () => coldToken()));

async function startFragileGate(scope: Scope, threads: number): Promise<Gate> {
  const upstream = await startFakeUpstream(scope);
  return startGate(scope, {
    upstreamPort: upstream.port,
    options: [`--verify-threads=${threads}`],
    env: { NODE_OPTIONS: `--import=${preload}` },
    more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
  });
}

const ask = (gate: Gate, token: string) => sendMcp(gate.port, ping, { token });

/** The same processes afterwards as before. */
async function noProcessEnds(gate: Gate, run: () => Promise<void>): Promise<void> {
  const processes = processTree(gate.pid);
  await run();
  assert.deepEqual(processTree(gate.pid), processes);
  assert.equal(gate.hasEnded(), false);
}

describe('a verification thread that dies among cold tokens', { skip }, () => {
  for (const { thread, threads } of [
    { thread: 'exits', threads: 1 },
    { thread: 'throws', threads: 1 },
    { thread: 'exits', threads: 2 },
  ]) {
    test(
      `takes none of them with it but the token it dies of (it ${thread}, ${threads} of them)`,
      { timeout: BOUND_MS },
      async (t) => {
        const gate = await startFragileGate(t, threads);
        const known = await coldToken();
        assert.equal((await ask(gate, known)).status, 200);
        const cold = await coldTokens(60);
        cold.splice(30, 0, await coldToken({ thread }));

        await noProcessEnds(gate, async () => {
          const [answers, cached] = await Promise.all([
            Promise.all(cold.map((token) => ask(gate, token))),
            Promise.all(Array.from({ length: 40 }, () => ask(gate, known))),
          ]);
          const refused = answers.splice(30, 1)[0];
          assert.equal(refused?.status, 503);
          assert.equal(refused.headers['retry-after'], '1');
          assert.equal(refused.text, 'authentication is not available');
          assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
          assert.deepEqual(new Set(cached.map(({ status }) => status)), new Set([200]));
          await gate.waitForProcessLine(/a verification thread failed: /);

          for (const token of await coldTokens(20)) {
            assert.equal((await ask(gate, token)).status, 200);
          }
        });
        await gate.stop();
      },
    );
  }

  test(
    'is replaced each time, and a token that it died of by chance is verified',
    { timeout: BOUND_MS },
    async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'postern-thread-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const gate = await startFragileGate(t, 1);
      await noProcessEnds(gate, async () => {
        for (let round = 0; round < 5; round += 1) {
          const once = join(folder, String(round));
          const answer = await ask(gate, await coldToken({ thread: 'exits', once }));
          assert.equal(answer.status, 200);
        }
        for (let round = 0; round < 5; round += 1) {
          assert.equal((await ask(gate, await coldToken({ thread: 'throws' }))).status, 503);
        }
        assert.equal((await ask(gate, await coldToken())).status, 200);
      });
      await gate.stop();
    },
  );
});
