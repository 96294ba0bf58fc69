/**
 * The gate as an OAuth protected resource: metadata for clients without a token, challenges that lead to it,
 * audiences and scopes.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { FakeIssuer } from '../harness/fake-issuer.ts';
import { ping, send, sendMcp } from '../harness/http-client.ts';
import {
  jwtAuthentication,
  mcpAuthentication,
  startProtectedGate as start,
  type ProtectedGate,
} from '../harness/mcp-authentication.ts';
import { glooJwt, glooPolicy, localJwks, mcpBackend, route } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const host = (value: string) => ({ headers: { host: value } });
const prm = '/.well-known/oauth-protected-resource';

/** The route under an exact hostname, so that the client's URL may be the audience. */
const hosted = route({ hostnames: ['gw.test'] });

describe('a policy on the Backend', () => {
  let shared: ProtectedGate;
  before(async () => (shared = await start(fileScope, policy)));

  const policy = (issuer: FakeIssuer) => [
    hosted,
    mcpAuthentication(issuer, {
      provider: 'Keycloak',
      resourceMetadata: {
        scopesSupported: ['mcp:read'],
        resourceName: 'Castle',
        bearerMethodsSupported: ['header'],
      },
    }),
  ];

  test('is told to clients without a token, by path and for the whole host', async () => {
    const { gate, issuer, upstream } = shared;
    for (const path of [`${prm}/mcp`, prm, `${prm}/mcp/`, `${prm}/`]) {
      const answer = await send({ port: gate.port, path, ...host('GW.test:8443') });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.match(answer.headers['cache-control'] ?? '', /max-age=\d+/);
      assert.deepEqual(JSON.parse(answer.text), {
        resource: 'http://gw.test:8443/mcp',
        authorization_servers: [issuer.issuer],
        scopes_supported: ['mcp:read'],
        bearer_methods_supported: ['header'],
        resource_name: 'Castle',
      });
    }
    assert.equal(upstream.requests.length, 0);
  });

  test('is told to HEAD and to preflights of any page, and to no other method', async () => {
    const { gate } = shared;
    const at = { port: gate.port, path: `${prm}/mcp`, ...host('gw.test') };
    const head = await send({ ...at, method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, '']);
    const headers = {
      host: 'gw.test',
      origin: 'https://page.test',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    };
    const preflight = await send({ ...at, method: 'OPTIONS', headers });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], '*');
    assert.match(preflight.headers['access-control-allow-headers'] ?? '', /mcp-protocol-version/);
    const post = await send({ ...at, body: '{}' });
    assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD, OPTIONS']);
  });

  test('does not believe X-Forwarded-Proto and X-Forwarded-Host', async () => {
    const { gate } = shared;
    const headers = {
      host: 'gw.test',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.test',
      forwarded: 'host=evil.test;proto=https',
    };
    const answer = await send({ port: gate.port, path: `${prm}/mcp`, headers });
    assert.match(answer.text, /"resource":"http:\/\/gw\.test\/mcp"/);
  });

  test('challenges a request without a token, and one with a bad token', async () => {
    const { gate } = shared;
    const metadata = 'resource_metadata="http://gw.test/.well-known/oauth-protected-resource/mcp"';
    const none = await sendMcp(gate.port, ping, host('gw.test'));
    assert.equal(none.status, 401);
    assert.equal(none.headers['www-authenticate'], `Bearer ${metadata}, scope="mcp:read"`);
    const bad = await sendMcp(gate.port, ping, { ...host('gw.test'), token: 'a.b.c' });
    assert.equal(bad.status, 401);
    assert.equal(
      bad.headers['www-authenticate'],
      'Bearer error="invalid_token", error_description="the token header is malformed: Error(InvalidToken)", ' +
        `${metadata}, scope="mcp:read"`,
    );
  });

  test('takes a token for the URL that the client uses, and for no other', async () => {
    const { gate, issuer, upstream } = shared;
    const seen = upstream.requests.length;
    const ask = async (claims: Record<string, unknown>, authority = 'gw.test') =>
      sendMcp(gate.port, ping, { ...host(authority), token: await issuer.sign(claims) });
    assert.equal((await ask({ aud: 'http://gw.test/mcp' })).status, 200);
    assert.equal((await ask({ aud: ['a', 'http://gw.test/mcp'] })).status, 200);
    assert.equal(upstream.requests.at(-1)?.headers.authorization, undefined);
    for (const aud of [
      undefined,
      'http://gw.test',
      'http://other.test/mcp',
      'https://gw.test/mcp',
    ]) {
      const answer = await ask({ aud });
      assert.equal(answer.status, 401, String(aud));
      assert.match(answer.headers['www-authenticate'] ?? '', /InvalidAudience/);
    }
    // The same bytes, seen and accepted before, at another address.
    assert.equal((await ask({ aud: 'http://gw.test/mcp' }, 'gw.test:99')).status, 401);
    assert.equal(upstream.requests.length, seen + 2);
  });

  test('is not in the way of another route, whose path stays open', async (t) => {
    const { gate } = await start(t, (issuer) => [
      ...policy(issuer),
      mcpBackend({ port: 1, name: 'open' }),
      route({ name: 'open', prefix: '/open', backend: 'open', hostnames: ['gw.test'] }),
    ]);
    const open = await send({ port: gate.port, path: `${prm}/open`, ...host('gw.test') });
    assert.equal(open.status, 404);
    const answer = await sendMcp(gate.port, ping, { ...host('gw.test'), path: '/open' });
    assert.equal(answer.status, 503);
  });

  test('adds to what the Gateway demands: both must accept, and the client is challenged', async (t) => {
    const other = await createIssuer({ issuer: 'https://other.test' });
    const { gate, issuer } = await start(t, (own) => [
      ...policy(own),
      glooPolicy(glooJwt({ issuer: 'https://other.test', ...localJwks(other.jwk) })),
    ]);
    const none = await sendMcp(gate.port, ping, host('gw.test'));
    assert.equal(none.status, 401);
    const aud = 'http://gw.test/mcp';
    const ours = await sendMcp(gate.port, ping, {
      ...host('gw.test'),
      token: await issuer.sign({ aud }),
    });
    assert.equal(ours.status, 403);
    const theirs = await sendMcp(gate.port, ping, {
      ...host('gw.test'),
      token: await other.sign({ aud }),
    });
    assert.equal(theirs.status, 401);
  });
});

