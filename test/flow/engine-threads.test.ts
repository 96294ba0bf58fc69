import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { processTree } from '../harness/memory.ts';
import { until } from '../harness/until.ts';

/** Threads of a worker of a gate that has started. */
async function threadsOfWorker(t: TestContext, nodeOptions: string): Promise<() => number> {
  const upstream = await startFakeUpstream(t);
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    options: ['--workers=1'],
    env: { NODE_OPTIONS: nodeOptions },
  });
  const [, worker] = processTree(gate.pid) ?? [];
  return () => readdirSync(`/proc/${worker ?? assert.fail('no worker')}/task`).length;
}

test(
  'a worker has one thread of the engine beside the event loop, or as many as NODE_OPTIONS say',
  { skip: processTree(process.pid) === null && 'this system has no /proc' },
  async (t) => {
    const own = await threadsOfWorker(t, '');
    const one = await threadsOfWorker(t, '--v8-pool-size=1');
    const four = await threadsOfWorker(t, '--v8-pool-size=4');
    await until('all threads', () => own() === one() && four() === one() + 3);
  },
);
