import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { fetchOnce, type Fetched } from '../../src/forward/fetch-once.ts';
import type { TargetPlan } from '../../src/plan.ts';
import { startFakeUpstream, type Script } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import type { Scope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';
import { createAuthority } from '../peers/certificates.ts';
import { startRawUpstream, targetAt, tlsPlan } from './raw-upstream.ts';

function fetchFrom(
  target: TargetPlan,
  { maxBodyBytes = 1000, signal = AbortSignal.timeout(5000), authority = 'idp.test' } = {},
): Promise<Fetched> {
  return fetchOnce(
    target,
    { method: 'GET', path: '/keys?a=b', authority, headers: ['accept', 'application/json'] },
    { maxBodyBytes, signal },
  );
}

async function served(scope: Scope, script: Script) {
  const upstream = await startFakeUpstream(scope, script);
  return { upstream, target: targetAt(upstream.port) };
}

const say =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (_request: unknown, response: ServerResponse): void => {
    response.writeHead(status, headers);
    response.end(body);
  };

describe('a fetch', () => {
  test('asks for the path under the given name and returns what came', async (t) => {
    const { upstream, target } = await served(t, say(200, '{}', { 'x-a': 'b' }));
    const fetched = await fetchFrom(target);
    assert.equal(fetched.status, 200);
    assert.equal(fetched.body.toString(), '{}');
    assert.equal(fetched.headers[fetched.headers.indexOf('x-a') + 1], 'b');
    const [request] = upstream.requests;
    assert.equal(request?.url, '/keys?a=b');
    assert.equal(request.headers.host, 'idp.test');
    assert.equal(request.headers.accept, 'application/json');
  });

  test('does not follow a redirect', async (t) => {
    const { upstream, target } = await served(t, say(302, '', { location: 'http://127.0.0.1:1/' }));
    assert.equal((await fetchFrom(target)).status, 302);
    assert.equal(upstream.requests.length, 1);
  });

  test('returns an error page as it is: to judge it is for others', async (t) => {
    const { target } = await served(t, say(500, '<html>', { 'content-type': 'text/html' }));
    const fetched = await fetchFrom(target);
    assert.equal(fetched.status, 500);
    assert.equal(fetched.body.toString(), '<html>');
  });

  test('does not decode a content coding', async (t) => {
    const { target } = await served(t, say(200, 'xx', { 'content-encoding': 'gzip' }));
    assert.equal((await fetchFrom(target)).body.toString(), 'xx');
  });

  test('takes a body of exactly the limit', async (t) => {
    const { target } = await served(t, say(200, 'x'.repeat(1000)));
    assert.equal((await fetchFrom(target)).body.length, 1000);
  });

  test('leaves no connection behind', async (t) => {
    const { port, sockets } = await startRawUpstream(t, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'),
    );
    await fetchFrom(targetAt(port));
    await until('the connection to be closed', () => sockets.every(({ destroyed }) => destroyed));
  });
});

describe('a fetch fails', () => {
  test('with an announced body over the limit', async (t) => {
    const { target } = await served(t, say(200, 'x'.repeat(1001)));
    await assert.rejects(fetchFrom(target), /over 1000 octets/);
  });

  test('with an endless body, at the limit', async (t) => {
    const { upstream, target } = await served(t, (_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(300)), 1);
      response.once('close', () => clearInterval(timer));
    });
    await assert.rejects(fetchFrom(target), /over 1000 octets/);
    await upstream.requests[0]?.aborted;
  });

  test('when it is aborted before the head and within the body', async (t) => {
    const { upstream, target } = await served(t, () => undefined);
    await assert.rejects(
      fetchFrom(target, { signal: AbortSignal.timeout(100) }),
      /^Error: aborted$/,
    );
    await upstream.requests[0]?.aborted;
    upstream.script = (_request, response) => void response.write('{');
    await assert.rejects(
      fetchFrom(target, { signal: AbortSignal.timeout(100) }),
      /^Error: aborted$/,
    );
    await upstream.requests[1]?.aborted;
  });

  test('when it was aborted before it began', async (t) => {
    const { target } = await served(t, say(200, '{}'));
    await assert.rejects(fetchFrom(target, { signal: AbortSignal.abort() }), /^Error: aborted$/);
  });

  test('when nobody listens', async () => {
    await assert.rejects(fetchFrom(targetAt(await freePort())), /ECONNREFUSED/);
  });

  test('when the answer is not HTTP', async (t) => {
    const { port } = await startRawUpstream(t, (socket) => socket.end('SSH-2.0\r\n'));
    await assert.rejects(fetchFrom(targetAt(port)), /HTTP/);
  });

  test('by a TLS policy that can not be honoured', async () => {
    const tls = tlsPlan({ invalid: 'no such ConfigMap' });
    await assert.rejects(fetchFrom(targetAt(1, { tls })), /no such ConfigMap/);
  });
});

test('TLS is verified against the plan, under the name of the plan and not of the Host', async (t) => {
  const [authority, stranger] = await Promise.all([createAuthority(), createAuthority('Stranger')]);
  const pair = await authority.issue({ dns: ['right.test'] });
  const upstream = await startFakeUpstream(t, say(200, '{}'), pair);
  const target = (changes: Parameters<typeof tlsPlan>[0]) =>
    targetAt(upstream.port, { tls: tlsPlan({ caCertificatesPem: authority.certPem, ...changes }) });
  assert.equal((await fetchFrom(target({}), { authority: 'idp.test' })).status, 200);
  await assert.rejects(
    fetchFrom(target({ serverName: 'other.test' }), { authority: 'right.test' }),
    /ERR_TLS_CERT_ALTNAME_INVALID/,
  );
  await assert.rejects(
    fetchFrom(target({ caCertificatesPem: stranger.certPem })),
    /UNABLE_TO_VERIFY|UNABLE_TO_GET/,
  );
  assert.equal(upstream.requests.length, 1);
});
