import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readH2loadLog } from '../../bench/load/h2load-log.ts';
import { parseH2loadSummary } from '../../bench/load/h2load-summary.ts';
import { resultOf, runH2load, unfitForH2load } from '../../bench/load/h2load.ts';
import { inFolder, isInstalled } from '../../bench/load/program.ts';
import type { LoadRequest } from '../../bench/load/request.ts';

/** Of h2load 1.52 with 4 connections for 2 s, at a server that answers 200, 202, 302, 403 and 503 in turn. */
const MIXED = `starting benchmark...
spawning thread #0: 4 total client(s). Timing-based test with 0s of warm-up time and 2s of main duration for measurements.
Warm-up started for thread #0.
progress: 25% of clients started
progress: 50% of clients started
progress: 75% of clients started
progress: 100% of clients started
Warm-up phase is over for thread #0.
Main benchmark duration is started for thread #0.
Application protocol: http/1.1
Main benchmark duration is over for thread #0. Stopping all clients.
Stopped all clients for thread #0

finished in 2.00s, 11192.00 req/s, 1.38MB/s
requests: 22384 total, 22388 started, 22384 done, 13430 succeeded, 8954 failed, 0 errored, 0 timeout
status codes: 8953 2xx, 4477 3xx, 4477 4xx, 4477 5xx
traffic: 2.77MB (2900973) total, 1.86MB (1947495) headers (space savings 0.00%), 21.86KB (22385) data
                     min         max         mean         sd        +/- sd
time for request:       78us     23.45ms       354us       406us    95.87%
time for connect:       11us        76us        52us        28us    75.00%
time to 1st byte:    12.04ms     23.48ms     17.32ms      4.77ms    50.00%
req/s           :    2506.37     3089.72     2797.79      309.04   100.00%
`;

/** The same at a port that nobody listens on: it ends with 0 all the same, and calls nothing an error. */
const NOBODY = `starting benchmark...
spawning thread #0: 4 total client(s). Timing-based test with 0s of warm-up time and 2s of main duration for measurements.
Warm-up started for thread #0.
Warm-up phase is over for thread #0.
Main benchmark duration is started for thread #0.
Main benchmark duration is over for thread #0. Stopping all clients.
Stopped all clients for thread #0

finished in 2.00s, 0.00 req/s, 0B/s
requests: 0 total, 0 started, 0 done, 0 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 0 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 0B (0) total, 0B (0) headers (space savings 0.00%), 0B (0) data
                     min         max         mean         sd        +/- sd
time for request:        0us         0us         0us         0us     0.00%
time for connect:        0us         0us         0us         0us     0.00%
time to 1st byte:        0us         0us         0us         0us     0.00%
req/s           :       0.00        0.00        0.00        0.00   100.00%
`;

/** For 200 requests at a server that drops every tenth connection, which are not opened again. */
const DROPPED = `starting benchmark...
spawning thread #0: 4 total client(s). 200 total requests
Application protocol: http/1.1

finished in 16.62ms, 2165.80 req/s, 262.26KB/s
requests: 200 total, 40 started, 36 done, 36 succeeded, 164 failed, 164 errored, 0 timeout
status codes: 36 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 4.36KB (4464) total, 3.06KB (3132) headers (space savings 0.00%), 72B (72) data
                     min         max         mean         sd        +/- sd
time for request:      243us     19.71ms      2.81ms      4.62ms    91.67%
time for connect:       66us       149us       122us        37us    75.00%
time to 1st byte:    13.00ms     19.84ms     16.78ms      3.48ms    66.67%
req/s           :     267.98     1243.78      643.22      439.20    75.00%
`;

