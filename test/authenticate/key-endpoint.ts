/** A real HTTP server that hands out key sets, or fails, as a test wants. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JWK } from 'jose';
import { createFetchKeySet } from '../../src/authenticate/fetch-key-set.ts';
import type { RemoteKeySetTiming } from '../../src/authenticate/remote-key-set.ts';
import { fetchOnce } from '../../src/forward/fetch-once.ts';
import type { RemoteKeysPlan } from '../../src/plan.ts';

/** Fetches as the gate does. */
export const fetchKeySet = createFetchKeySet(fetchOnce);

export interface KeyEndpoint {
  readonly plan: RemoteKeysPlan;
  requests: IncomingMessage[];
  answer: (response: ServerResponse) => void;
  publish(...keys: JWK[]): void;
}

/** Starts the server; it is closed when the test ends. */
export async function startKeyEndpoint(t: TestContext, ...keys: JWK[]): Promise<KeyEndpoint> {
  const server = createServer((request, response) => {
    endpoint.requests.push(request);
    endpoint.answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const endpoint: KeyEndpoint = {
    plan: {
      source: 'remote',
      url: 'http://issuer.test/keys/jwks.json?v=1',
      target: { name: 't', host: '127.0.0.1', port, path: null, protocol: 'HTTP', tls: null },
      cacheDurationMs: 300_000,
      waitForFirstFetch: true,
    },
    requests: [],
    answer: () => undefined,
    publish: (...served) => {
      endpoint.answer = (response) => void response.end(JSON.stringify({ keys: served }));
    },
  };
  endpoint.publish(...keys);
  return endpoint;
}

export const fastRetry: Partial<RemoteKeySetTiming> = {
  firstRetryMs: 20,
  maxRetryMs: 40,
  minRefreshMs: 20,
};

/** Polls until something holds; fails after two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    if (holds()) return;
    await sleep(5);
  }
  assert.fail('it did not come true');
}
