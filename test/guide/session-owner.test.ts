/**
 * Session ids are sealed for their owner and backend: the upstream's own id never reaches a client, and
 * nobody else's id, nor a made-up one, opens a session.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, ping, send, sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks, mcpBackend, route } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const UPSTREAM_ID = 'the-upstreams-own-id';
const HEADER = 'mcp-session-id';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const bob = await issuer.sign({ sub: 'bob' });
const key = randomBytes(32).toString('hex');

let upstream: FakeUpstream;
let gate: Gate;

function startSessionGate(env: Readonly<Record<string, string>>): Promise<Gate> {
  return startGate(fileScope, {
    upstreamPort: upstream.port,
    env,
    more: [
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      mcpBackend({ port: upstream.port, name: 'other' }),
      route({ name: 'other', prefix: '/other', backend: 'other' }),
    ],
  });
}

before(async () => {
  upstream = await startFakeUpstream(fileScope, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', [HEADER]: UPSTREAM_ID });
    response.end('{"jsonrpc":"2.0","id":1,"result":{}}');
  });
  gate = await startSessionGate({ POSTERN_SESSION_KEY: key });
});

async function openSession(port = gate.port): Promise<string> {
  const { status, headers } = await sendMcp(port, initialize, { token: alice });
  assert.equal(status, 200);
  return String(headers[HEADER]);
}

const use = (session: string, token: string, path = '/mcp', port = gate.port) =>
  sendMcp(port, ping, { token, path, headers: { [HEADER]: session } });

describe('a session id', () => {
  test('is not the upstream\u2019s, and the upstream gets its own back', async () => {
    const session = await openSession();
    assert.match(session, /^[\w-]+$/);
    assert.ok(!Buffer.from(session, 'base64url').includes(UPSTREAM_ID));
    assert.equal((await use(session, alice)).status, 200);
    const { headers } = upstream.requests.at(-1) ?? assert.fail();
    assert.equal(headers[HEADER], UPSTREAM_ID);
  });

  test('stands in the log as a hash', async () => {
    const session = await openSession();
    await use(session, alice);
    await gate.waitForAccessLine(/mcp\.method\.name=ping mcp\.session\.id=[0-9a-f]{16}/);
    for (const text of [session, UPSTREAM_ID]) assert.ok(!gate.accessLog().includes(text));
  });

  const rows: readonly [string, (session: string) => ReturnType<typeof send>][] = [
    ['of another principal', (session) => use(session, bob)],
    ['of another backend', (session) => use(session, alice, '/other')],
    ['that is the upstream\u2019s own', () => use(UPSTREAM_ID, alice)],
    ['that was changed', (session) => use(`${session.slice(0, -3)}AAA`, alice)],
    ['that was made up', () => use(randomBytes(60).toString('base64url'), alice)],
    ['that is empty', () => use('', alice)],
  ];
  for (const [name, attempt] of rows) {
    test(`${name} is answered with 404, as an unknown one, and nothing goes upstream`, async () => {
      const session = await openSession();
      const before = upstream.requests.length;
      const answer = await attempt(session);
      assert.equal(answer.status, 404);
      assert.equal(answer.text, 'Session not found');
      assert.equal(upstream.requests.length, before);
    });
  }

  for (const method of ['GET', 'DELETE']) {
    test(`is checked for ${method} too`, async () => {
      const session = await openSession();
      const ask = (token: string) =>
        send({
          port: gate.port,
          path: '/mcp',
          method,
          headers: { authorization: `Bearer ${token}`, [HEADER]: session },
        });
      assert.equal((await ask(bob)).status, 404);
      assert.equal((await ask(alice)).status, 200);
    });
  }

  test('is good at every gate with the same key, also after a rotation, and at no other', async () => {
    const session = await openSession();
    const next = randomBytes(32).toString('base64');
    const replica = await startSessionGate({ POSTERN_SESSION_KEY: `${next},${key}` });
    assert.equal((await use(session, alice, '/mcp', replica.port)).status, 200);
    const stranger = await startSessionGate({});
    assert.equal((await use(session, alice, '/mcp', stranger.port)).status, 404);
  });
});

test('a session key that is no key keeps the gate from starting, and is not repeated', async () => {
  const bad = await startGate(fileScope, {
    upstreamPort: upstream.port,
    env: { POSTERN_SESSION_KEY: 'secret-but-short' },
    waitUntilReady: false,
  });
  assert.equal(await bad.waitForExit(), 1);
  assert.match(bad.processLog(), /POSTERN_SESSION_KEY.*32 octets/);
  assert.ok(!bad.processLog().includes('secret-but-short'));
});
