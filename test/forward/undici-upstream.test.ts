import assert from 'node:assert/strict';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { createUndiciUpstream } from '../../src/forward/undici-upstream.ts';
import type { TlsPlan } from '../../src/plan.ts';
import type { Scope } from '../harness/scope.ts';
import { sleep } from '../harness/until.ts';
import { createAuthority, type CertificatePair } from '../peers/certificates.ts';
import { get, send, startRawUpstream, targetAt, tlsPlan, upstreamTo } from './raw-upstream.ts';
import { testUpstream } from './upstream-behaviour.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

testUpstream({
  create: createUndiciUpstream,
  protocolSwitch: 'UPSTREAM_RESET',
  addedField: 'connection: keep-alive\r\n',
});

test('by a policy that can not be honoured: nothing is even tried', async (t) => {
  const { port, sockets } = await startRawUpstream(t, () => undefined);
  const tls = tlsPlan({ invalid: 'no such ConfigMap' });
  const report = send(upstreamTo(t, createUndiciUpstream, targetAt(port, { tls })), get);
  assert.deepEqual(report.events, ['failure UPSTREAM_TLS_INVALID']);
  assert.equal(report.detail, 'no such ConfigMap');
  await sleep(50);
  assert.equal(sockets.length, 0);
});

describe('TLS', async () => {
  const [authority, stranger] = await Promise.all([createAuthority(), createAuthority('Stranger')]);
  const right = await authority.issue({ dns: ['right.test'], uri: ['spiffe://right/a'] });
  const wrong = await authority.issue({ dns: ['wrong.test'] });
  const expired = await authority.issue({ dns: ['right.test'], expired: true });

  async function serve(scope: Scope, pair: CertificatePair) {
    const names: string[] = [];
    let requests = 0;
    const server = createTlsServer(
      {
        cert: pair.certPem,
        key: pair.keyPem,
        SNICallback(name, done) {
          names.push(name);
          done(null);
        },
      },
      (socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => {
          requests += 1;
          socket.write(OK);
        });
      },
    );
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scope.after(() => void server.close());
    return { port: (server.address() as AddressInfo).port, names, requests: () => requests };
  }

  const rows: readonly [string, CertificatePair, Partial<TlsPlan>, ok: boolean][] = [
    ['the right certificate', right, { caCertificatesPem: authority.certPem }, true],
    ['a wanted URI', right, { caCertificatesPem: authority.certPem, subjectAltNames: [{ type: 'URI', value: 'spiffe://right/a' }] }, true],
    ['another URI', right, { caCertificatesPem: authority.certPem, subjectAltNames: [{ type: 'URI', value: 'spiffe://right' }] }, false],
    ['the wrong authority', right, { caCertificatesPem: stranger.certPem }, false],
    ['the system\u2019s authorities', right, {}, false],
    ['the wrong host', wrong, { caCertificatesPem: authority.certPem }, false],
    ['an expired certificate', expired, { caCertificatesPem: authority.certPem }, false],
  ]; // prettier-ignore
  for (const [name, pair, changes, ok] of rows) {
    test(`${name}: ${ok ? 'answered' : 'UPSTREAM_TLS_FAILED, and no request was sent, however often'}`, async (t) => {
      const server = await serve(t, pair);
      const target = targetAt(server.port, { host: 'localhost', tls: tlsPlan(changes) });
      const upstream = upstreamTo(t, createUndiciUpstream, target, { maxConnections: 1 });
      for (let round = 0; round < 3; round += 1) {
        const report = send(upstream, get);
        await report.over;
        assert.deepEqual(report.events, ok ? ['head 200', 'end'] : ['failure UPSTREAM_TLS_FAILED']);
      }
      assert.equal(server.requests(), ok ? 3 : 0);
    });
  }

  test('the name of the policy is sent, whatever the Host of a request, on one connection', async (t) => {
    const server = await serve(t, right);
    const tls = tlsPlan({ caCertificatesPem: authority.certPem });
    const upstream = upstreamTo(
      t,
      createUndiciUpstream,
      targetAt(server.port, { host: 'localhost', tls }),
    );
    for (const host of ['up.test', 'other.test', '192.0.2.1', 'up.test']) {
      const report = send(upstream, { ...get, headers: ['host', host] });
      await report.over;
      assert.deepEqual(report.events, ['head 200', 'end']);
    }
    assert.deepEqual(server.names, ['right.test']);
  });

  test('to a server that speaks plain HTTP fails, and the request is not sent in the clear', async (t) => {
    let received = '';
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (octets: Buffer) => {
        received += octets.toString('latin1');
        socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const report = send(
      upstreamTo(t, createUndiciUpstream, targetAt(port, { tls: tlsPlan({}) })),
      get,
    );
    await report.over;
    assert.deepEqual(report.events, ['failure UPSTREAM_TLS_FAILED']);
    assert.ok(!received.includes('/mcp'));
  });
});
