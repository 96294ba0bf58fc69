import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createAuthorizationServer,
  type AuthorizationServerTiming,
} from '../../src/discover/authorization-server.ts';
import {
  createFetchMetadata,
  metadataPaths,
  type FetchedMetadata,
} from '../../src/discover/fetch-metadata.ts';
import type { AuthorizationServerPlan } from '../../src/plan.ts';

const plan: AuthorizationServerPlan = {
  issuer: 'https://idp.test/realms/mcp',
  target: { name: 'idp', host: 'idp.test', port: 443, path: null, protocol: 'HTTP', tls: null },
  audience: null,
};

const good: FetchedMetadata = { outcome: 'found', members: { issuer: plan.issuer } };
const down: FetchedMetadata = { outcome: 'failed', problem: 'down' };

function start(timing: Partial<AuthorizationServerTiming> = {}, of = plan) {
  const state = { nowMs: 1_000_000, answer: good, fetches: 0, warnings: [] as string[] };
  const server = createAuthorizationServer(of, {
    fetch: async () => {
      state.fetches += 1;
      await Promise.resolve();
      return state.answer;
    },
    clock: () => state.nowMs,
    onWarning: (warning) => state.warnings.push(warning),
    timing: { freshMs: 100, staleMs: 1000, cooldownMs: 10, ...timing },
  });
  const outcome = async () => (await server.metadata()).outcome;
  return { state, server, outcome };
}

describe('the mirrored metadata', () => {
  test('is fetched by one fetch for all who ask, and then served from memory', async () => {
    const { state, server } = start();
    const asked = await Promise.all([server.metadata(), server.metadata(), server.metadata()]);
    assert.equal(state.fetches, 1);
    for (const one of asked) {
      assert.deepEqual(one, {
        outcome: 'found',
        document: JSON.stringify({ issuer: plan.issuer }),
      });
    }
    state.nowMs += 99;
    assert.ok(!(server.metadata() instanceof Promise));
    state.nowMs += 1;
    await server.metadata();
    assert.equal(state.fetches, 2);
  });

  test('stays while the issuer is down, up to a bound', async () => {
    const { state, outcome } = start();
    assert.equal(await outcome(), 'found');
    state.answer = down;
    state.nowMs += 500;
    assert.equal(await outcome(), 'found');
    state.nowMs += 499;
    assert.equal(await outcome(), 'found');
    state.nowMs += 1;
    assert.equal(await outcome(), 'unavailable');
    assert.ok(state.warnings.every((warning) => warning === `metadata of ${plan.issuer}: down`));
    state.answer = good;
    state.nowMs += 10;
    assert.equal(await outcome(), 'found');
  });

  test('is not asked for again within the cooldown', async () => {
    const { state, outcome } = start();
    state.answer = { outcome: 'absent' };
    for (let asked = 0; asked < 10; asked += 1) assert.equal(await outcome(), 'absent');
    assert.equal(state.fetches, 1);
    state.nowMs += 10;
    await outcome();
    assert.equal(state.fetches, 2);
  });

  test('is asked for again when the clock was set back', async () => {
    const { state, outcome } = start();
    await outcome();
    state.nowMs -= 500;
    await outcome();
    assert.equal(state.fetches, 2);
  });

  test('survives a fetch that rejects', async () => {
    const server = createAuthorizationServer(plan, {
      fetch: () => Promise.reject(new Error('bug')),
      clock: () => 0,
      onWarning: () => undefined,
    });
    assert.deepEqual(await server.metadata(), { outcome: 'unavailable' });
  });

  test('is given up at the deadline', async () => {
    const server = createAuthorizationServer(plan, {
      fetch: (_plan, signal) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(down))),
      clock: () => 0,
      onWarning: () => undefined,
      timing: { fetchTimeoutMs: 20 },
    });
    const keepAlive = setInterval(() => undefined, 1000);
    assert.deepEqual(await server.metadata(), { outcome: 'unavailable' });
    clearInterval(keepAlive);
  });

  test('gets the audience where the provider needs one', async () => {
    const { state, server } = start({}, { ...plan, audience: 'https://castle.test/mcp' });
    const members = { issuer: plan.issuer, authorization_endpoint: 'https://idp.test/a?b=c' };
    state.answer = { outcome: 'found', members };
    const served = await server.metadata();
    assert.ok(served.outcome === 'found');
    assert.match(served.document, /a\?b=c&audience=https%3A%2F%2Fcastle\.test%2Fmcp"/);
  });
});

describe('fetching', () => {
  test('asks at the address of RFC 8414, then at those of OpenID Connect', () => {
    const [oauth, inserted, appended] = [
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/.well-known/openid-configuration',
    ];
    assert.deepEqual(metadataPaths('https://idp.test'), [oauth, appended]);
    assert.deepEqual(metadataPaths('https://idp.test/'), [oauth, appended]);
    for (const issuer of ['https://idp.test/a/b', 'https://idp.test/a/b/']) {
      assert.deepEqual(metadataPaths(issuer), [
        `${oauth}/a/b`,
        `${inserted}/a/b`,
        `/a/b${appended}`,
      ]);
    }
  });

  const fetchOf = async (answers: Readonly<Record<string, [status: number, body: string]>>) => {
    const asked: string[] = [];
    const fetched = await createFetchMetadata(async (_target, { path, authority }) => {
      await Promise.resolve();
      asked.push(`${authority}${path}`);
      const [status, body] = answers[path] ?? [404, ''];
      if (status === 0) throw new Error('refused');
      return { status, headers: [], body: Buffer.from(body) };
    })(plan, new AbortController().signal);
    return { fetched, asked };
  };
  const first = '/.well-known/oauth-authorization-server/realms/mcp';
  const last = '/realms/mcp/.well-known/openid-configuration';
  const right = JSON.stringify({ issuer: plan.issuer, token_endpoint: 't' });

  test('takes the first document that is of the issuer', async () => {
    const { fetched, asked } = await fetchOf({ [first]: [200, '<html>'], [last]: [200, right] });
    assert.equal(fetched.outcome, 'found');
    assert.equal(asked.length, 3);
    assert.ok(asked.every((one) => one.startsWith('idp.test/')));
  });

  const rows: readonly [why: string, answer: [number, string], problem: string][] = [
    ['another issuer', [200, '{"issuer":"https://evil.test"}'], 'of another issuer'],
    ['an issuer but for a slash', [200, `{"issuer":"${plan.issuer}/"}`], 'of another issuer'],
    ['no issuer', [200, '{}'], 'of another issuer'],
    ['two issuers', [200, `{"issuer":"a","issuer":"${plan.issuer}"}`], 'a member occurs twice'],
    ['no JSON', [200, '<html>'], 'not JSON'],
    ['a list', [200, '[]'], 'no JSON object'],
    ['too much', [200, `{"a":"${'x'.repeat(256 * 1024)}"}`], 'too large'],
    ['a redirect', [302, ''], 'status 302'],
    ['a fault', [500, right], 'status 500'],
    ['no answer', [0, ''], 'the fetch failed: refused'],
  ];
  for (const [why, answer, problem] of rows) {
    test(`takes none with ${why}`, async () => {
      const { fetched } = await fetchOf({ [first]: answer });
      assert.ok(
        fetched.outcome === 'failed' && fetched.problem.includes(problem),
        JSON.stringify(fetched),
      );
    });
  }

  test('knows that there is none where every address says so', async () => {
    const { fetched } = await fetchOf({});
    assert.deepEqual(fetched, { outcome: 'absent' });
  });
});
