import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JWK } from 'jose';
import { createFetchKeySet } from '../../src/authenticate/fetch-key-set.ts';
import type { KeySetAnswer } from '../../src/authenticate/fetch-key-set.ts';
import { createKeySetStore } from '../../src/authenticate/key-set-store.ts';
import { createRemoteKeySet } from '../../src/authenticate/remote-key-set.ts';
import type { RemoteKeySet, RemoteKeySetTiming } from '../../src/authenticate/remote-key-set.ts';
import { Refusal } from '../../src/errors.ts';
import { fetchOnce } from '../../src/forward/fetch-once.ts';
import type { RemoteKeysPlan } from '../../src/plan.ts';
import { createHarness } from './authenticator-harness.ts';
import {
  forge,
  goodClaims,
  makeKey,
  nowMs,
  policyPlan,
  providerPlan,
  sign,
} from './token-issuer.ts';

const oldKey = await makeKey('ES256', 'old');
const newKey = await makeKey('ES256', 'new');
const fetch = createFetchKeySet(fetchOnce);

interface Endpoint {
  readonly plan: RemoteKeysPlan;
  requests: IncomingMessage[];
  answer: (response: ServerResponse) => void;
  publish(...keys: JWK[]): void;
}

async function startEndpoint(t: TestContext, ...keys: JWK[]): Promise<Endpoint> {
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
  const endpoint: Endpoint = {
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

const fastRetry: Partial<RemoteKeySetTiming> = {
  firstRetryMs: 20,
  maxRetryMs: 40,
  minRefreshMs: 20,
};

function openSet(
  t: TestContext,
  plan: RemoteKeysPlan,
  timing: Partial<RemoteKeySetTiming> = {},
): RemoteKeySet & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const set = createRemoteKeySet(plan, {
    fetch,
    clock: () => nowMs,
    random: () => 0,
    onWarning: (warning) => void warnings.push(warning),
    timing,
  });
  t.after(() => set.close());
  return Object.assign(set, { warnings });
}

/** Polls until something holds; fails after two seconds. */
async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    if (holds()) return;
    await sleep(5);
  }
  assert.fail('it did not come true');
}

describe('a remote key set', () => {
  test('is fetched at once, with the path, query and host of its URL', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const set = openSet(t, endpoint.plan);
    assert.equal(set.generation, 0);
    await set.ready;
    assert.equal(set.generation, 1);
    assert.equal(set.find('old').length, 1);
    assert.equal(endpoint.requests[0]?.url, '/keys/jwks.json?v=1');
    assert.equal(endpoint.requests[0].headers.host, 'issuer.test');
    const { fetches, failures, keys, fetchedAtMs } = set.state();
    assert.deepEqual(
      { fetches, failures, keys, fetchedAtMs },
      { fetches: 1, failures: 0, keys: 1, fetchedAtMs: nowMs },
    );
  });

  test('is refreshed in the background; its generation grows only when keys change', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const set = openSet(t, { ...endpoint.plan, cacheDurationMs: 1 }, fastRetry);
    await until(() => endpoint.requests.length >= 3);
    assert.equal(set.generation, 1);
    endpoint.publish(newKey.jwk, oldKey.jwk);
    await until(() => set.find('new').length === 1);
    assert.equal(set.generation, 2);
  });

  test('keeps its keys while the endpoint is down, and recovers', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const set = openSet(t, { ...endpoint.plan, cacheDurationMs: 1 }, fastRetry);
    await set.ready;
    endpoint.answer = (response) => void response.writeHead(503).end();
    await until(() => set.state().consecutiveFailures >= 2);
    assert.equal(set.find('old').length, 1);
    assert.equal(set.generation, 1);
    assert.equal(set.state().lastProblem, 'the answer has status 503');
    endpoint.publish(newKey.jwk);
    await until(() => set.find('new').length === 1);
    assert.equal(set.state().consecutiveFailures, 0);
    assert.equal(set.state().lastProblem, null);
  });

  test('takes an empty set at its word', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const set = openSet(t, endpoint.plan, { unknownKidCooldownMs: 0 });
    await set.ready;
    endpoint.publish();
    await set.refetch();
    assert.equal(set.find('old').length, 0);
  });

  test('leaves an unusable key out and keeps the others', async (t) => {
    const endpoint = await startEndpoint(
      t,
      { kty: 'RSA', kid: 'broken', n: '!', e: 'AQAB' },
      oldKey.jwk,
    );
    const set = openSet(t, endpoint.plan);
    await set.ready;
    assert.equal(set.state().keys, 1);
    assert.equal(set.warnings.length, 1);
    assert.match(set.warnings[0] ?? '', /^key set http:\/\/issuer\.test\S+: key 0: /);
  });

  test('stops fetching when it is closed', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const set = openSet(t, { ...endpoint.plan, cacheDurationMs: 1 }, fastRetry);
    await set.ready;
    set.close();
    const { length } = endpoint.requests;
    await sleep(100);
    assert.ok(endpoint.requests.length <= length + 1);
    assert.equal(set.refetch(), null);
  });

  test('closed before the first answer lets nobody wait', async (t) => {
    const endpoint = await startEndpoint(t);
    endpoint.answer = () => undefined;
    const set = openSet(t, endpoint.plan);
    set.close();
    await set.ready;
    assert.equal(set.generation, 0);
  });
});