describe('what h2load prints', () => {
  test('is read whole', () => {
    assert.deepEqual(parseH2loadSummary(MIXED), {
      seconds: 2,
      requestsPerSecond: 11192,
      requests: {
        ...{ total: 22384, started: 22388, done: 22384, succeeded: 13430, failed: 8954 },
        ...{ errored: 0, timeout: 0 },
      },
      statusClasses: { 2: 8953, 3: 4477, 4: 4477, 5: 4477 },
      requestMs: { min: 0.078, max: 23.45, mean: 0.354 },
    });
  });
  test('is read of a run that failed', () => {
    const { seconds, requests, requestMs } = parseH2loadSummary(DROPPED);
    assert.equal(seconds, 0.01662);
    assert.deepEqual([requests.done, requests.failed, requests.errored], [36, 164, 164]);
    assert.equal(requestMs.mean, 2.81);
  });
  test('is read of a run without a request', () => {
    const { requestsPerSecond, requests, requestMs } = parseH2loadSummary(NOBODY);
    assert.deepEqual([requestsPerSecond, requests.started, requests.done], [0, 0, 0]);
    assert.deepEqual(requestMs, { min: 0, max: 0, mean: 0 });
  });
  test('is read of a run that took longer than it was to', () => {
    const late = MIXED.replace('finished in 2.00s', 'finished in 2.31s');
    assert.equal(parseH2loadSummary(late).seconds, 2.31);
  });
  test('is read of a version that prints percentiles', () => {
    const newer = MIXED.replace(
      /^ +min .*\ntime for request:.*$/m,
      `                 min         max         median     p95        p99        mean         sd        +/- sd
request     :       78us     23.45ms       723us     2.23ms     3.66ms      923us       623us    90.88%`,
    );
    assert.deepEqual(parseH2loadSummary(newer).requestMs, { min: 0.078, max: 23.45, mean: 0.923 });
  });

  for (const [name, text] of [
    ['nothing', ''],
    ['a run that was cut off', MIXED.slice(0, MIXED.indexOf('status codes'))],
    ['two runs', `${MIXED}${MIXED}`],
    ['a count that is none', MIXED.replace('22384 done', '-1 done')],
    ['a count too few', MIXED.replace(', 0 errored', '')],
    ['a count beyond numbers', MIXED.replace('22388 started', `${'9'.repeat(20)} started`)],
    ['a status class too many', MIXED.replace('8953 2xx', '3 1xx, 8950 2xx')],
    ['more outcomes than requests', MIXED.replace('8954 failed', '9954 failed')],
    ['a lower rate than the counts give', MIXED.replace('11192.00 req/s', '1119.20 req/s')],
    ['a unit that nobody knows', MIXED.replace('finished in 2.00s', 'finished in 2.00h')],
    ['a time without a unit', MIXED.replace('       78us', '       78  ')],
    ['a column too few', MIXED.replace('       406us    95.87%', '    95.87%')],
    ['a mean beyond the maximum', MIXED.replace('     354us', '   354.0ms')],
  ] as const) {
    test(`is refused where it is ${name}`, () => {
      assert.throws(() => parseH2loadSummary(text), /^Error: h2load /);
    });
  }
});

/** Reads rows as if h2load had logged them. */
const logOf = (rows: string) =>
  inFolder((folder) => {
    const file = join(folder, 'log');
    writeFileSync(file, rows);
    return readH2loadLog(file);
  });

const row = (status: number, microseconds: number): string =>
  `1796078311960037\t${status}\t${microseconds}\n`;

describe('what h2load logs', () => {
  test('gives statuses and percentiles of all answers', async () => {
    const slow = Array.from({ length: 1000 }, (_, index) => row(200, 1000 - index));
    const log = await logOf([...slow, row(-1, 99_999), row(202, 5000)].join(''));
    assert.deepEqual([log.rows, log.failed], [1002, 1]);
    assert.deepEqual(
      log.statuses,
      new Map([
        [200, 1000],
        [202, 1],
      ]),
    );
    const percentiles = [50, 99, 99.9, 100].map((percent) => log.percentileMs(percent));
    assert.deepEqual(percentiles, [0.501, 0.991, 1, 5]);
  });
  test('may be nothing', async () => {
    const log = await logOf('');
    assert.deepEqual([log.rows, log.percentileMs(99)], [0, 0]);
  });
  test('may have more columns one day', async () => {
    assert.equal((await logOf('1\t200\t7\tmore\n')).percentileMs(50), 0.007);
  });
  for (const [name, rows] of [
    ['a row that was cut off', `${row(200, 5)}179607831\t20`],
    ['a status that is none', row(20, 5)],
    ['an empty row', `${row(200, 5)}\n${row(200, 5)}`],
    ['a time below nothing', row(200, -5)],
  ] as const) {
    test(`is refused at ${name}`, async () => {
      await assert.rejects(logOf(rows), /^Error: h2load wrote: /);
    });
  }
});

