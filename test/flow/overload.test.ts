import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, sendMcp, type Answer } from '../harness/http-client.ts';
import { processTree } from '../harness/memory.ts';
import { metricValue } from '../harness/metric-value.ts';
import {
  GATEWAY_GROUP,
  glooJwt,
  glooPolicy,
  localJwks,
  route,
  type Resource,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { sleep, until } from '../harness/until.ts';

const skip = processTree(process.pid) === null ? 'there is no /proc to find the worker by' : false;

/** The one worker of a gate. */
function workerOf(gate: Gate): number {
  const [, worker] = processTree(gate.pid) ?? [];
  assert(worker !== undefined);
  return worker;
}

/** Stops the worker for a while, as a machine without CPU does. */
async function stall(gate: Gate, forMs: number): Promise<void> {
  const worker = workerOf(gate);
  process.kill(worker, 'SIGSTOP');
  try {
    await sleep(forMs);
  } finally {
    process.kill(worker, 'SIGCONT');
  }
}

test('a stalled worker refuses with Retry-After and recovers by itself', { skip }, async () => {
  const upstream = await startFakeUpstream(fileScope);
  const issuer = await createIssuer();
  const gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    options: ['--overload-delay=200ms'],
    more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
  });
  const token = await issuer.sign({ sub: 'alice' });
  await until('the gate to serve', async () => {
    return (await sendMcp(gate.port, ping, { token })).status === 200;
  });

  const stalled = stall(gate, 2500);
  await sleep(500);
  const waiting = Array.from({ length: 20 }, () => sendMcp(gate.port, ping, { token }));
  await stalled;
  const answers = await Promise.all(waiting);
  const refused = answers.filter(({ status }) => status === 503);
  assert(refused.length >= 10, `${refused.length} of ${answers.length}`);
  for (const { headers, text } of refused) {
    assert.equal(headers['retry-after'], '1');
    assert.equal(text, 'overloaded');
  }
  await gate.waitForAccessLine(/http\.status=503 .*error=overloaded .*reason=Overload detail=any/);

  await until(
    'the gate to serve again',
    async () => (await sendMcp(gate.port, ping, { token })).status === 200,
    30_000,
  );
  await until(
    'level 0',
    async () => metricValue(await gate.metrics(), 'postern_overload_level') === 0,
    30_000,
  );
  const page = await gate.metrics();
  assert(metricValue(page, 'postern_overload_refusals_total', { class: 'any' }) >= 10);
  assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
});

test(
  'while it recovers, known tokens are served before new ones, and those before nobody',
  { skip },
  async () => {
    const upstream = await startFakeUpstream(fileScope);
    const issuer = await createIssuer();
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--overload-delay=200ms'],
      more: [
        glooPolicy({
          glooJWT: {
            beforeExtAuth: {
              validationPolicy: 'AllowMissing',
              providers: { test: { issuer: issuer.issuer, ...localJwks(issuer.jwk) } },
            },
          },
        }),
      ],
    });
    const known = await issuer.sign({ sub: 'alice' });
    const cold = await Promise.all(
      Array.from({ length: 400 }, (_, index) => issuer.sign({ sub: `cold-${index}` })),
    );
    await until('the gate to serve', async () => {
      return (await sendMcp(gate.port, ping, { token: known })).status === 200;
    });
    await stall(gate, 2500);

    /** In the order of answers: which of the three were served, round by round. */
    const rounds: string[] = [];
    await until(
      'all three to be served',
      async () => {
        const ask = (token?: string): Promise<Answer> =>
          sendMcp(gate.port, ping, token === undefined ? {} : { token });
        const fresh = cold.pop();
        assert(fresh !== undefined);
        const round = await Promise.all([ask(known), ask(fresh), ask()]);
        rounds.push(round.map(({ status }) => (status === 200 ? '1' : '0')).join(''));
        return rounds.at(-1) === '111';
      },
      30_000,
    );
    const page = await gate.metrics();
    for (const name of ['any', 'cold-token', 'anonymous']) {
      const count = metricValue(page, 'postern_overload_refusals_total', { class: name });
      assert(count > 0, `${name}: ${count}; ${rounds.join(' ')}`);
    }
    assert(
      rounds.some((round) => round.startsWith('1') && round !== '111'),
      rounds.join(' '),
    );
  },
);

test('with --overload-delay=0 nobody is refused', { skip }, async () => {
  const upstream = await startFakeUpstream(fileScope);
  const gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    options: ['--overload-delay=0'],
  });
  const stalled = stall(gate, 2000);
  const waiting = Array.from({ length: 10 }, () => sendMcp(gate.port, ping));
  await stalled;
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
});

test(
  'a route without authentication is served while nobody is on one with it',
  { skip },
  async () => {
    const upstream = await startFakeUpstream(fileScope);
    const issuer = await createIssuer();
    const jwt = glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) });
    const { glooJWT } = jwt as { glooJWT: { beforeExtAuth: Resource } };
    const gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--overload-delay=200ms'],
      more: [
        route({ name: 'open', prefix: '/open' }),
        glooPolicy(
          {
            glooJWT: {
              beforeExtAuth: { validationPolicy: 'AllowMissing', ...glooJWT.beforeExtAuth },
            },
          },
          { target: { group: GATEWAY_GROUP, kind: 'HTTPRoute', name: 'mcp' } },
        ),
      ],
    });
    const ask = async (path: string) => (await sendMcp(gate.port, ping, { path })).status;
    assert.deepEqual([await ask('/open'), await ask('/mcp')], [200, 200]);
    await stall(gate, 2500);
    const rounds: string[] = [];
    await until(
      'both to be served',
      async () => {
        const [open, anonymous] = await Promise.all([ask('/open'), ask('/mcp')]);
        rounds.push(`${open} ${anonymous}`);
        return rounds.at(-1) === '200 200';
      },
      30_000,
    );
    assert.ok(rounds.includes('200 503'), rounds.join(', '));
    const page = await gate.metrics();
    assert.ok(metricValue(page, 'postern_overload_refusals_total', { class: 'anonymous' }) > 0);
  },
);
