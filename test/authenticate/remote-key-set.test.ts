import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeySetAnswer } from '../../src/authenticate/fetch-key-set.ts';
import { createKeySetStore, keySetId } from '../../src/authenticate/key-set-store.ts';
import { createRemoteKeySet } from '../../src/authenticate/remote-key-set.ts';
import type {
  FetchedKeys,
  RemoteKeySet,
  RemoteKeySetTiming,
} from '../../src/authenticate/remote-key-set.ts';
import type { RemoteKeysPlan } from '../../src/plan.ts';
import { fastRetry, fetchKeySet, startKeyEndpoint, until } from './key-endpoint.ts';
import { makeKey, nowMs } from './token-issuer.ts';

const oldKey = await makeKey('ES256', 'old');
const newKey = await makeKey('ES256', 'new');

function openSet(
  t: TestContext,
  plan: RemoteKeysPlan,
  timing: Partial<RemoteKeySetTiming> = {},
): RemoteKeySet & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const set = createRemoteKeySet(plan, {
    fetch: fetchKeySet,
    clock: () => nowMs,
    random: () => 0,
    onWarning: (warning) => void warnings.push(warning),
    timing,
  });
  t.after(() => set.close());
  return Object.assign(set, { warnings });
}

describe('a remote key set', () => {
  test('is fetched at once, with the path, query and host of its URL', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
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
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const set = openSet(t, { ...endpoint.plan, cacheDurationMs: 1 }, fastRetry);
    await until(() => endpoint.requests.length >= 3);
    assert.equal(set.generation, 1);
    endpoint.publish(newKey.jwk, oldKey.jwk);
    await until(() => set.find('new').length === 1);
    assert.equal(set.generation, 2);
  });

  test('keeps its keys while the endpoint is down, and recovers', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
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
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const set = openSet(t, endpoint.plan, { unknownKidCooldownMs: 0 });
    await set.ready;
    endpoint.publish();
    await set.refetch();
    assert.equal(set.find('old').length, 0);
  });

  test('leaves an unusable key out and keeps the others', async (t) => {
    const endpoint = await startKeyEndpoint(
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
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const set = openSet(t, { ...endpoint.plan, cacheDurationMs: 1 }, fastRetry);
    await set.ready;
    set.close();
    const { length } = endpoint.requests;
    await sleep(100);
    assert.ok(endpoint.requests.length <= length + 1);
    assert.equal(set.refetch(), null);
  });

  test('closed before the first answer lets nobody wait', async (t) => {
    const endpoint = await startKeyEndpoint(t);
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
      const endpoint = await startKeyEndpoint(t);
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
    const endpoint = await startKeyEndpoint(t);
    const set = openSet(t, { ...endpoint.plan, target: { ...endpoint.plan.target, port: 1 } });
    await until(() => set.state().failures === 1);
    assert.match(set.state().lastProblem ?? '', /^the fetch failed: /);
  });
});

test('an answer that was asked for earlier and comes later is dropped', async (t) => {
  const answers: ((answer: KeySetAnswer) => void)[] = [];
  const set = createRemoteKeySet((await startKeyEndpoint(t)).plan, {
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

test('equal plans share one set until the last holder releases it', async (t) => {
  const endpoint = await startKeyEndpoint(t, oldKey.jwk);
  const store = createKeySetStore({
    fetch: fetchKeySet,
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

describe('what one worker has fetched', () => {
  const options = {
    ...{ clock: () => nowMs, random: () => 0, onWarning: () => undefined },
    timing: { ...fastRetry, fetchTimeoutMs: 5000 },
  };

  /** A set that fetches by itself, and what it tells of that. */
  function teller(t: TestContext, plan: RemoteKeysPlan) {
    const told: FetchedKeys[] = [];
    const set = createRemoteKeySet(plan, {
      ...options,
      fetch: fetchKeySet,
      onFetched: (_plan, keys) => void told.push(keys),
    });
    t.after(() => set.close());
    return { set, told };
  }

  test('is told when the keys are others, and of them what is public and usable', async (t) => {
    const rsa = await makeKey('RS256', 'rsa', { use: 'enc' });
    const endpoint = await startKeyEndpoint(t);
    endpoint.publish({ ...oldKey.jwk, x5c: ['certificate'] }, rsa.jwk, {
      ...newKey.jwk,
      kid: 'private',
      d: 'secret',
    });
    const { set, told } = teller(t, { ...endpoint.plan, cacheDurationMs: 1 });
    await until(() => endpoint.requests.length >= 3);
    assert.equal(told.length, 1);
    const { kty, crv, x, y } = oldKey.jwk;
    assert.deepEqual(told[0], {
      jwks: [
        { kid: 'old', kty, crv, x, y, alg: 'ES256', use: 'sig' },
        { kid: 'rsa', kty: 'RSA', e: rsa.jwk.e, n: rsa.jwk.n, alg: 'RS256', use: 'enc' },
      ],
      fetchedAtMs: nowMs,
    });
    endpoint.publish(newKey.jwk);
    await until(() => set.find('new').length === 1);
    assert.deepEqual(
      told[1]?.jwks.map(({ kid }) => kid),
      ['new'],
    );
  });

  test('is what another begins with, and keeps while the endpoint does not answer', async (t) => {
    const endpoint = await startKeyEndpoint(t, oldKey.jwk);
    const { set, told } = teller(t, endpoint.plan);
    await set.ready;
    const [fetched] = told;
    assert.ok(fetched !== undefined);

    endpoint.answer = (response) => void response.writeHead(503).end();
    const store = createKeySetStore({ ...options, clock: () => nowMs + 7, fetch: fetchKeySet });
    t.after(() => store.close());
    // As it comes from another process.
    const id = keySetId(endpoint.plan);
    store.offer([JSON.parse(JSON.stringify({ id, ...fetched })) as { id: string } & FetchedKeys]);
    const other = store.acquire(endpoint.plan);
    await other.ready;
    assert.equal(other.generation, 1);
    const [key] = set.find('old');
    assert.deepEqual(other.find('old'), [key]);
    assert.equal(other.state().fetchedAtMs, nowMs);
    await until(() => other.state().consecutiveFailures >= 2);
    assert.equal(other.find('old').length, 1);

    const kept = other.find('old')[0];
    endpoint.publish(oldKey.jwk);
    await until(() => other.state().consecutiveFailures === 0);
    assert.equal(other.state().fetchedAtMs, nowMs + 7);
    assert.equal(other.generation, 1, 'tokens that were accepted meanwhile stay so');
    assert.equal(other.find('old')[0], kept);
  });

  test('counts for its own set alone, and not for one that is open', async (t) => {
    const endpoint = await startKeyEndpoint(t);
    endpoint.answer = () => undefined;
    const store = createKeySetStore({ ...options, fetch: fetchKeySet });
    t.after(() => store.close());
    const open = store.acquire(endpoint.plan);
    const jwks = [{ kid: 'old', kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }];
    store.offer([{ id: keySetId(endpoint.plan), jwks, fetchedAtMs: nowMs }]);
    assert.equal(store.acquire(endpoint.plan), open);
    assert.equal(open.generation, 0);
    const elsewhere = { ...endpoint.plan, url: 'http://issuer.test/keys/other.json' };
    assert.equal(store.acquire(elsewhere).generation, 0);
    store.offer([]);
    store.release(endpoint.plan);
    store.release(endpoint.plan);
    assert.equal(store.acquire(endpoint.plan).generation, 0);
  });
});