describe('a resource and audiences of the policy', () => {
  test('are used whatever address the client uses, as the guide has it', async (t) => {
    const resource = 'https://public.test/team/mcp';
    const { gate, issuer } = await start(t, (own) => [
      route({
        rule: {
          matches: [
            { path: { type: 'PathPrefix', value: '/mcp' } },
            { path: { type: 'PathPrefix', value: `${prm}/mcp` } },
            { path: { type: 'PathPrefix', value: '/.well-known/oauth-authorization-server/mcp' } },
          ],
        },
      }),
      mcpAuthentication(own, {
        // One guide prints the key twice.
        resourceMetadata: { resourceMetadata: { resource, scopesSupported: ['email'] } },
      }),
    ]);
    const document = await send({ port: gate.port, path: `${prm}/mcp` });
    assert.equal((JSON.parse(document.text) as { resource: string }).resource, resource);
    const none = await sendMcp(gate.port, ping);
    assert.match(
      none.headers['www-authenticate'] ?? '',
      /resource_metadata="https:\/\/public\.test\/\.well-known\/oauth-protected-resource\/team\/mcp"/,
    );
    const good = await issuer.sign({ aud: resource });
    assert.equal((await sendMcp(gate.port, ping, { token: good })).status, 200);
    const bad = await issuer.sign({ aud: `http://127.0.0.1:${gate.port}/mcp` });
    assert.equal((await sendMcp(gate.port, ping, { token: bad })).status, 401);
  });

  test('traffic.jwtAuthentication.mcp on the Gateway does the same', async (t) => {
    const { gate, issuer } = await start(t, (own) => [
      jwtAuthentication(own, { mcp: {} }, { audiences: ['castle'] }),
    ]);
    const url = `http://127.0.0.1:${gate.port}/mcp`;
    const document = await send({ port: gate.port, path: `${prm}/mcp` });
    assert.deepEqual(JSON.parse(document.text), {
      resource: url,
      authorization_servers: [issuer.issuer],
      bearer_methods_supported: ['header'],
    });
    const none = await sendMcp(gate.port, ping);
    assert.match(none.headers['www-authenticate'] ?? '', /^Bearer resource_metadata="[^"]+"$/);
    const token = await issuer.sign({ aud: 'castle' });
    assert.equal((await sendMcp(gate.port, ping, { token })).status, 200);
  });
});

describe('required scopes', () => {
  const scoped = (issuer: FakeIssuer) => [
    hosted,
    mcpAuthentication(
      issuer,
      { audiences: ['castle'], resourceMetadata: { scopesSupported: ['mcp:read'] } },
      { requiredScopes: 'files:read files:write' },
    ),
  ];

  test('are demanded of the token, with a challenge that names them all', async (t) => {
    const { gate, issuer, upstream } = await start(t, scoped);
    const ask = async (claims: Record<string, unknown>) => {
      const token = await issuer.sign({ aud: 'castle', ...claims });
      return sendMcp(gate.port, ping, { ...host('gw.test'), token });
    };
    for (const claims of [
      { scope: 'files:read files:write' },
      { scp: ['files:write', 'files:read'] },
      { scope: 'files:read', scp: 'files:write' },
    ]) {
      assert.equal((await ask(claims)).status, 200, JSON.stringify(claims));
    }
    for (const claims of [
      {},
      { scope: 'files:read' },
      { scope: 'files:write,files:read' },
      { scope: 'FILES:READ FILES:WRITE' },
      { scope: { 'files:read': true }, scp: 7 },
    ]) {
      const answer = await ask(claims);
      assert.equal(answer.status, 403, JSON.stringify(claims));
      assert.equal(
        answer.headers['www-authenticate'],
        'Bearer error="insufficient_scope", scope="files:read files:write", ' +
          'error_description="the token lacks a scope", ' +
          'resource_metadata="http://gw.test/.well-known/oauth-protected-resource/mcp"',
      );
    }
    assert.equal(upstream.requests.length, 3);
    await gate.waitForAccessLine(/status=403.*lacks a scope/);
  });

  test('are what a client without a token is told to ask for', async (t) => {
    const { gate } = await start(t, scoped);
    const none = await sendMcp(gate.port, ping, host('gw.test'));
    assert.match(none.headers['www-authenticate'] ?? '', /, scope="files:read files:write"$/);
  });

  test('a denial by rules gets no challenge: no scope would cure it', async (t) => {
    const { gate, issuer } = await start(t, (own) => [
      mcpAuthentication(own, { audiences: ['castle'] }),
      glooPolicy({ rbac: { policy: { matchExpressions: ['jwt.sub == "alice"'] } } }),
    ]);
    const token = await issuer.sign({ aud: 'castle', sub: 'bob' });
    const answer = await sendMcp(gate.port, ping, { token });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers['www-authenticate'], undefined);
  });
});
