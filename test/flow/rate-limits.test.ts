import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, send, sendMcp, type Answer } from '../harness/http-client.ts';
import { metricValue } from '../harness/metric-value.ts';
import {
  GATEWAY_GROUP,
  glooJwt,
  glooPolicy,
  KGATEWAY_GROUP,
  localJwks,
  rbac,
  type Resource,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

const call = (name: string, id: string | number = 7) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

const onBackend = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
const onRoute = { group: GATEWAY_GROUP, kind: 'HTTPRoute', name: 'mcp' };

/** A policy with a bucket that does not fill up while a test runs, unless it says otherwise. */
function limit(
  maxTokens: number,
  options: { name?: string; target?: Resource; key?: string; fillInterval?: string } = {},
): Resource {
  const { name = 'limit', target, key, fillInterval = '1h' } = options;
  const policy = glooPolicy(
    { rateLimit: { local: { tokenBucket: { maxTokens, fillInterval } } } },
    { name, ...(target === undefined ? {} : { target }) },
  );
  const annotations = key === undefined ? {} : { 'postern.dev/rate-limit-key': key };
  return { ...policy, metadata: { name, annotations } };
}

describe('local rate limits', () => {
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

  const start = (...more: readonly Resource[]): Promise<Gate> =>
    startGate(fileScope, {
      upstreamPort: upstream.port,
      more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })), ...more],
    });
  const ask = (gate: Gate, who: 'alice' | 'bob', message: unknown = ping): Promise<Answer> =>
    sendMcp(gate.port, message, { token: tokens[who] });
  async function statuses(count: number, one: () => Promise<Answer>): Promise<number[]> {
    const found: number[] = [];
    for (let index = 0; index < count; index += 1) found.push((await one()).status);
    return found;
  }

  test('of a Gateway: 429 with the headers, for all callers together', async () => {
    const gate = await start(limit(2));
    assert.deepEqual(await statuses(2, () => ask(gate, 'alice')), [200, 200]);
    const refused = await ask(gate, 'bob');
    assert.equal(refused.status, 429);
    assert.equal(refused.text, 'rate limit exceeded');
    assert.equal(refused.headers['x-ratelimit-limit'], '2');
    assert.equal(refused.headers['x-ratelimit-remaining'], '0');
    const seconds = Number(refused.headers['retry-after']);
    assert(seconds > 3500 && seconds <= 3600, String(seconds));
    assert.equal(refused.headers['x-ratelimit-reset'], refused.headers['retry-after']);
    const line = await gate.waitForAccessLine(/http\.status=429/);
    assert.match(line, /error=rate limit exceeded .*reason=RateLimit policy=default\/limit/);
  });

  test('come after authentication and authorization: who is refused there uses up nothing', async () => {
    const gate = await start(
      limit(1),
      glooPolicy(rbac('jwt.sub == "alice"'), { name: 'only-alice' }),
    );
    assert.deepEqual(await statuses(3, () => ask(gate, 'bob')), [403, 403, 403]);
    assert.deepEqual(await statuses(3, () => sendMcp(gate.port, ping)), [403, 403, 403]);
    assert.deepEqual(await statuses(2, () => ask(gate, 'alice')), [200, 429]);
  });

  test('with a key: each principal has his own', async () => {
    const gate = await start(limit(1, { key: 'jwt.sub' }));
    assert.deepEqual(await statuses(2, () => ask(gate, 'alice')), [200, 429]);
    assert.deepEqual(await statuses(2, () => ask(gate, 'bob')), [200, 429]);
    const page = await gate.metrics();
    assert.equal(metricValue(page, 'postern_rate_limit_keys', { policy: 'default/limit' }), 2);
  });

  test('fill up again', async () => {
    const gate = await start(limit(1, { fillInterval: '300ms' }));
    assert.equal((await ask(gate, 'alice')).status, 200);
    await until('a token', async () => (await ask(gate, 'alice')).status === 200);
    await until('an empty table', async () => {
      await ask(gate, 'alice');
      return metricValue(await gate.metrics(), 'postern_rate_limit_keys') <= 1;
    });
  });

  test('of a Backend: per principal and tool, refused in JSON-RPC with the id', async () => {
    const gate = await start(limit(2, { target: onBackend, key: 'jwt.sub + "/" + mcp.tool.name' }));
    assert.deepEqual(await statuses(3, () => ask(gate, 'alice', call('echo'))), [200, 200, 429]);
    const refused = await ask(gate, 'alice', call('echo', 'id-5'));
    assert.deepEqual(JSON.parse(refused.text), {
      jsonrpc: '2.0',
      id: 'id-5',
      error: { code: 429, message: 'rate limit exceeded' },
    });
    assert.equal(refused.headers['content-type'], 'application/json');
    assert.equal((await ask(gate, 'alice', call('add'))).status, 200);
    assert.equal((await ask(gate, 'bob', call('echo'))).status, 200);
  });

  test('a key that cannot be evaluated counts for its caller, and is no way around', async () => {
    const gate = await start(limit(2, { target: onBackend, key: 'mcp.tool.name' }));
    assert.deepEqual(await statuses(3, () => ask(gate, 'alice', ping)), [200, 200, 429]);
    assert.deepEqual(await statuses(3, () => ask(gate, 'bob', ping)), [200, 200, 429]);
  });

  test('of a Backend come after MCP authorization: a refused call uses up nothing', async () => {
    const tools = glooPolicy(rbac('mcp.tool.name == "echo"'), { name: 'tools', target: onBackend });
    const annotations = { 'postern.dev/on-deny': 'forbidden' };
    const gate = await start(limit(1, { target: onBackend }), {
      ...tools,
      metadata: { name: 'tools', annotations },
    });
    assert.deepEqual(await statuses(2, () => ask(gate, 'alice', call('add'))), [403, 403]);
    assert.deepEqual(await statuses(2, () => ask(gate, 'alice', call('echo'))), [200, 429]);
  });

  test('of a Backend count a hidden call as they count one for a tool that is not there', async () => {
    const answer = async (rule: string): Promise<readonly number[]> => {
      const tools = glooPolicy(rbac(rule), { name: 'tools', target: onBackend });
      const gate = await start(limit(2, { target: onBackend }), tools);
      return statuses(3, () => ask(gate, 'alice', call('add')));
    };
    const hidden = await answer('mcp.tool.name == "echo"');
    assert.deepEqual(hidden, await answer('true'));
    assert.deepEqual(hidden, [200, 200, 429]);
  });

  test('of a route replace those of its Gateway as a whole; an empty one turns them off', async () => {
    const gate = await start(limit(1), limit(3, { name: 'route', target: onRoute }));
    assert.deepEqual(await statuses(4, () => ask(gate, 'alice')), [200, 200, 200, 429]);
    const off = glooPolicy({ rateLimit: { local: {} } }, { name: 'route', target: onRoute });
    await gate.reload(
      gate.resources(
        glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
        limit(1),
        off,
      ),
    );
    assert.deepEqual(await statuses(5, () => ask(gate, 'alice')), [200, 200, 200, 200, 200]);
  });

  test('outlast a reload that does not concern them', async () => {
    const jwt = glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }));
    const gate = await start(limit(1));
    assert.equal((await ask(gate, 'alice')).status, 200);
    await gate.reload(gate.resources(jwt, limit(1), glooPolicy(rbac('true'), { name: 'new' })));
    assert.equal((await ask(gate, 'alice')).status, 429);
  });

  test('of an AgentgatewayPolicy: requests of a unit, and a burst on top', async () => {
    const gate = await start({
      apiVersion: 'agentgateway.dev/v1alpha1',
      kind: 'AgentgatewayPolicy',
      metadata: { name: 'limit' },
      spec: {
        targetRefs: [onRoute],
        traffic: { rateLimit: { local: [{ requests: 2, unit: 'Hours', burst: 1 }] } },
      },
    });
    assert.deepEqual(await statuses(4, () => ask(gate, 'alice')), [200, 200, 200, 429]);
  });

  test('a key on a Gateway that reads mcp is refused when the resources are loaded', async () => {
    const gate = await start();
    gate.write(
      gate.resources(limit(1, { key: 'mcp.tool.name' }), limit(1, { name: 'two', key: '1 + 1' })),
    );
    const line = await gate.waitForProcessLine(/only to policies that target a Backend/);
    assert.match(line, /rate-limit-key/);
    await gate.waitForProcessLine(/type of the expression is int, not string/);
    assert.equal((await send({ port: gate.port, path: '/nowhere' })).status, 404);
  });
});
