import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import {
  mcpHeaders,
  ping,
  send,
  sendMcp,
  sendRaw,
  type RequestOptions,
} from '../harness/http-client.ts';
import {
  glooJwt,
  glooPolicy,
  localJwks,
  mcpBackend,
  route,
  staticBackend,
  type Resource,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer, type TokenIssuer } from '../harness/token-issuer.ts';

const HTTP_ROUTE = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' };

describe('what the upstream gets', () => {
  let upstream: FakeUpstream;
  let issuer: TokenIssuer;
  let gate: Gate;

  /** A route of this prefix whose policy has this provider. */
  const protectedRoute = (name: string, provider: Resource): Resource[] => [
    route({ name, prefix: `/${name}` }),
    glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk), ...provider }), {
      name,
      target: { ...HTTP_ROUTE, name },
    }),
  ];

  before(async () => {
    upstream = await startFakeUpstream(fileScope);
    issuer = await createIssuer();
    gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      more: [
        mcpBackend({ port: upstream.port, path: '/own/path' }),
        staticBackend({ name: 'static', port: upstream.port }),
        route({ name: 'static', prefix: '/static', backend: 'static' }),
        ...protectedRoute('plain', {}),
        ...protectedRoute('keeps', { keepToken: true }),
        ...protectedRoute('claims', {
          claimsToHeaders: [
            { claim: 'sub', header: 'x-user' },
            { claim: 'org.team', header: 'x-team' },
          ],
        }),
        ...protectedRoute('query', { tokenSource: { queryParams: ['access_token'] } }),
        ...protectedRoute('custom', {
          tokenSource: { headers: [{ header: 'X-Token', prefix: 'Token ' }] },
        }),
        route({
          name: 'rewritten',
          prefix: '/rewritten',
          rule: {
            filters: [
              {
                type: 'RequestHeaderModifier',
                requestHeaderModifier: {
                  set: [{ name: 'Authorization', value: 'Bearer upstream-credential' }],
                  add: [{ name: 'X-Added', value: 'yes' }],
                  remove: ['X-Removed'],
                },
              },
              {
                type: 'ResponseHeaderModifier',
                responseHeaderModifier: { set: [{ name: 'X-Answered-By', value: 'gate' }] },
              },
            ],
          },
        }),
      ],
    });
  });

  /** Sends a request that must get through and returns what the upstream saw. */
  async function seen(options: Partial<RequestOptions>) {
    const count = upstream.requests.length;
    const answer = await sendMcp(gate.port, ping, options);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(upstream.requests.length, count + 1);
    return upstream.requests[count]!;
  }

  test("is the MCP target's own path, not the client's", async () => {
    for (const path of ['/mcp', '/mcp/', '/mcp/deeper', '/mcp/a%20b']) {
      assert.equal((await seen({ path })).url, '/own/path');
    }
  });

  test("is the client's path at a Static backend", async () => {
    assert.equal((await seen({ path: '/static/a/b?c=d&e' })).url, '/static/a/b?c=d&e');
  });

  test('is the method and the body as they are', async () => {
    const body = JSON.stringify({ ...ping, params: { text: 'äöü \u0000 "' } });
    const inPieces = { ...mcpHeaders(), 'transfer-encoding': 'chunked' };
    for (const headers of [mcpHeaders(), inPieces]) {
      const answer = await send({ port: gate.port, body, headers });
      assert.equal(answer.status, 200);
      assert.equal(upstream.requests.at(-1)?.body, body);
    }
    for (const method of ['GET', 'DELETE']) {
      const answer = await send({ port: gate.port, method, headers: mcpHeaders() });
      assert.equal(answer.status, 200);
      assert.equal(upstream.requests.at(-1)?.method, method);
    }
  });

  test('are the headers of the protocol', async () => {
    const headers = {
      'mcp-protocol-version': '2025-11-25',
      'mcp-method': 'ping',
      'mcp-name': 'x',
      'mcp-param-region': '=?base64?eA==?=',
      'last-event-id': '7',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    const request = await seen({ headers });
    for (const [name, value] of Object.entries({ ...mcpHeaders(), ...headers })) {
      assert.equal(request.headers[name], value, name);
    }
  });

  test("is the target's own Host", async () => {
    const request = await seen({ headers: { host: 'client.example' } });
    assert.equal(request.headers.host, `127.0.0.1:${upstream.port}`);
  });

  test('are no hop-by-hop headers, nor what Connection names', async () => {
    const count = upstream.requests.length;
    const fields = {
      connection: 'close, X-Private, x-secret',
      'keep-alive': 'timeout=5',
      'proxy-authorization': 'Basic eDp5',
      'proxy-connection': 'keep-alive',
      te: 'trailers',
      trailer: 'x-checksum',
      upgrade: 'h2c',
      'x-private': 'for the gate alone',
      'x-secret': 'named by Connection too',
      'x-public': 'for all',
    };
    const lines = Object.entries({ ...mcpHeaders(), ...fields }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const body = JSON.stringify(ping);
    const head = `POST /mcp HTTP/1.1\r\nhost: x\r\n${lines.join('')}`;
    const answer = await sendRaw(gate.port, `${head}content-length: ${body.length}\r\n\r\n${body}`);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    const { headers } = upstream.requests[count]!;
    const { connection, 'x-public': kept, ...gone } = fields;
    for (const name of Object.keys(gone)) assert.equal(headers[name], undefined, name);
    assert.notEqual(headers.connection, connection);
    assert.equal(headers['x-public'], kept);
  });

  test('is no Authorization of the client, verified or not', async () => {
    const token = await issuer.sign({ sub: 'u' });
    assert(!(await seen({ path: '/plain', headers: mcpHeaders(token) })).head.includes(token));
    const unverified = await seen({ headers: mcpHeaders(token) });
    assert(!unverified.head.includes(token), 'a token that no policy asked for');
  });

  test('is the token where the policy keeps it', async () => {
    const token = await issuer.sign({ sub: 'u' });
    const request = await seen({ path: '/keeps', headers: mcpHeaders(token) });
    assert.equal(request.headers.authorization, `Bearer ${token}`);
  });

  test('is no token of a query parameter or of a header of its own', async () => {
    const token = await issuer.sign({ sub: 'u' });
    const query = await seen({ path: `/query?access_token=${token}&a=b` });
    assert(!query.head.includes(token));
    const custom = await seen({ path: '/custom', headers: { 'x-token': `Token ${token}` } });
    assert(!custom.head.includes(token));
  });

  test('is where the client really is, not where it says it is', async () => {
    const request = await seen({
      headers: {
        host: 'public.test',
        'x-forwarded-for': '203.0.113.7',
        'x-forwarded-host': 'forged.test',
        'x-forwarded-proto': 'https',
        'x-real-ip': '203.0.113.7',
        forwarded: 'for=203.0.113.7',
      },
    });
    assert.equal(request.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(request.headers['x-forwarded-host'], 'public.test');
    assert.equal(request.headers['x-forwarded-proto'], 'http');
    assert.equal(request.headers['x-real-ip'], undefined);
    assert.equal(request.headers.forwarded, undefined);
  });

  test('are the claims the policy copies, never the copies of a client', async () => {
    const token = await issuer.sign({ sub: 'alice', org: { team: 'dev' } });
    const forged = { 'x-user': 'mallory', 'x-team': 'root' };
    const headers = { ...mcpHeaders(token), ...forged };
    const request = await seen({ path: '/claims', headers });
    assert.equal(request.headers['x-user'], 'alice');
    assert.equal(request.headers['x-team'], 'dev');

    const withoutTeam = await issuer.sign({ sub: 'bob' });
    const second = await seen({
      path: '/claims',
      headers: { ...mcpHeaders(withoutTeam), ...forged },
    });
    assert.equal(second.headers['x-user'], 'bob');
    assert.equal(second.headers['x-team'], undefined);
  });

  test('is what the filters of the route make of it', async () => {
    const count = upstream.requests.length;
    const answer = await sendMcp(gate.port, ping, {
      path: '/rewritten',
      token: 'of-the-client',
      headers: { 'x-removed': 'x' },
    });
    const request = upstream.requests[count]!;
    assert.equal(request.headers.authorization, 'Bearer upstream-credential');
    assert.equal(request.headers['x-added'], 'yes');
    assert.equal(request.headers['x-removed'], undefined);
    assert.equal(answer.headers['x-answered-by'], 'gate');
  });
});

test('what the client gets back has no hop-by-hop headers and names no server software', async (t) => {
  const upstream = await startFakeUpstream(t, (_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      connection: 'x-hop',
      'x-hop': 'secret',
      'keep-alive': 'timeout=77',
      'mcp-session-id': 'session-1',
      'x-end-to-end': 'kept',
    });
    response.end('{}');
  });
  const gate = await startGate(t, { upstreamPort: upstream.port });
  const { headers } = await sendMcp(gate.port, ping);
  assert.equal(headers['x-hop'], undefined);
  assert.notEqual(headers['keep-alive'], 'timeout=77');
  // Sealed for its owner: test/guide/session-owner.test.ts.
  assert.match(headers['mcp-session-id'] as string, /^[\w-]{40,}$/);
  assert.equal(headers['x-end-to-end'], 'kept');
  assert.equal(headers.uwebsockets, undefined);
});
