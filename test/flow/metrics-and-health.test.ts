import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { beginEvents, startFakeUpstream, json, ok } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { mcpHeaders, open, ping, send, sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

for (const workers of [1, 2]) {
  describe(`the metrics of ${workers} worker(s)`, () => {
    let gate: Gate;
    let issuer: TokenIssuer;

    before(async () => {
      const upstream = await startFakeUpstream(fileScope, (request, response) => {
        if (request.method === 'GET') beginEvents(response);
        else return json(ok)(request, response);
      });
      issuer = await createIssuer();
      gate = await startGate(fileScope, {
        upstreamPort: upstream.port,
        options: [`--workers=${workers}`],
        more: [
          glooPolicy({
            ...glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }),
            ...rbac('jwt.sub == "alice"'),
          }),
        ],
      });
    });

    /** The samples whose name matches and whose labels include all of these. */
    async function samples(name: RegExp, labels: Readonly<Record<string, string>> = {}) {
      const lines = (await gate.metrics()).split('\n').filter((line) => !line.startsWith('#'));
      return lines
        .filter(
          (line) =>
            name.test(line.replace(/[{ ].*/, '')) &&
            Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)),
        )
        .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
    }
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

    test('count each request by route, status and reason', async () => {
      const token = await issuer.sign({ sub: 'alice' });
      const bob = await issuer.sign({ sub: 'bob' });
      for (let count = 0; count < 5; count += 1) await sendMcp(gate.port, ping, { token });
      for (let count = 0; count < 3; count += 1) await sendMcp(gate.port, ping);
      for (let count = 0; count < 2; count += 1) await sendMcp(gate.port, ping, { token: bob });
      await send({ port: gate.port, path: '/nowhere' });

      const expected = [
        [5, { status: '200', method: 'POST' }],
        [3, { status: '403', reason: 'JwtAuth' }],
        [2, { status: '403', reason: 'Authorization' }],
        [1, { status: '404', reason: 'NotFound' }],
      ] as const;
      for (const [count, labels] of expected) {
        await until(`${count} of ${JSON.stringify(labels)}`, async () => {
          const found = await samples(/^postern_requests_total$/, labels);
          return found.length > 0 && sum(found) === count;
        });
      }
      const routed = await samples(/^postern_requests_total$/, {
        gateway: 'default/gate',
        listener: 'http',
        route: 'default/mcp',
        backend: 'default/mcp',
      });
      assert.equal(sum(routed) >= 5, true);
    });

    test('have histograms of durations', async () => {
      assert(sum(await samples(/^postern_request_duration_seconds_count$/)) >= 11);
      assert(sum(await samples(/^postern_upstream_duration_seconds_count$/)) >= 5);
    });

    test('count tokens that were verified, remembered and refused', async () => {
      const text = await gate.metrics();
      assert.match(text, /^postern_tokens_total\{[^}]*verified[^}]*\} [1-9]/m);
      assert.match(text, /^postern_tokens_total\{[^}]*cached[^}]*\} [1-9]/m);
    });

    test('never name a path, a token or a subject', async () => {
      await send({ port: gate.port, path: '/x'.repeat(40), method: 'BREW' });
      const text = await gate.metrics();
      for (const secret of ['alice', 'bob', '/x/x', 'BREW', '/nowhere']) {
        assert(!text.includes(secret), secret);
      }
    });

    test('show streams while they are open', async () => {
      const { request } = await open({
        port: gate.port,
        method: 'GET',
        headers: mcpHeaders(await issuer.sign({ sub: 'alice' })),
      });
      await until(
        'an open stream',
        async () => sum(await samples(/^postern_open_requests$/)) === 1,
      );
      request.destroy();
      await until(
        'no open stream',
        async () => sum(await samples(/^postern_open_requests$/)) === 0,
      );
    });

    test('are in the exposition format', async () => {
      const text = await gate.metrics();
      const names = new Set<string>();
      for (const line of text.split('\n')) {
        const [, helped] = /^# HELP (\S+) /.exec(line) ?? [];
        if (helped === undefined) continue;
        assert(!names.has(helped), `${helped} is described twice`);
        names.add(helped);
      }
      assert(names.size > 10);
      for (const line of text.split('\n')) {
        assert.match(line, /^(#.*|[a-z_][a-z0-9_]*(\{.*\})? -?([0-9.e+-]+|NaN|\+Inf))?$/i);
      }
    });

    test('are served on their own port alone', async () => {
      assert.equal((await send({ port: gate.port, path: '/metrics' })).status, 404);
      assert.equal((await gate.admin('/metrics')).status, 404);
    });
  });
}

describe('the admin port', () => {
  let gate: Gate;
  let issuer: TokenIssuer;

  before(async () => {
    const upstream = await startFakeUpstream(fileScope);
    issuer = await createIssuer();
    gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      env: { UPSTREAM_SECRET: 'very-secret-value' },
      more: [
        glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'unused' },
          stringData: { password: '${UPSTREAM_SECRET}' },
        },
      ],
    });
  });

  test('says that the gate lives and is ready', async () => {
    assert.equal((await gate.admin('/healthz/live')).status, 200);
    assert.equal((await gate.admin('/healthz/ready')).status, 200);
  });

  test('shows the configuration in force without secrets', async () => {
    const { status, text } = await gate.admin('/config');
    assert.equal(status, 200);
    const config = JSON.parse(text) as { generation: number };
    assert.equal(config.generation, 1);
    assert.match(text, /default\/gate/);
    assert(!text.includes('very-secret-value'));
  });

  test('shows the conditions of every resource', async () => {
    const { text } = await gate.admin('/status');
    for (const word of ['Accepted', 'ResolvedRefs', 'Attached', 'GlooTrafficPolicy']) {
      assert(text.includes(word), word);
    }
  });

  test('answers no other name, so that no web page can read it', async () => {
    const { status } = await send({
      port: gate.adminPort,
      path: '/config',
      headers: { host: 'evil.example' },
    });
    assert.equal(status, 403);
  });

  test('is not reachable through the gate', async () => {
    assert.equal((await send({ port: gate.port, path: '/healthz/ready' })).status, 404);
    assert.equal((await send({ port: gate.port, path: '/config' })).status, 404);
  });
});
