import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { serveAdmin, serveMetrics } from '../../src/admin/admin.ts';
import type { PageServer } from '../../src/admin/http-server.ts';
import type { AdminState } from '../../src/admin/pages.ts';
import { send, sendRaw } from '../harness/http-client.ts';
import type { Scope } from '../harness/scope.ts';

const state: AdminState = {
  readiness: () => ({ ready: true, details: [] }),
  config: () => ({ secret: '[redacted]' }),
  status: () => ({}),
};
const anyPort = { host: '127.0.0.1', port: 0 };

function opened(scope: Scope, server: PageServer | Error): PageServer {
  if (server instanceof Error) throw server;
  scope.after(() => server.close());
  return server;
}

describe('the admin port', () => {
  test('tells where it listens and answers, query or not', async (t) => {
    const { address } = opened(t, await serveAdmin(anyPort, state, null));
    assert.equal(address.host, '127.0.0.1');
    const live = await send({ port: address.port, path: '/healthz/live?verbose' });
    assert.equal(live.status, 200);
    const config = await send({ port: address.port, path: '/config' });
    assert.equal(config.text, '{\n  "secret": "[redacted]"\n}\n');
    const head = await send({ port: address.port, path: '/config', method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
  });

  test('refuses a name that was made to point here', async (t) => {
    const { address } = opened(t, await serveAdmin(anyPort, state, null));
    const headers = { host: 'evil.example' };
    assert.equal((await send({ port: address.port, path: '/config', headers })).status, 403);
  });

  const foreign = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  test(
    'tells others than this machine its health alone',
    { skip: foreign === undefined },
    async (t) => {
      const { address } = opened(t, await serveAdmin({ host: '0.0.0.0', port: 0 }, state, null));
      const ask = (path: string) =>
        fetch(`http://${foreign ?? ''}:${address.port}${path}`).then(({ status }) => status);
      assert.equal(await ask('/healthz/ready'), 200);
      assert.equal(await ask('/config'), 403);
    },
  );

  test('that is taken is an error that names it', async (t) => {
    const { address } = opened(t, await serveAdmin(anyPort, state, null));
    const second = await serveAdmin(address, state, null);
    assert.ok(second instanceof Error);
    assert.match(
      second.message,
      new RegExp(`admin port on 127.0.0.1 port ${address.port}.*EADDRINUSE`),
    );
  });

  test('survives what is not HTTP', async (t) => {
    const { address } = opened(t, await serveAdmin(anyPort, state, null));
    assert.match(await sendRaw(address.port, '\x16\x03\x01\x00\r\n\r\n'), /400|^$/);
    const flood = `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`;
    assert.match(await sendRaw(address.port, flood), /431|^$/);
    assert.equal((await send({ port: address.port, path: '/healthz/live' })).status, 200);
  });

  test('that was closed is free again', async (t) => {
    const first = opened(t, await serveAdmin(anyPort, state, null));
    first.close();
    opened(t, await serveAdmin(first.address, state, null));
  });
});

describe('the metrics port', () => {
  const page = () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' });

  test('has one page, for GET and HEAD', async (t) => {
    const { port } = opened(t, await serveMetrics(anyPort, page)).address;
    const answer = await send({ port, path: '/metrics?x' });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, 'up 1\n');
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4');
    assert.equal((await send({ port, path: '/metrics', method: 'HEAD' })).status, 200);
    assert.equal((await send({ port, path: '/metrics', method: 'POST' })).status, 404);
    assert.equal((await send({ port, path: '/config' })).status, 404);
  });

  test('answers 503 when the page can not be made, and tells nothing of why', async (t) => {
    const broken = () => Promise.reject(new Error('secret words'));
    const { port } = opened(t, await serveMetrics(anyPort, broken)).address;
    const answer = await send({ port, path: '/metrics' });
    assert.equal(answer.status, 503);
    assert.doesNotMatch(answer.text, /secret/);
  });
});
