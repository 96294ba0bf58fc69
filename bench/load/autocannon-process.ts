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
const requestWith = (token: string) => ({
  ...common,
  headers: { ...request.headers, authorization: `Bearer ${token}` },
});
const { tokens } = request;
const [first] = tokens;
// Each connection goes through the list by itself: with the whole one, tokens that are to come once would come from all.
const isShared = tokens.length >= job.connections;
let clients = 0;
const startedCpu = process.cpuUsage();
const result = await autocannon({
  url: `http://127.0.0.1:${job.port}`,
  connections: job.connections,
  requests: [first === undefined ? { ...common, headers: request.headers } : requestWith(first)],
  setupClient(client) {
    const own = clients;
    clients += 1;
    const share = tokens.filter((_, at) => !isShared || at % job.connections === own);
    if (share.length > 0) client.setRequests(share.map(requestWith));
  },
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
