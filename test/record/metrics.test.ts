import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../src/record/metrics.ts';
import { createPrimaryMetrics } from '../../src/record/primary-metrics.ts';

const labels = {
  gateway: 'default/gw',
  listener: 'http',
  route: 'default/mcp',
  backend: 'default/b',
};
const where = 'gateway="default/gw",listener="http",route="default/mcp",backend="default/b"';
const accessLog = { dropped: 7, failures: 2 };

test('requests are counted by name, method, status and reason', async () => {
  const metrics = createMetrics({ accessLog });
  const series = metrics.requests.series(labels);
  series.observe('POST', 200, null, 3, 2);
  series.observe('POST', 200, null, 3000, 2);
  series.observe('GET', 403, 'JwtAuth', 0.1, null);
  const text = await metrics.text();
  for (const line of [
    `postern_requests_total{${where},method="POST",status="200",reason=""} 2`,
    `postern_requests_total{${where},method="GET",status="403",reason="JwtAuth"} 1`,
    `postern_request_duration_seconds_bucket{le="0.0005",${where}} 1`,
    `postern_request_duration_seconds_bucket{le="0.005",${where}} 2`,
    `postern_request_duration_seconds_bucket{le="+Inf",${where}} 3`,
    `postern_request_duration_seconds_count{${where}} 3`,
    `postern_upstream_duration_seconds_count{${where}} 2`,
    'postern_access_log_dropped_total 7',
    'postern_access_log_write_failures_total 2',
    'postern_open_requests 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(text, /^# TYPE postern_request_duration_seconds histogram$/m);
  assert.match(text, /^postern_request_duration_seconds_sum\{[^}]*\} 3\.0031\d*$/m);
});

test('methods and statuses that nobody knows share one series', async () => {
  const metrics = createMetrics({ accessLog });
  const series = metrics.requests.series(labels);
  for (let index = 0; index < 500; index += 1) series.observe(`M${index}"\n`, 200, null, 1, null);
  series.observe('__proto__', 200, null, 1, null);
  series.observe('GET', 70_000, null, 1, null);
  series.observe('GET', Number.NaN, null, Number.NaN, null);
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('postern_requests_total'));
  assert.deepEqual(lines, [
    `postern_requests_total{${where},method="other",status="200",reason=""} 501`,
    `postern_requests_total{${where},method="GET",status="other",reason=""} 2`,
  ]);
});

test('the number of series is bounded', async () => {
  const metrics = createMetrics({ accessLog });
  for (let index = 0; index < 12_000; index += 1) {
    metrics.requests
      .series({ ...labels, route: `default/r${index}` })
      .observe('GET', 200, null, 1, 1);
  }
  const text = await metrics.text();
  const count = text.split('\n').filter((line) => line.startsWith('postern_requests_total')).length;
  assert.ok(count <= 10_001, `${count}`);
  assert.match(text, /^postern_requests_total\{gateway="other",.*\} 2\d\d\d$/m);
});

test('the same labels give the same series after a reload', () => {
  const { requests } = createMetrics({ accessLog });
  assert.equal(requests.series(labels), requests.series({ ...labels }));
});

test('tokens are counted by policy, provider, outcome and code', async () => {
  const metrics = createMetrics({ accessLog });
  const { countToken } = metrics;
  countToken('default/jwt', 'p', 'verified', null);
  countToken('default/jwt', 'p', 'cached', null);
  countToken('default/jwt', 'p', 'cached', null);
  countToken('default/jwt', null, 'refused', 'TOKEN_MISSING');
  const page = await metrics.text();
  for (const line of [
    'postern_tokens_total{policy="default/jwt",provider="p",outcome="verified",reason=""} 1',
    'postern_tokens_total{policy="default/jwt",provider="p",outcome="cached",reason=""} 2',
    'postern_tokens_total{policy="default/jwt",provider="",outcome="refused",reason="TOKEN_MISSING"} 1',
    'postern_token_cache_hits_total{policy="default/jwt"} 2',
    'postern_token_cache_misses_total{policy="default/jwt"} 1',
  ]) {
    assert.ok(page.includes(`${line}\n`), line);
  }
});

