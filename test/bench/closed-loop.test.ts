import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { runAutocannon, runWrk } from '../../bench/load/closed-loop.ts';
import { isInstalled } from '../../bench/load/program.ts';
import type { LoadOptions } from '../../bench/load/request.ts';

/** How often each `authorization` came in a run. */
async function tokensSeen(run: typeof runWrk, tokens: number, more: Partial<LoadOptions>) {
  const seen = new Map<string, number>();
  const server = createServer((request, response) => {
    const token = request.headers.authorization ?? 'none';
    seen.set(token, (seen.get(token) ?? 0) + 1);
    request.resume().on('end', () => response.end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  try {
    const result = await run({
      request: {
        ...{ method: 'POST', path: '/', headers: {}, body: '{}' },
        tokens: Array.from({ length: tokens }, (_, index) => String(index)),
      },
      ...{ port: address.port, connections: 8, expectedStatus: 200, cores: null, seconds: 1 },
      ...more,
    });
    assert.deepEqual([result.unexpected, result.errors], [0, 0]);
    return { seen, requests: result.requests };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('autocannon', () => {
  test('sends each token once where that is asked for', async () => {
    const options = { maxRequests: 203, seconds: 20 };
    const { seen, requests } = await tokensSeen(runAutocannon, 203, options);
    assert.equal(requests, 203);
    assert.equal(seen.size, 203);
    assert.deepEqual(new Set(seen.values()), new Set([1]));
  });
  test('uses tokens in turn, also those that are fewer than its connections', async () => {
    for (const tokens of [40, 3]) {
      const { seen, requests } = await tokensSeen(runAutocannon, tokens, {});
      assert.equal(seen.size, tokens);
      assert.ok(Math.min(...seen.values()) > requests / tokens / 3);
    }
  });
  test('sends none where there is none', async () => {
    const { seen } = await tokensSeen(runAutocannon, 0, {});
    assert.deepEqual([...seen.keys()], ['none']);
  });
});

describe('wrk', { skip: !isInstalled('wrk') && 'wrk is not installed' }, () => {
  test('uses tokens in turn over all its connections', async () => {
    const { seen } = await tokensSeen(runWrk, 40, {});
    assert.equal(seen.size, 40);
    assert.ok(Math.max(...seen.values()) - Math.min(...seen.values()) <= 8);
  });
});
