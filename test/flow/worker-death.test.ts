import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { processTree } from '../harness/memory.ts';
import { until } from '../harness/until.ts';

for (const workers of [1, 2]) {
  test(
    `a worker that is killed is replaced (${workers} workers)`,
    { skip: processTree(process.pid) === null && 'this system has no /proc' },
    async (t) => {
      const upstream = await startFakeUpstream(t);
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        options: [`--workers=${workers}`],
      });
      const workerPids = () => (processTree(gate.pid) ?? []).slice(1);
      const before = workerPids();
      assert.equal(before.length, workers);

      process.kill(before[0]!, 'SIGKILL');
      await until('a new worker', () => {
        const now = workerPids();
        return now.length === workers && !now.includes(before[0]!);
      });
      await until('readiness', async () => (await gate.admin('/healthz/ready')).status === 200);
      for (let count = 0; count < 20; count += 1) {
        assert.equal((await sendMcp(gate.port, ping)).status, 200);
      }
      await gate.stop();
      for (const pid of before) assert.throws(() => process.kill(pid, 0));
    },
  );
}

test(
  'while one worker is dead the others serve every request',
  { skip: processTree(process.pid) === null && 'this system has no /proc' },
  async (t) => {
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, { upstreamPort: upstream.port, options: ['--workers=2'] });
    const [, victim] = processTree(gate.pid) ?? [];
    process.kill(victim!, 'SIGKILL');
    await until('the death to be noticed', () => !(processTree(gate.pid) ?? []).includes(victim!));
    for (let count = 0; count < 20; count += 1) {
      assert.equal((await sendMcp(gate.port, ping)).status, 200);
    }
    await gate.waitForProcessLine(/worker/i);
  },
);
