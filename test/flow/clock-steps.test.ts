/**
 * The wall clock of the running gate is set by hours. What has a date (tokens, sealed sessions) follows it; what has a
 * length (timeouts, keep-alives, rate limits, ejection) does not notice.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { beginEvents, json, ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { initialize, mcpHeaders, open, ping, sendMcp } from '../harness/http-client.ts';
import { startJwksServer } from '../harness/jwks-server.ts';
import {
  glooJwt,
  glooPolicy,
  localJwks,
  remoteJwks,
  route,
  staticBackend,
} from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { sleep, until } from '../harness/until.ts';

const HOUR_MS = 3_600_000;

/** The clock of the gates that get `env`. */
function startClock(scope: Scope) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-clock-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'shift');
  const set = (shiftMs: number) => {
    writeFileSync(`${file}.draft`, String(shiftMs));
    renameSync(`${file}.draft`, file);
  };
  set(0);
  const preload = new URL('../harness/shift-clock.mjs', import.meta.url).href;
  return {
    env: { TEST_CLOCK_SHIFT: file, NODE_OPTIONS: `--import=${preload}` },
    /** Sets the clock off by so much, and waits until every thread has seen it. */
    async set(shiftMs: number) {
      set(shiftMs);
      await sleep(50);
    },
  };
}

async function startAll(scope: Scope, options: readonly string[] = []) {
  const upstream = await startFakeUpstream(scope, (request, response) => {
    response.setHeader('mcp-session-id', 'upstream-session');
    return json(ok)(request, response);
  });
  const issuer = await createIssuer();
  const clock = startClock(scope);
  const gate = await startGate(scope, {
    upstreamPort: upstream.port,
    more: [glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }))],
    env: clock.env,
    options,
  });
  const ask = async (token: string, headers: Readonly<Record<string, string>> = {}) =>
    sendMcp(gate.port, ping, { token, headers });
  return { upstream, issuer, clock, gate, ask };
}

describe('a step of the wall clock', () => {
  test('forward expires tokens, known ones too; back, they are good again, and what was refused is asked anew', async (t) => {
    const { issuer, clock, ask } = await startAll(t);
    const seconds = Math.floor(Date.now() / 1000);
    const known = await issuer.sign({ sub: 'alice' });
    const fresh = await issuer.sign({ sub: 'bob' });
    const early = await issuer.sign({ nbf: seconds + 2 * 3600, exp: seconds + 4 * 3600 });
    assert.equal((await ask(known)).status, 200);
    assert.equal((await ask(early)).status, 403);

    await clock.set(3 * HOUR_MS);
    for (const token of [known, fresh]) {
      const answer = await ask(token);
      assert.equal(answer.status, 403);
      assert.match(answer.text, /ExpiredSignature/);
    }
    assert.equal((await ask(early)).status, 200);

    await clock.set(0);
    assert.equal((await ask(known)).status, 200);
    assert.equal(
      (await ask(fresh)).status,
      200,
      'the refusal was of an hour that has not come yet',
    );
    assert.match((await ask(early)).text, /ImmatureSignature/);

    await clock.set(-3 * HOUR_MS);
    assert.equal((await ask(known)).status, 200);
    assert.equal((await ask(early)).status, 403, 'no verdict outlives the time that it is for');
  });

  test('ends sealed sessions by their age, and lets none in that is of a later hour', async (t) => {
    const { issuer, clock, gate, ask } = await startAll(t, ['--session-lifetime=1h']);
    const seconds = Math.floor(Date.now() / 1000);
    const token = await issuer.sign({ sub: 'alice', exp: seconds + 1_000_000 });
    const openSession = async () => {
      const id = (await sendMcp(gate.port, initialize, { token })).headers['mcp-session-id'];
      assert.ok(typeof id === 'string');
      return { 'mcp-session-id': id };
    };
    const now = await openSession();
    assert.equal((await ask(token, now)).status, 200);
    await clock.set(5 * HOUR_MS);
    assert.equal((await ask(token, now)).status, 404);
    const later = await openSession();
    assert.equal((await ask(token, later)).status, 200);
    await clock.set(0);
    assert.equal((await ask(token, later)).status, 404);
    assert.equal((await ask(token, now)).status, 200);
  });

  for (const [name, shiftMs] of [
    ['forward', 5 * HOUR_MS],
    ['back', -5 * HOUR_MS],
  ] as const) {
    test(`${name} ends no request, hastens no timeout and delays none`, async (t) => {
      const { upstream, issuer, clock, gate } = await startAll(t, ['--stream-keep-alive=700ms']);
      gate.write(
        gate.resources(
          glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
          route({
            name: 'slow',
            prefix: '/slow',
            rule: { timeouts: { request: '1500ms' } },
          }),
        ),
      );
      await gate.waitForProcessLine(/the new configuration is in force/, 15_000);
      const exp = Math.floor(Date.now() / 1000) + 1_000_000;
      const token = await issuer.sign({ sub: 'alice', exp });
      upstream.script = async (request, response) => {
        if (request.method === 'GET') {
          beginEvents(response);
          return;
        }
        if (request.headers['x-slow'] === '1') await sleep(700);
        if (request.headers['x-slow'] !== 'forever') return json(ok)(request, response);
      };
      const { response } = await open({
        port: gate.port,
        method: 'GET',
        headers: mcpHeaders(token),
      });
      let comments = 0;
      let ended = false;
      response.setEncoding('utf8').on('data', (text: string) => {
        comments += text.split('\n').filter((line) => line.startsWith(':')).length;
      });
      response.on('close', () => (ended = true)).on('error', () => undefined);

      const startedMs = performance.now();
      const slow = sendMcp(gate.port, ping, { token, path: '/slow', headers: { 'x-slow': '1' } });
      const never = sendMcp(gate.port, ping, {
        token,
        path: '/slow',
        headers: { 'x-slow': 'forever' },
      });
      await sleep(200);
      await clock.set(shiftMs);
      assert.equal((await slow).status, 200, 'a step is no timeout');
      assert.equal((await never).status, 504, 'the timeout comes');
      const tookMs = performance.now() - startedMs;
      assert.ok(tookMs >= 1400, `not before its time: ${tookMs} ms`);
      const before = comments;
      await until('keep-alives to go on', () => comments >= before + 2, 15_000);
      assert.equal(ended, false, 'the stream goes on, its token is good for days');
      response.destroy();
    });
  }

  test('does not keep key sets from being fetched again', async (t) => {
    const [first, second] = [await createIssuer(), await createIssuer({ kid: 'key-2' })];
    const idp = await startJwksServer(t, [first.jwk]);
    const upstream = await startFakeUpstream(t);
    const clock = startClock(t);
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: [
        staticBackend({ port: idp.port, name: 'idp' }),
        glooPolicy(glooJwt({ issuer: first.issuer, ...remoteJwks({ cacheDuration: '1s' }) })),
      ],
      env: clock.env,
    });
    const exp = Math.floor(Date.now() / 1000) + 1_000_000;
    await clock.set(-5 * HOUR_MS);
    idp.publish(second.jwk);
    const [old, now] = [await first.sign({ exp }), await second.sign({ exp })];
    await until(
      'the new key',
      async () => (await sendMcp(gate.port, ping, { token: now })).status === 200,
      15_000,
    );
    assert.equal((await sendMcp(gate.port, ping, { token: old })).status, 403);
    const fetches = idp.fetches;
    await until('another fetch', () => idp.fetches > fetches, 15_000);
  });
});
