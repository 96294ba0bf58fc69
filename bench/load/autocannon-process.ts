/**
 * The process that runs autocannon: reads its job from the file it is given, writes what it saw to
 * standard output.
 */
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { LoadOptions } from './request.ts';

// Our own bench wrote the file.
const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LoadOptions;
const { request, expectedStatus } = job;
const common = { method: request.method, path: request.path, body: request.body };
const requests =
  request.tokens.length === 0
    ? [{ ...common, headers: request.headers }]
    : request.tokens.map((token) => ({
        ...common,
        headers: { ...request.headers, authorization: `Bearer ${token}` },
      }));
const startedCpu = process.cpuUsage();
const result = await autocannon({
  url: `http://127.0.0.1:${job.port}`,
  connections: job.connections,
  requests,
  timeout: 10,
  ...(job.maxRequests === undefined
    ? { duration: job.seconds }
    : { amount: job.maxRequests, duration: job.seconds }),
});
const { user, system } = process.cpuUsage(startedCpu);
const answers = Object.entries(result.statusCodeStats ?? {});
const expected = answers
  .filter(([status]) => Number(status) === expectedStatus)
  .reduce((sum, [, { count }]) => sum + (count ?? 0), 0);
const all = answers.reduce((sum, [, { count }]) => sum + (count ?? 0), 0);
process.stdout.write(
  JSON.stringify({
    tool: 'autocannon',
    seconds: result.duration,
    requests: all,
    unexpected: all - expected,
    errors: result.errors + result.timeouts,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    p999Ms: result.latency.p99_9,
    cpuNanoseconds: (user + system) * 1000,
  }),
);
