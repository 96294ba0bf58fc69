/** Open streams end together with the right to them, and nobody else's do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  beginEvents,
  event,
  startFakeUpstream,
  type FakeUpstream,
  type ReceivedRequest,
} from '../harness/fake-upstream.ts';
import { readEvents, type EventReader } from '../harness/event-reader.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { startJwksServer } from '../harness/jwks-server.ts';
import {
  glooJwt,
  glooPolicy,
  KGATEWAY_GROUP,
  localJwks,
  mcpBackend,
  rbac,
  remoteJwks,
  route,
  staticBackend,
  type Resource,
} from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { sleep, until } from '../harness/until.ts';

const issuer = await createIssuer();
const other = await createIssuer({ issuer: 'https://other.test', kid: 'key-2' });
const SKEW_S = 60;

const provider = (from: typeof issuer) => ({ issuer: from.issuer, ...localJwks(from.jwk) });
const jwt = (...issuers: (typeof issuer)[]) =>
  glooPolicy({
    glooJWT: {
      beforeExtAuth: {
        providers: Object.fromEntries(issuers.map((one) => [one.kid, provider(one)])),
      },
    },
  });
const call = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'slow', arguments: { amount: 5 } },
};
const first = event('{"jsonrpc":"2.0","method":"notifications/message","params":{}}');

/** Begins a stream on every request, and leaves it open. */
function startStreamer(scope: Scope): Promise<FakeUpstream> {
  return startFakeUpstream(scope, (_request, response) => {
    beginEvents(response);
    response.write(first);
  });
}

async function start(scope: Scope, more: readonly Resource[], options: readonly string[] = []) {
  const upstream = await startStreamer(scope);
  const gate = await startGate(scope, {
    upstreamPort: upstream.port,
    more,
    options: ['--token-expiry-grace=500ms', ...options],
  });
  return { upstream, gate };
}

/** Opens a stream and waits for its first event. */
async function openStream(
  { gate, upstream }: { gate: Gate; upstream: FakeUpstream },
  options: Parameters<typeof readEvents>[1],
): Promise<{ reader: EventReader; received: ReceivedRequest }> {
  const before = upstream.requests.length;
  const reader = await readEvents(gate.port, options);
  assert.equal(reader.status, 200);
  await until('the first event', () => reader.text.includes(first));
  return { reader, received: upstream.requests[before] ?? assert.fail() };
}

async function assertEnds(
  run: { gate: Gate },
  { reader, received }: Awaited<ReturnType<typeof openStream>>,
  line: RegExp,
): Promise<void> {
  await until('the end of the stream', () => reader.end !== 'open', 20_000);
  assert.equal(reader.end, 'clean');
  await received.aborted;
  const logged = await run.gate.waitForAccessLine(line);
  assert.match(logged, /http\.status=200/);
}

async function assertOpen({ reader }: Awaited<ReturnType<typeof openStream>>): Promise<void> {
  await sleep(1500);
  assert.equal(reader.end, 'open');
}