test('gauges are read at the scrape', async () => {
  const metrics = createMetrics({ accessLog });
  let open = 1;
  metrics.observe({
    openRequests: () => open,
    openStreams: () => 1,
    mcpStreams: () => new Map([['listen', 3]]),
    openConnections: () => 5,
    verifyPool: () => ({ threads: 2, queued: 3, running: 1, busyMs: 4500 }),
    endpointGroups: () => [{ backendName: 'default/echo:80', healthyCount: () => 2 }],
    authenticators: () => [
      {
        policy: 'default/jwt',
        cache: { accepted: 4, acceptedBytes: 0, refused: 2, refusedBytes: 0 },
      },
    ],
    refusedConnections: () => 6,
    admission: () => ({
      requests: 8,
      addresses: 1,
      principals: 2,
      streamPrincipals: 3,
      addressBuckets: 4,
    }),
    overload: { level: 2, refused: (kind) => (kind === 'anonymous' ? 11 : 0) },
    rateLimits: () => ({
      local: [{ policy: 'default/l', size: 12, take: () => null, close: () => undefined }],
      global: [
        {
          policy: 'default/g',
          failureMode: 'FailOpen',
          failures: 13,
          consume: () => Promise.resolve('failed'),
          close: () => undefined,
        },
      ],
    }),
  });
  metrics.countEjection('default/echo:80', '127.0.0.2:80');
  open = 9;
  const text = await metrics.text();
  for (const line of [
    'postern_open_requests 9',
    'postern_downstream_connections 5',
    'postern_mcp_streams{kind="listen"} 3',
    'postern_mcp_streams{kind="get"} 0',
    'postern_upstream_endpoints_healthy{backend="default/echo:80"} 2',
    'postern_upstream_endpoint_ejections_total{backend="default/echo:80",endpoint="127.0.0.2:80"} 1',
    'postern_verification_queue 3',
    'postern_verification_threads 2',
    'postern_verification_busy_seconds_total 4.5',
    'postern_connections_refused_total 6',
    'postern_overload_level 2',
    'postern_overload_refusals_total{class="anonymous"} 11',
    'postern_overload_refusals_total{class="any"} 0',
    'postern_limit_entries{count="streams_by_principal"} 3',
    'postern_limit_entries{count="rate_by_address"} 4',
    'postern_admitted_requests 8',
    'postern_rate_limit_keys{policy="default/l"} 12',
    'postern_global_rate_limit_failures_total{policy="default/g"} 13',
    'postern_token_cache_entries{policy="default/jwt",verdict="accepted"} 4',
    'postern_token_cache_entries{policy="default/jwt",verdict="refused"} 2',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

test('the page of the primary holds its own metrics and those of the workers', async () => {
  const metrics = createPrimaryMetrics({
    version: '1.2.3',
    collectWorkers: () => Promise.resolve('postern_requests_total 5\n'),
  });
  const keySet = { policy: 'default/jwt', provider: 'p', fetched: true, keys: 2, lastError: null };
  const worker = { generation: 3, openRequests: 0, openConnections: 0 };
  metrics.observe({
    workersWanted: 2,
    statuses: () => [
      { ...worker, keySets: [{ ...keySet, ageMs: 1500, failures: 1 }] },
      { ...worker, keySets: [{ ...keySet, ageMs: 500, failures: 2, keys: 1 }] },
    ],
  });
  metrics.setReload({ ok: true, generation: 2, atMs: 5000 });
  metrics.setReload({ ok: false, generation: 2, atMs: 9000 });
  metrics.countWorkerRestart();
  const { contentType, body } = await metrics.text();
  assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
  for (const line of [
    `postern_build_info{version="1.2.3",node="${process.version}"} 1`,
    'postern_config_generation 2',
    'postern_config_last_reload_success 0',
    'postern_config_last_reload_timestamp_seconds 5',
    'postern_workers 2',
    'postern_workers_wanted 2',
    'postern_worker_restarts_total 1',
    'postern_jwks_age_seconds{policy="default/jwt",provider="p"} 1.5',
    'postern_jwks_keys{policy="default/jwt",provider="p"} 1',
    'postern_jwks_fetch_failures_total{policy="default/jwt",provider="p"} 3',
    'postern_scrape_complete 1',
    'postern_requests_total 5',
  ]) {
    assert.ok(body.includes(`${line}\n`), line);
  }
});

test('a worker that does not answer leaves the rest of the page', async () => {
  const metrics = createPrimaryMetrics({
    version: '1',
    collectWorkers: () => Promise.reject(new Error('Operation timed out.')),
  });
  assert.match((await metrics.text()).body, /^postern_scrape_complete 0$/m);
});
