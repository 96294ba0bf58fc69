/** The metadata of the authorization server, as older clients look for it at the gate, and what is not served. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FakeIssuer } from '../harness/fake-issuer.ts';
import { send, sendRaw } from '../harness/http-client.ts';
import {
  jwtAuthentication,
  mcpAuthentication,
  startProtectedGate as start,
} from '../harness/mcp-authentication.ts';
import { mcpBackend, route } from '../harness/resources.ts';
import { until } from '../harness/until.ts';

const prm = '/.well-known/oauth-protected-resource';

describe('the metadata of the authorization server', () => {
  const policy = (issuer: FakeIssuer) => [mcpAuthentication(issuer, { audiences: ['castle'] })];
  /** In the order in which mcp-remote asks. */
  const mirrored = [
    '/.well-known/oauth-authorization-server/mcp',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration/mcp',
    '/mcp/.well-known/openid-configuration',
    '/.well-known/openid-configuration',
  ];

  for (const serves of ['oauth', 'oidc'] as const) {
    test(`is the issuer's, wherever old clients look, fetched once (${serves})`, async (t) => {
      const { gate, issuer } = await start(t, policy);
      issuer.serves = serves;
      const answers = await Promise.all(
        [...mirrored, ...mirrored].map((path) => send({ port: gate.port, path })),
      );
      for (const answer of answers) {
        assert.equal(answer.status, 200);
        const document = JSON.parse(answer.text) as Record<string, unknown>;
        assert.equal(document.issuer, issuer.issuer);
        assert.equal(document.registration_endpoint, `${issuer.issuer}/register`);
      }
      assert.equal(issuer.metadataFetches(), serves === 'oauth' ? 1 : 3);
    });
  }

  for (const [serves, status] of [
    ['none', 404],
    ['down', 503],
    ['another issuer', 503],
  ] as const) {
    test(`is answered with ${status}, never 401, where the issuer is: ${serves}`, async (t) => {
      const { gate, issuer } = await start(t, policy);
      issuer.serves = serves;
      for (const path of mirrored) {
        const answer = await send({ port: gate.port, path });
        assert.equal(answer.status, status);
        assert.equal(answer.headers['access-control-allow-origin'], '*');
        assert.doesNotMatch(answer.text, /evil/);
      }
      // One fetch of at most three requests; then the cooldown.
      assert.ok(issuer.metadataFetches() <= 3, String(issuer.metadataFetches()));
      await until('a warning', () => gate.processLog().includes('metadata of http'), 5000);
      // The other document needs no issuer.
      assert.equal((await send({ port: gate.port, path: `${prm}/mcp` })).status, 200);
    });
  }

  test('names the audience for Auth0, which knows no resource parameter', async (t) => {
    const { gate } = await start(t, (issuer) => [
      mcpAuthentication(issuer, { audiences: ['https://castle.test/mcp'], provider: 'Auth0' }),
    ]);
    const answer = await send({ port: gate.port, path: mirrored[0] ?? '' });
    const { authorization_endpoint: endpoint } = JSON.parse(answer.text) as Record<string, string>;
    assert.match(endpoint ?? '', /\/authorize\?audience=https%3A%2F%2Fcastle\.test%2Fmcp$/);
  });
});

describe('what is not served', () => {
  test('is a plain 404 on a host with a protected resource, also under a route for all paths', async (t) => {
    const { gate, upstream } = await start(t, (issuer) => [
      mcpAuthentication(issuer, { audiences: ['castle'] }),
      jwtAuthentication(issuer, {}, { name: 'all', audiences: ['castle'] }),
      mcpBackend({ port: 1, name: 'other' }),
      route({ name: 'all', prefix: '/', backend: 'other' }),
    ]);
    for (const path of [
      `${prm}/other`,
      '/.well-known/oauth-authorization-server/other',
      '/.well-known/openid-configuration/other',
    ]) {
      const answer = await send({ port: gate.port, path });
      assert.deepEqual([answer.status, answer.text], [404, 'no such metadata'], path);
    }
    // Not ours to answer: like any path of the route for all paths.
    for (const path of ['/.well-known/oauth-protected-resourceX', '/.well-known/security.txt']) {
      assert.equal((await send({ port: gate.port, path })).status, 401, path);
    }
    assert.equal(upstream.requests.length, 0);
  });

  test('is the routes\u2019 matter on a gate without a protected resource', async (t) => {
    const { gate } = await start(t, () => []);
    assert.equal((await send({ port: gate.port, path: `${prm}/mcp` })).text, 'route not found');
  });

  const attacks = [
    `${prm}/../mcp`,
    `${prm}/..%2fmcp`,
    `${prm}//mcp`,
    `/.well-known//oauth-protected-resource/mcp`,
    `//evil.test${prm}/mcp`,
    `${prm}/mcp/..;/admin`,
    `${prm}/%2e%2e/mcp`,
    `${prm}%2fmcp`,
    `${prm}/mcp%00`,
    `${prm}/mcp%0d%0aset-cookie:%20a=b`,
    `${prm}/%252e%252e/`,
    `/%2ewell-known/oauth-protected-resource/%2e%2e%2f`,
    `${prm}/mcp#x`,
    `${prm}\\mcp`,
  ];
  test('no spelling of a well-known path does any harm', async (t) => {
    const { gate, upstream, issuer } = await start(t, (own) => [
      mcpAuthentication(own, { audiences: ['castle'] }),
    ]);
    for (const path of attacks) {
      const raw = await sendRaw(
        gate.port,
        `GET ${path} HTTP/1.1\r\nhost: gw.test\r\nconnection: close\r\n\r\n`,
      );
      assert.match(raw, /^HTTP\/1\.1 4\d\d /, path);
      assert.doesNotMatch(raw, /evil|set-cookie/i, path);
    }
    for (const value of ['a b', 'evil.test/x', 'evil.test"', 'a@b', 'x,y', '']) {
      const raw = await sendRaw(
        gate.port,
        `GET ${prm}/mcp HTTP/1.1\r\nhost: ${value}\r\nconnection: close\r\n\r\n`,
      );
      assert.match(raw, /^HTTP\/1\.1 400 /, value);
    }
    assert.equal(upstream.requests.length, 0);
    assert.equal(issuer.metadataFetches(), 0);
    // An escaped letter is the letter.
    const same = await send({
      port: gate.port,
      path: '/%2ewell-known/oauth-protected-resource/mc%70',
    });
    assert.equal(same.status, 200);
  });
});