describe('the result of h2load', () => {
  const seen = { connections: 4, expectedStatus: 200, lost: 0 };
  const ofMixed = (ok: number, accepted = 4477) =>
    logOf(
      [
        row(200, 23_450).repeat(ok),
        row(202, 100).repeat(accepted),
        ...[302, 403, 503].map((status) => row(status, 100).repeat(4477)),
      ].join(''),
    );

  test('counts answers of another status, also of the same class', async () => {
    const result = resultOf(parseH2loadSummary(MIXED), await ofMixed(4476), seen);
    assert.deepEqual([result.requests, result.unexpected, result.errors], [22384, 17908, 0]);
    assert.deepEqual([result.p50Ms, result.p99Ms], [0.1, 23.45]);
  });
  test('is none where the log is of another run', async () => {
    for (const log of [await ofMixed(4477), await ofMixed(0, 4477), await logOf('')]) {
      assert.throws(() => resultOf(parseH2loadSummary(MIXED), log, seen), /h2load logged/);
    }
    const quick = await logOf(row(200, 100).repeat(22384));
    assert.throws(() => resultOf(parseH2loadSummary(MIXED), quick, seen), /h2load logged/);
  });
  test('counts connections that never came about, and those that were lost', async () => {
    const nothing = await logOf('');
    const nobody = parseH2loadSummary(NOBODY);
    assert.equal(resultOf(nobody, nothing, seen).errors, 4);
    assert.equal(resultOf(nobody, nothing, { ...seen, lost: 4 }).errors, 4);
    const silent = NOBODY.replace('0 started', '4 started');
    assert.equal(resultOf(parseH2loadSummary(silent), nothing, seen).errors, 4);
    const mixed = parseH2loadSummary(MIXED);
    assert.equal(resultOf(mixed, await ofMixed(4476), { ...seen, lost: 3 }).errors, 3);
  });
  test('counts what h2load calls errors', async () => {
    const { errors } = resultOf(
      parseH2loadSummary(DROPPED),
      await logOf(row(200, 19_710).repeat(36)),
      seen,
    );
    assert.equal(errors, 164);
  });
});

const POST: LoadRequest = {
  ...{ method: 'POST', path: '/mcp', body: '{"a":1}', tokens: ['t'] },
  headers: { 'content-type': 'application/json' },
};

test('h2load is not asked for what it can not do', () => {
  for (const request of [
    { ...POST, tokens: ['a', 'b'] },
    { ...POST, body: '' },
    { ...POST, method: 'GET' as const },
    { ...POST, method: 'OPTIONS' as const },
    { ...POST, method: 'OPTIONS' as const, body: '' },
  ]) {
    assert.notEqual(unfitForH2load({ request }), null);
  }
  assert.notEqual(unfitForH2load({ request: POST, maxRequests: 5 }), null);
  assert.equal(unfitForH2load({ request: POST }), null);
  assert.equal(unfitForH2load({ request: { ...POST, method: 'GET', body: '' } }), null);
});

describe('h2load runs', { skip: !isInstalled('h2load') && 'h2load is not installed' }, () => {
  async function load(listener: RequestListener, request = POST) {
    const server = createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert(typeof address === 'object' && address !== null);
    try {
      return await runH2load({
        ...{ port: address.port, request, connections: 4, seconds: 1 },
        ...{ expectedStatus: 200, cores: null },
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('with method, path, fields, token and body of the request', async () => {
    const asked = new Set<string>();
    const result = await load((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        const { authorization, 'content-type': type } = request.headers;
        asked.add([request.method, request.url, type, authorization, body].join(' '));
        response.end('{}');
      });
    });
    assert.deepEqual([...asked], ['POST /mcp application/json Bearer t {"a":1}']);
    assert.ok(result.requests > 4, `${result.requests} requests`);
    assert.deepEqual([result.tool, result.unexpected, result.errors], ['h2load', 0, 0]);
    assert.ok(result.p50Ms > 0 && result.p50Ms <= result.p99Ms && result.p99Ms <= result.p999Ms);
    assert.ok(result.cpuNanoseconds > 0);
  });
  test('and tells 200 from 202', async () => {
    let count = 0;
    const { requests, unexpected, errors } = await load(
      (_, response) => void response.writeHead((count += 1) % 2 === 0 ? 200 : 202).end(),
      { ...POST, method: 'GET', body: '', tokens: [] },
    );
    // Those in flight at the end are missing.
    assert.ok(Math.abs(unexpected - requests / 2) <= 4, `${unexpected} of ${requests}`);
    assert.equal(errors, 0);
  });
  test('and tells of connections that the server drops, which h2load itself does not', async () => {
    let count = 0;
    const { errors, requests } = await load((request, response) => {
      if ((count += 1) === 20) request.socket.destroy();
      else response.end('{}');
    });
    assert.ok(requests > 19);
    assert.equal(errors, 1);
  });
  test('and fails with what h2load said', async () => {
    const request = { ...POST, headers: { '': 'a field without a name' } };
    await assert.rejects(
      load((_, response) => void response.end(), request),
      /^Error: h2load ended with 1: -H: /,
    );
  });
});
