/** The OAuth discovery of real MCP clients runs against the gate as far as it goes without a browser. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { startFakeIssuer } from '../harness/fake-issuer.ts';
import { startGate } from '../harness/gate.ts';
import { issuerBackend, mcpAuthentication } from '../harness/mcp-authentication.ts';
import { mcpBackend } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { connectMcpRemote } from '../peers/mcp-remote.ts';
import { oauthClients } from '../peers/oauth-discovery.ts';
import { connectSdk1 } from '../peers/sdk1-client.ts';

async function start(scope: Scope) {
  const issuer = await startFakeIssuer(scope);
  const server = await startEverythingServer(scope);
  const policy = mcpAuthentication(issuer, {
    audiences: ['castle'],
    resourceMetadata: { scopesSupported: ['mcp:read', 'mcp:write'] },
  });
  const gate = await startGate(scope, {
    upstreamPort: server.port,
    more: [mcpBackend({ port: server.port }), issuerBackend(issuer), policy],
  });
  return { issuer, gate, origin: `http://127.0.0.1:${gate.port}` };
}

describe('OAuth discovery', () => {
  for (const client of oauthClients) {
    test(`${client.name} finds resource, issuer and its endpoints`, async (t) => {
      const { issuer, origin } = await start(t);
      const url = `${origin}/mcp`;
      const resource = await client.discoverResource(url);
      assert.equal(resource.resource, url);
      assert.deepEqual(resource.authorization_servers, [issuer.issuer]);
      const server = await client.discoverServer(issuer.issuer);
      assert.equal(server?.token_endpoint, `${issuer.issuer}/token`);
    });

    test(`${client.name} registers and sends its user to the issuer, after one 401`, async (t) => {
      const { issuer, gate, origin } = await start(t);
      const redirect = await client.connectUntilRedirect(`${origin}/mcp`);
      assert.equal(`${redirect.origin}${redirect.pathname}`, `${issuer.issuer}/authorize`);
      assert.equal(redirect.searchParams.get('resource'), `${origin}/mcp`);
      assert.equal(redirect.searchParams.get('scope'), 'mcp:read mcp:write');
      assert.equal(redirect.searchParams.get('client_id'), 'registered');
      assert.equal(redirect.searchParams.get('code_challenge_method'), 'S256');
      await gate.waitForAccessLine(/oauth-protected-resource\/mcp.*status=200/);
    });
  }

  test('a client of 2025-03-26, which asks the gate itself, gets the issuer\u2019s endpoints', async (t) => {
    const { issuer, origin } = await start(t);
    const [sdk1, sdk2] = oauthClients;
    const server = await sdk1?.discoverServer(origin);
    assert.equal(server?.token_endpoint, `${issuer.issuer}/token`);
    // Generation 2 takes metadata only at the issuer's own address, and knows where the resource's is.
    await assert.rejects(async () => sdk2?.discoverServer(origin), /issuer/i);
  });

  test('what it is for: with a token, the client is let in', async (t) => {
    const { issuer, origin } = await start(t);
    const client = await connectSdk1(t, `${origin}/mcp`, await issuer.sign({ aud: 'castle' }));
    assert.ok((await client.listTools()).tools.length > 0);
  });
});

test('mcp-remote: every address that it tries is answered, none with 401 or a fault', async (t) => {
  const { issuer, gate, origin } = await start(t);
  const token = await issuer.sign({ aud: 'castle' });
  const client = await connectMcpRemote(t, `${origin}/mcp`, token);
  assert.ok((await client.listTools()).tools.length > 0);
  const probes = gate
    .accessLog()
    .split('\n')
    .filter((line) => line.includes('.well-known'));
  assert.ok(probes.length > 0, gate.accessLog());
  for (const line of probes) assert.match(line, /http\.status=(?:200|404) /, line);
});
