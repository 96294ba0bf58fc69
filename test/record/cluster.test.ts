import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { createPrimaryMetrics } from '../../src/record/primary-metrics.ts';

test('the primary adds up the metrics of real workers', async () => {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('./cluster-worker.ts', import.meta.url)),
    execArgv: ['--import', 'tsx'],
    args: [],
  });
  const metrics = createPrimaryMetrics({ version: '1' });
  const workers = [cluster.fork(), cluster.fork()];
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const { body } = await metrics.text();
    const where = 'gateway="g",listener="l",route="r",backend="b"';
    for (const line of [
      `postern_requests_total{${where},method="GET",status="200",reason=""} 4`,
      `postern_request_duration_seconds_bucket{le="+Inf",${where}} 4`,
      'postern_access_log_dropped_total 2',
      'postern_scrape_complete 1',
    ]) {
      const [name = '', value = ''] = line.split(/ (?=\d+$)/);
      const parts = name.replace('}', '').split(/[{,]/);
      const found = body
        .split('\n')
        .some((text) => text.endsWith(` ${value}`) && parts.every((part) => text.includes(part)));
      assert.ok(found, line);
    }
    assert.match(body, /^postern_worker_memory_bytes \d{8,}$/m);
    // No name may be described twice on one page.
    const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(names).size, names.length);
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
  }
});
