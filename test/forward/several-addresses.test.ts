/** Names of targets: asked for anew with each connection, and each of their addresses is tried. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { describe, test, type TestContext } from 'node:test';
import { createHttp1Upstream } from '../../src/forward/http1/http1-upstream.ts';
import { createUndiciUpstream } from '../../src/forward/undici-upstream.ts';
import { post, send, startRawUpstream, targetAt, upstreamTo } from './raw-upstream.ts';

const CLOSING = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

type Resolved = readonly string[] | NodeJS.ErrnoException;

/** Answers every question for an address from a list; counts the questions. */
function resolveTo(t: TestContext, answer: () => Resolved): () => number {
  let questions = 0;
  const lookup = (
    _name: string,
    _options: object,
    done: (error: Error | null, found?: readonly dns.LookupAddress[]) => void,
  ): void => {
    questions += 1;
    const resolved = answer();
    process.nextTick(() => {
      if (resolved instanceof Error) done(resolved);
      else
        done(
          null,
          resolved.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        );
    });
  };
  t.mock.method(dns, 'lookup', lookup as unknown as typeof dns.lookup);
  return () => questions;
}

for (const [name, create] of [
  ['the HTTP/1.1 client of our own', createHttp1Upstream],
  ['undici', createUndiciUpstream],
] as const) {
  describe(name, () => {
    test('tries each address of a name until one takes the connection', async (t) => {
      const { port, heads } = await startRawUpstream(t, (socket) => socket.write(CLOSING));
      resolveTo(t, () => ['::1', '127.0.0.2', '127.0.0.3', '127.0.0.1']);
      const upstream = upstreamTo(t, create, targetAt(port, { host: 'several.test' }));
      const report = send(upstream, post);
      await report.over;
      assert.deepEqual(report.events, ['head 200', 'end'], report.detail);
      assert.equal(heads.length, 1);
    });

    test('asks for the addresses again for each new connection', async (t) => {
      const { port } = await startRawUpstream(t, (socket) => socket.write(CLOSING));
      let addresses: Resolved = ['127.0.0.2'];
      const questions = resolveTo(t, () => addresses);
      const upstream = upstreamTo(t, create, targetAt(port, { host: 'moving.test' }));
      const before = send(upstream, post);
      await before.over;
      assert.deepEqual(before.events, ['failure UPSTREAM_UNREACHABLE']);
      addresses = ['127.0.0.1'];
      for (let round = 0; round < 3; round += 1) {
        const report = send(upstream, post);
        await report.over;
        assert.deepEqual(report.events, ['head 200', 'end']);
      }
      assert.equal(questions(), 4);
      addresses = Object.assign(new Error('gone'), { code: 'ENOTFOUND' });
      const after = send(upstream, post);
      await after.over;
      assert.deepEqual(after.events, ['failure UPSTREAM_NAME_UNRESOLVED']);
    });
  });
}