describe('an answer that is no key set', () => {
  const rows: [title: string, answer: (response: ServerResponse) => void, problem: RegExp][] = [
    [
      'a page',
      (r) => void r.end('  <!doctype html><html></html>'),
      /^the answer is HTML or XML, not JSON$/,
    ],
    ['half of a document', (r) => void r.end('{"keys":['), /^the answer is not JSON$/],
    ['a list', (r) => void r.end('[]'), /^the answer is not a JSON object$/],
    ['an object without keys', (r) => void r.end('{"error":"x"}'), /no list `keys`/],
    ['keys that are no list', (r) => void r.end('{"keys":{}}'), /no list `keys`/],
    ['two lists of keys', (r) => void r.end('{"keys":[],"keys":[]}'), /a member occurs twice/],
    [
      'a redirect',
      (r) => void r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      /redirect \(302\)/,
    ],
    ['an error', (r) => void r.writeHead(500).end('{"keys":[]}'), /status 500/],
    ['nothing', (r) => void r.writeHead(204).end(), /status 204/],
    ['a closed connection', (r) => void r.destroy(), /^the fetch failed: /],
    [
      'a body over the limit',
      (r) => void r.end(`{"keys":[],"x":"${'x'.repeat(600 * 1024)}"}`),
      /524288 octets/,
    ],
    [
      'a body without end',
      (r) => {
        r.write('{"keys":[');
        r.on('drain', () => r.write(' '.repeat(65536)));
        r.write(' '.repeat(65536));
      },
      /524288 octets/,
    ],
    ['a body that stalls', (r) => void r.write('{"keys":['), /^no answer within 300 ms$/],
    ['no answer', () => undefined, /^no answer within 300 ms$/],
  ];
  for (const [title, answer, problem] of rows) {
    test(`${title} is a failure and is named`, async (t) => {
      const endpoint = await startEndpoint(t);
      endpoint.answer = answer;
      const set = openSet(t, endpoint.plan, {
        fetchTimeoutMs: 300,
        firstRetryMs: 60_000,
        maxRetryMs: 60_000,
      });
      await until(() => set.state().failures === 1);
      assert.equal(set.generation, 0);
      assert.match(set.state().lastProblem ?? '', problem);
    });
  }

  test('nobody there is a failure', async (t) => {
    const endpoint = await startEndpoint(t);
    const set = openSet(t, { ...endpoint.plan, target: { ...endpoint.plan.target, port: 1 } });
    await until(() => set.state().failures === 1);
    assert.match(set.state().lastProblem ?? '', /^the fetch failed: /);
  });
});

test('an answer that was asked for earlier and comes later is dropped', async (t) => {
  const answers: ((answer: KeySetAnswer) => void)[] = [];
  const set = createRemoteKeySet((await startEndpoint(t)).plan, {
    fetch: () => new Promise((resolve) => answers.push(resolve)),
    clock: () => nowMs,
    random: () => 0,
    onWarning: () => undefined,
    timing: { fetchTimeoutMs: 20, firstRetryMs: 1, maxRetryMs: 1 },
  });
  t.after(() => set.close());
  await until(() => answers.length >= 2);
  answers[1]?.({ jwks: [newKey.jwk] });
  await set.ready;
  answers[0]?.({ jwks: [oldKey.jwk] });
  await sleep(5);
  assert.equal(set.find('new').length, 1);
  assert.equal(set.find('old').length, 0);
  assert.equal(set.generation, 1);
});

