import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { AddressInfo } from 'node:net';
import { runOpenLoop } from '../../bench/load/open-loop.ts';

/** A server that answers at once, but for one time in which it answers nobody. */
async function stallingServer(stall: { readonly afterMs: number; readonly forMs: number }) {
  let stalledUntil = 0;
  const server = createServer((_request, response) => {
    const waitMs = stalledUntil - performance.now();
    const answer = (): void => void response.end('{}');
    if (waitMs > 0) setTimeout(answer, waitMs);
    else answer();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const timer = setTimeout(() => (stalledUntil = performance.now() + stall.forMs), stall.afterMs);
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      clearTimeout(timer);
      server.closeAllConnections();
      server.close();
    },
  };
}

test('a stall is charged to every request that was due in it, not to those that were sent', async () => {
  const server = await stallingServer({ afterMs: 500, forMs: 400 });
  try {
    const result = await runOpenLoop({
      port: server.port,
      request: { method: 'GET', path: '/', headers: {}, body: '', tokens: [] },
      connections: 4,
      requestsPerSecond: 200,
      seconds: 2,
      expectedStatus: 200,
    });
    assert.equal(result.answered, 400);
    assert.equal(result.errors, 0);
    // 80 of 400 requests were due while it stalled: a closed loop of 4 connections would have sent 4.
    assert.ok(result.p99Ms > 300, `p99 ${result.p99Ms}`);
    assert.ok(result.maxMs >= 350, `max ${result.maxMs}`);
  } finally {
    server.close();
  }
});

test('what was due while connections settled is sent and counted, but its time is not taken', async () => {
  const server = await stallingServer({ afterMs: 0, forMs: 900 });
  try {
    const result = await runOpenLoop({
      port: server.port,
      request: { method: 'GET', path: '/', headers: {}, body: '', tokens: [] },
      ...{ connections: 100, requestsPerSecond: 100, seconds: 2, settlingSeconds: 1 },
      expectedStatus: 200,
    });
    assert.equal(result.answered, 200);
    assert.ok(result.times.count <= 101, `${result.times.count} times`);
    assert.ok(result.times.count >= 90, `${result.times.count} times`);
    assert.ok(result.maxMs < 700, `max ${result.maxMs}`);
    assert.equal(result.windows.length, 4);
    assert.equal(
      result.windows.reduce((sum, { count }) => sum + count, 0),
      result.times.count,
    );
  } finally {
    server.close();
  }
});

test('answers with another status than the one expected are counted', async () => {
  const server = await stallingServer({ afterMs: 60_000, forMs: 0 });
  try {
    const result = await runOpenLoop({
      port: server.port,
      request: { method: 'POST', path: '/', headers: {}, body: '{}', tokens: ['a', 'b'] },
      connections: 2,
      requestsPerSecond: 100,
      seconds: 0.2,
      expectedStatus: 403,
    });
    assert.equal(result.unexpected, 20);
  } finally {
    server.close();
  }
});
