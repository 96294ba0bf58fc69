/** The threads that check signatures are lost in the midst of new tokens: what that may cost, and what not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { processTree } from '../harness/memory.ts';
import { glooJwt, glooPolicy, localJwks } from '../harness/resources.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { sleep } from '../harness/until.ts';

const skip = processTree(process.pid) === null && 'this system has no /proc';
const ROUNDS = 5;

test(
  'lost verification threads cost no process, no known token, and are replaced',
  { skip },
  async (t) => {
    const upstream = await startFakeUpstream(t);
    const issuer = await createIssuer();
    const known = await issuer.sign({ sub: 'known' });
    const fresh = await Promise.all(
      Array.from({ length: ROUNDS * 20 }, (_, index) => issuer.sign({ sub: `new ${index}` })),
    );
    const last = await Promise.all([1, 2, 3].map((index) => issuer.sign({ sub: `last ${index}` })));
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
      options: ['--verify-threads=1'],
      env: {
        NODE_OPTIONS: `--import=${new URL('../harness/kill-threads.mjs', import.meta.url).href}`,
      },
    });
    const ask = async (token: string) => sendMcp(gate.port, ping, { token });
    assert.equal((await ask(known)).status, 200);

    const before = processTree(gate.pid) ?? [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const cold = fresh.slice(round * 20, (round + 1) * 20).map(ask);
      // Sooner and later: before the batch is with the thread, and while it is.
      await sleep(round);
      for (const pid of before) process.kill(pid, 'SIGUSR2');
      const cached = await Promise.all(Array.from({ length: 10 }, () => ask(known)));
      assert.ok(
        cached.every(({ status }) => status === 200),
        'a token that is known needs no thread',
      );
      for (const { status } of await Promise.all(cold)) assert.equal(status, 200);
    }
    for (const token of last) assert.equal((await ask(token)).status, 200);
    assert.deepEqual(processTree(gate.pid), before, 'no process ended');
    await gate.stop();
  },
);
