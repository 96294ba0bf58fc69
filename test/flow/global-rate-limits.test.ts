import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, sendMcp, type Answer } from '../harness/http-client.ts';
import { metricValue } from '../harness/metric-value.ts';
import { freePort } from '../harness/free-port.ts';
import {
  gateway,
  glooJwt,
  glooPolicy,
  localJwks,
  mcpBackend,
  route,
  yaml,
} from '../harness/resources.ts';
import { GATEWAY_GROUP, type Resource } from '../harness/resources.ts';
import { startPostern } from '../harness/postern.ts';
import { redisPassword, startRedis, withoutRedis } from '../harness/redis-server.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

/** An AgentgatewayPolicy on the route: so many requests in an hour for each principal. */
function limit(annotation: string | null, failureMode = 'FailClosed', name = 'shared'): Resource {
  return {
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayPolicy',
    metadata: {
      name,
      ...(annotation === null
        ? {}
        : { annotations: { 'postern.dev/global-rate-limit': annotation } }),
    },
    spec: {
      targetRefs: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute', name: 'mcp' }],
      traffic: {
        rateLimit: {
          global: {
            domain: 'tests',
            failureMode,
            descriptors: [{ entries: [{ name: 'sub', expression: 'jwt.sub' }] }],
          },
        },
      },
    },
  };
}

describe('global rate limits', { skip: withoutRedis }, () => {
  let upstream: FakeUpstream;
  let issuer: TokenIssuer;
  let tokens: Record<'alice' | 'bob', string>;

  before(async () => {
    upstream = await startFakeUpstream(fileScope);
    issuer = await createIssuer();
    tokens = {
      alice: await issuer.sign({ sub: 'alice' }),
      bob: await issuer.sign({ sub: 'bob' }),
    };
  });

  const start = (url: string, ...more: readonly Resource[]): Promise<Gate> =>
    startGate(fileScope, {
      upstreamPort: upstream.port,
      env: { POSTERN_REDIS_URL: url },
      more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })), ...more],
    });
  const ask = (gate: Gate, who: 'alice' | 'bob'): Promise<Answer> =>
    sendMcp(gate.port, ping, { token: tokens[who] });

  /** The connection to Redis comes up beside the listeners. */
  const untilCounted = (gate: Gate): Promise<unknown> =>
    until('Redis to be asked', async () => (await ask(gate, 'bob')).status !== 503);

  test('are shared by two gates, for each principal, and outlast a gate', async () => {
    const redis = await startRedis(fileScope);
    const gates = [await start(redis.url, limit('4/1h')), await start(redis.url, limit('4/1h'))];
    for (const gate of gates) await untilCounted(gate);
    const statuses: number[] = [];
    for (const gate of [...gates, ...gates, ...gates])
      statuses.push((await ask(gate, 'alice')).status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 429, 429]);

    const [first, second] = gates;
    assert(first !== undefined && second !== undefined);
    const refused = await ask(second, 'alice');
    assert.equal(refused.text, 'rate limit exceeded');
    assert.equal(refused.headers['x-ratelimit-limit'], '4');
    assert.equal(refused.headers['x-ratelimit-remaining'], '0');
    const seconds = Number(refused.headers['retry-after']);
    assert(seconds > 3000 && seconds <= 3600, String(seconds));
    await second.waitForAccessLine(/http\.status=429 .*reason=RateLimit policy=default\/shared/);
    assert.equal((await ask(first, 'bob')).status, 200);

    await first.stop();
    const third = await start(redis.url, limit('4/1h'));
    await until('Redis to be asked', async () => (await ask(third, 'alice')).status === 429);
  });

  for (const [mode, status] of [
    ['FailClosed', 503],
    ['FailOpen', 200],
  ] as const) {
    test(`without Redis ${mode} answers ${status}, soon, and recovers`, async () => {
      const redis = await startRedis(fileScope);
      const gate = await start(redis.url, limit('1000/1h', mode));
      await untilCounted(gate);
      assert.equal((await ask(gate, 'alice')).status, 200);

      // Stopped, it keeps its connections and says nothing; so waiting must end by itself.
      redis.kill('SIGSTOP');
      for (let count = 0; count < 3; count += 1) {
        const startedAt = performance.now();
        const answer = await ask(gate, 'alice');
        assert.equal(answer.status, status);
        assert(performance.now() - startedAt < 3000);
        if (status === 503) {
          assert.equal(answer.text, 'rate limit failed');
          assert.equal(answer.headers['retry-after'], '1');
        }
      }
      const floods = Array.from({ length: 50 }, () => ask(gate, 'alice'));
      for (const answer of await Promise.all(floods)) assert.equal(answer.status, status);
      const failures = { policy: 'default/shared' };
      assert(
        metricValue(await gate.metrics(), 'postern_global_rate_limit_failures_total', failures) >=
          53,
      );
      redis.kill('SIGCONT');
      await until('Redis to count again', async () => {
        const text = (await ask(gate, 'alice')).status;
        const page = await gate.metrics();
        const before = metricValue(page, 'postern_global_rate_limit_failures_total', failures);
        if (text !== 200) return false;
        await ask(gate, 'alice');
        const after = await gate.metrics();
        return metricValue(after, 'postern_global_rate_limit_failures_total', failures) === before;
      });

      redis.kill('SIGKILL');
      await until('Redis to be missed', async () => (await ask(gate, 'alice')).status === status);
      await gate.waitForProcessLine(/the Redis of the global rate limits can't be used/);
      for (const log of [gate.processLog(), gate.accessLog(), (await gate.admin('/config')).text]) {
        assert(!log.includes(redisPassword));
      }
    });
  }

  test('routes without such a policy do not wait for Redis, nor start it', async () => {
    const gate = await start('redis://127.0.0.1:1/0');
    assert.equal((await ask(gate, 'alice')).status, 200);
    assert(!gate.processLog().includes('Redis'));
  });
});

describe('a global rate limit that can not work is refused at start', () => {
  const rows = [
    ['without POSTERN_REDIS_URL', limit('4/1h'), {}, /POSTERN_REDIS_URL is not set/],
    ['without its numbers', limit(null), {}, /postern\.dev\/global-rate-limit must say/],
    ['with a window of no whole seconds', limit('4/1500ms'), {}, /must say how many requests/],
    [
      'with a URL of something else',
      limit('4/1h'),
      { POSTERN_REDIS_URL: 'http://user:hidden-word@x' },
      /POSTERN_REDIS_URL must be a URL of the form/,
    ],
  ] as const;
  for (const [what, policy, env, message] of rows) {
    test(what, async () => {
      const upstream = await startFakeUpstream(fileScope);
      const postern = await startPostern(fileScope, {
        resources: yaml(
          gateway({ port: await freePort() }),
          mcpBackend({ port: upstream.port }),
          route(),
          policy,
        ),
        env,
        waitUntilReady: false,
      });
      assert.equal(await postern.waitForExit(), 1);
      assert.match(postern.processLog(), message);
      assert(!postern.processLog().includes('hidden-word'));
    });
  }
});