describe('a policy with a remote key set', async () => {
  const goodOld = await sign(oldKey);
  const goodNew = await sign(newKey);

  function start(
    t: TestContext,
    plan: RemoteKeysPlan,
    timing: Partial<RemoteKeySetTiming> = {},
  ): ReturnType<typeof createHarness> {
    const harness = createHarness(policyPlan([providerPlan([], { keys: plan })]), {
      fetch,
      timing,
    });
    t.after(() => harness.authenticator.close());
    return harness;
  }

  async function codeOf(harness: ReturnType<typeof createHarness>, token: string): Promise<string> {
    const result = await harness.present(token);
    return result instanceof Refusal ? result.kind.code : 'accepted';
  }

  test('lets the first token wait for the first fetch', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    assert.equal(await codeOf(harness, goodOld), 'accepted');
  });

  test('answers 503 while there are no keys, and goes on once there are', async (t) => {
    const endpoint = await startEndpoint(t);
    endpoint.answer = (response) => void response.writeHead(500).end();
    const harness = start(t, endpoint.plan, { ...fastRetry, firstRetryMs: 50 });
    const result = await harness.present(goodOld);
    assert.ok(result instanceof Refusal);
    assert.equal(result.kind.code, 'KEYS_UNAVAILABLE');
    assert.equal(result.status, 503);
    endpoint.publish(oldKey.jwk);
    await harness.authenticator.ready;
    assert.equal(await codeOf(harness, goodOld), 'accepted');
  });

  test('does not wait longer than a fetch may take', async (t) => {
    const endpoint = await startEndpoint(t);
    endpoint.answer = () => undefined;
    const harness = start(t, endpoint.plan, {
      fetchTimeoutMs: 50,
      firstRetryMs: 60_000,
      maxRetryMs: 60_000,
    });
    assert.equal(await codeOf(harness, goodOld), 'KEYS_UNAVAILABLE');
  });

  test('takes a new key up with the first token that names it', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    assert.equal(await codeOf(harness, goodOld), 'accepted');
    endpoint.publish(oldKey.jwk, newKey.jwk);
    const results = await Promise.all(Array.from({ length: 50 }, () => codeOf(harness, goodNew)));
    assert.deepEqual(new Set(results), new Set(['accepted']));
    assert.equal(endpoint.requests.length, 2);
    assert.equal(await codeOf(harness, goodOld), 'accepted');
  });

  test('asks again when a fetch under way did not have the new key yet', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    endpoint.answer = (response) => {
      endpoint.publish(oldKey.jwk, newKey.jwk);
      setTimeout(() => response.end(JSON.stringify({ keys: [oldKey.jwk] })), 50);
    };
    const harness = start(t, endpoint.plan);
    assert.equal(await codeOf(harness, goodNew), 'accepted');
    assert.equal(endpoint.requests.length, 2);
  });

  test('asks once in a cooldown however many unknown keys come', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    await harness.authenticator.ready;
    const strangers = (from: number): Promise<string>[] =>
      Array.from({ length: 100 }, (_, index) =>
        codeOf(harness, forge({ alg: 'ES256', kid: `k${from + index}` })),
      );
    assert.deepEqual(new Set(await Promise.all(strangers(0))), new Set(['TOKEN_KEY_UNKNOWN']));
    assert.equal(endpoint.requests.length, 2);
    harness.nowMs += 29_999;
    await Promise.all(strangers(100));
    assert.equal(endpoint.requests.length, 2);
    harness.nowMs += 1;
    await Promise.all(strangers(200));
    assert.equal(endpoint.requests.length, 3);
    assert.equal(harness.signatureChecks, 0);
  });

  test('asks nobody for a token that is refused anyway', async (t) => {
    const endpoint = await startEndpoint(t, oldKey.jwk);
    const harness = start(t, endpoint.plan);
    await harness.authenticator.ready;
    await harness.present(forge({ alg: 'none', kid: 'x' }));
    await harness.present(forge({ alg: 'ES256', kid: 'x' }, { ...goodClaims, exp: 1 }));
    await harness.present(forge({ alg: 'ES256' }));
    assert.equal(endpoint.requests.length, 1);
  });

  test('a provider that has the key answers before one whose endpoint hangs', async (t) => {
    const endpoint = await startEndpoint(t);
    endpoint.answer = () => undefined;
    const hanging = providerPlan([], { name: 'hanging', keys: endpoint.plan });
    const policy = policyPlan([hanging, providerPlan([oldKey.jwk], { name: 'local' })]);
    const harness = createHarness(policy, { fetch, timing: { fetchTimeoutMs: 200 } });
    t.after(() => harness.authenticator.close());
    const startedAtMs = performance.now();
    const result = await harness.present(goodOld);
    assert.ok(!(result instanceof Refusal));
    assert.ok(performance.now() - startedAtMs < 150);
    assert.equal(await codeOf(harness, goodNew), 'KEYS_UNAVAILABLE');
  });
});

test('equal plans share one set until the last holder releases it', async (t) => {
  const endpoint = await startEndpoint(t, oldKey.jwk);
  const store = createKeySetStore({
    fetch,
    clock: () => nowMs,
    random: () => 0,
    onWarning: () => undefined,
  });
  t.after(() => store.close());
  const first = store.acquire(endpoint.plan);
  const second = store.acquire({ ...endpoint.plan });
  assert.equal(first, second);
  await first.ready;
  store.release(endpoint.plan);
  assert.notEqual(first.refetch(), null);
  store.release(endpoint.plan);
  assert.equal(first.refetch(), null);
  assert.notEqual(store.acquire(endpoint.plan), first);
});