describe('a stream ends', { concurrency: false }, () => {
  for (const [what, message] of [
    ['of a GET', undefined],
    ['that answers a POST', call],
  ] as const) {
    test(`${what} when its token expires, and the streams of others do not`, async (t) => {
      const run = await start(t, [jwt(issuer)]);
      const expSeconds = Math.floor(Date.now() / 1000) + 3;
      const [short, long] = await Promise.all([
        issuer.sign({ sub: 'alice', exp: expSeconds }),
        issuer.sign({ sub: 'bob' }),
      ]);
      const alice = await openStream(run, { token: short, message });
      const bob = await openStream(run, { token: long, message });
      await assertEnds(run, alice, /error=stream ended: its token has expired.*reason=JwtAuth/);
      const lateMs = performance.timeOrigin + alice.reader.endedAtMs - expSeconds * 1000;
      assert(lateMs > 0 && lateMs < 10_000, `${lateMs} ms after the token`);
      await assertOpen(bob);
      assert.match(
        await run.gate.metrics(),
        /^postern_streams_ended_total\{reason="token_expired"\} 1$/m,
      );
    });
  }

  test('not at once where it was opened within the clock skew', async (t) => {
    const run = await start(t, [jwt(issuer)]);
    const exp = Math.floor(Date.now() / 1000) - SKEW_S / 2;
    await assertOpen(await openStream(run, { token: await issuer.sign({ exp }) }));
  });

  test('when the key of its token is removed from a remote set', async (t) => {
    const [old, next] = [await createIssuer({ kid: 'old' }), await createIssuer({ kid: 'next' })];
    const jwks = await startJwksServer(t, [old.jwk, next.jwk]);
    const run = await start(t, [
      staticBackend({ name: 'idp', port: jwks.port }),
      glooPolicy(glooJwt({ issuer: old.issuer, ...remoteJwks({ cacheDuration: '500ms' }) })),
    ]);
    const alice = await openStream(run, { token: await old.sign() });
    const bob = await openStream(run, { token: await next.sign() });
    jwks.publish(next.jwk);
    await assertEnds(run, alice, /error=stream ended: the key of its token was removed/);
    await assertOpen(bob);
  });

  test('when a reload removes its provider', async (t) => {
    const run = await start(t, [jwt(issuer, other)]);
    const alice = await openStream(run, { token: await issuer.sign(), message: call });
    const bob = await openStream(run, { token: await other.sign(), message: call });
    await run.gate.reload(run.gate.resources(jwt(other)));
    await assertEnds(run, alice, /error=stream ended: no provider accepts its token any more/);
    await assertOpen(bob);
  });

  test('when a reload replaces the key under the same name', async (t) => {
    const run = await start(t, [jwt(issuer)]);
    const alice = await openStream(run, { token: await issuer.sign() });
    await run.gate.reload(run.gate.resources(jwt(await createIssuer())));
    await assertEnds(run, alice, /error=stream ended: the key of its token was removed/);
  });

  test('of an anonymous caller when a reload asks for a token', async (t) => {
    const run = await start(t, []);
    const stream = await openStream(run, {});
    await run.gate.reload(run.gate.resources(jwt(issuer)));
    await assertEnds(run, stream, /error=stream ended: it has no token, and now needs one/);
  });

  test('when reloaded HTTP rules refuse its owner', async (t) => {
    const run = await start(t, [jwt(issuer)]);
    const alice = await openStream(run, { token: await issuer.sign({ sub: 'alice' }) });
    const bob = await openStream(run, { token: await issuer.sign({ sub: 'bob' }) });
    const rules = glooPolicy(rbac('jwt.sub == "bob"'), { name: 'rules' });
    await run.gate.reload(run.gate.resources(jwt(issuer), rules));
    await assertEnds(
      run,
      alice,
      /error=stream ended: the rules do not allow it any more.*reason=Authorization policy=default\/rules/,
    );
    await assertOpen(bob);
  });

  test('when reloaded MCP rules refuse the call that it answers', async (t) => {
    const rules = (...expressions: string[]) =>
      glooPolicy(rbac(...expressions), {
        name: 'tools',
        target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' },
      });
    const run = await start(t, [jwt(issuer), rules('true')]);
    const token = await issuer.sign();
    const called = await openStream(run, { token, message: call });
    const pinged = await openStream(run, {
      token,
      message: { ...call, method: 'ping', params: {} },
    });
    const got = await openStream(run, { token });
    await run.gate.reload(run.gate.resources(jwt(issuer), rules('mcp.tool.arguments.amount < 5')));
    await assertEnds(run, called, /reason=Authorization policy=default\/tools.*tools\/call/);
    await assertOpen(pinged);
    assert.equal(got.reader.end, 'open');
    await run.gate.reload(run.gate.resources(jwt(issuer)));
    await assertEnds(run, got, /error=stream ended: its backend has rules now/);
  });

  test('when its route, or its backend, is removed', async (t) => {
    const run = await start(t, [route({ name: 'second', prefix: '/second' })]);
    const stays = await openStream(run, {});
    const moves = await openStream(run, { path: '/second' });
    const more = [
      mcpBackend({ name: 'elsewhere', port: run.upstream.port }),
      route({ name: 'second', prefix: '/second', backend: 'elsewhere' }),
    ];
    await run.gate.reload(run.gate.resources(...more));
    await assertEnds(run, moves, /http\.path=\/second.*error=stream ended: its route or backend/);
    await assertOpen(stays);
  });

  test('not when a reload changes nothing for it', async (t) => {
    const run = await start(t, [jwt(issuer)]);
    const stream = await openStream(run, { token: await issuer.sign() });
    const more = [jwt(issuer, other), route({ name: 'second', prefix: '/second' })];
    await run.gate.reload(run.gate.resources(...more));
    await assertOpen(stream);
  });
});

test('a long answer that is no stream is cut when its token expires', async (t) => {
  const upstream = await startFakeUpstream(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('half');
  });
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    more: [jwt(issuer)],
    options: ['--token-expiry-grace=0'],
  });
  const exp = Math.floor(Date.now() / 1000) + 2;
  const reader = await readEvents(gate.port, { token: await issuer.sign({ exp }) });
  await until('the end', () => reader.end !== 'open');
  assert.equal(reader.end, 'cut');
  await upstream.requests[0]?.aborted;
});
