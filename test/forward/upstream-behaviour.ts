/** What every client of upstreams does, whichever speaks HTTP: each test file of one runs it. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { RefusalCode } from '../../src/errors.ts';
import type { UpstreamLimits } from '../../src/forward/upstream-limits.ts';
import type { UpstreamRequest } from '../../src/forward/upstream.ts';
import { freePort } from '../harness/free-port.ts';
import type { Scope } from '../harness/scope.ts';
import { sleep, until } from '../harness/until.ts';
import {
  get,
  post,
  send,
  startRawUpstream,
  targetAt,
  upstreamTo,
  type CreateUpstream,
  type RawUpstream,
} from './raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const reset = (socket: Socket): void => {
  socket.resetAndDestroy();
};

/** A further request reaches the target: no place was lost to those before it. */
async function assertUsable(
  upstream: ReturnType<typeof upstreamTo>,
  raw: RawUpstream,
): Promise<void> {
  const before = raw.heads.length;
  let probe = send(upstream, get);
  await until('a further request', () => {
    if (probe.events[0] === 'failure UPSTREAM_OVERLOADED') probe = send(upstream, get);
    return raw.heads.length > before;
  });
  probe.abort();
}

/** Where clients differ. */
export interface Client {
  readonly create: CreateUpstream;
  /** What a switch of protocols is taken for. */
  readonly protocolSwitch: RefusalCode;
  /** A field that the client adds after Host, with its line end. */
  readonly addedField: string;
}

export function testUpstream({ create, protocolSwitch, addedField }: Client): void {
  describe('what an upstream does, and what is reported', () => {
    const failed = (code: RefusalCode): string => `failure ${code}`;
    interface Row {
      readonly does: string;
      readonly script: (socket: Socket, head: string) => void;
      readonly events: readonly string[];
      readonly body?: string;
      readonly request?: UpstreamRequest;
      readonly limits?: Partial<UpstreamLimits>;
    }
    const says = (text: string) => (socket: Socket) => void socket.write(text);
    const saysAndCloses = (text: string) => (socket: Socket) => void socket.end(text);
    const rows: readonly Row[] = [
      { does: 'answers', script: says(OK), events: ['head 200', 'end'], body: 'ok' },
      {
        does: 'answers a POST',
        script: says(OK),
        request: post,
        events: ['head 200', 'end'],
        body: 'ok',
      },
      {
        does: 'answers in chunks',
        script: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
        events: ['head 200', 'end'],
        body: 'ok',
      },
      {
        does: 'answers until it closes',
        script: saysAndCloses('HTTP/1.1 200 OK\r\n\r\nok'),
        events: ['head 200', 'end'],
        body: 'ok',
      },
      {
        does: 'answers 204',
        script: says('HTTP/1.1 204 No Content\r\n\r\n'),
        events: ['head 204', 'end'],
      },
      {
        does: 'answers HEAD with a length',
        script: says('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'),
        request: { ...get, method: 'HEAD' },
        events: ['head 200', 'end'],
      },
      {
        does: 'sends early hints first',
        script: says(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`),
        events: ['head 200', 'end'],
        body: 'ok',
      },
      {
        does: 'answers before it has read the whole body',
        script: says(OK),
        request: { ...post, body: Buffer.alloc(4_000_000) },
        events: ['head 200', 'end'],
        body: 'ok',
      },
      { does: 'resets before the head', script: reset, events: [failed('UPSTREAM_RESET')] },
      {
        does: 'closes before the head',
        script: (socket) => socket.end(),
        events: [failed('UPSTREAM_RESET')],
      },
      {
        does: 'closes within the head',
        script: saysAndCloses('HTTP/1.1 200 OK\r\nContent-'),
        events: [failed('UPSTREAM_RESET')],
      },
      {
        does: 'resets within the body',
        script(socket) {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok', () =>
            setTimeout(reset, 30, socket),
          );
        },
        events: ['head 200', failed('UPSTREAM_RESET')],
        body: 'ok',
      },
      {
        does: 'closes within a body of known length',
        script: saysAndCloses('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok'),
        events: ['head 200', failed('UPSTREAM_RESET')],
        body: 'ok',
      },
      {
        does: 'closes within chunks',
        script: saysAndCloses('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'),
        events: ['head 200', failed('UPSTREAM_RESET')],
        body: 'ok',
      },
      {
        does: 'does not speak HTTP',
        script: says('SSH-2.0-OpenSSH\r\n'),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'sends a chunk size that is none',
        script: says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'),
        events: ['head 200', failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'sends a length that is none',
        script: says('HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nok'),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'sends two lengths',
        script: says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'sends both framings',
        script: says(
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
        ),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'sends headers without end',
        script: says(`HTTP/1.1 200 OK\r\n${`X-A: ${'a'.repeat(100)}\r\n`.repeat(1000)}`),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'sends a header with a bare carriage return',
        script: says('HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n'),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'switches protocols unasked',
        script: says(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
        ),
        events: [failed(protocolSwitch)],
      },
      {
        does: 'gives interim answers without end',
        script: says('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(33)),
        events: [failed('UPSTREAM_PROTOCOL')],
      },
      {
        does: 'gives interim answers, and then the final one',
        script: says('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(32) + OK),
        events: ['head 200', 'end'],
        body: 'ok',
      },
      {
        does: 'gives interim answers for longer than the limit',
        script: (socket) => {
          const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 150);
          socket.once('close', () => clearInterval(timer));
        },
        limits: { headersTimeoutMs: 400 },
        events: [failed('UPSTREAM_TIMEOUT')],
      },
      {
        does: 'says nothing for longer than the limit',
        script: () => undefined,
        limits: { headersTimeoutMs: 300 },
        events: [failed('UPSTREAM_TIMEOUT')],
      },
    ];
    for (const { does, script, events, body = '', request = get, limits = {} } of rows) {
      test(`${does}: ${events.join(', ')}`, async (t) => {
        const { port } = await startRawUpstream(t, script);
        const upstream = upstreamTo(t, create, targetAt(port), { maxConnections: 1, ...limits });
        // The second one needs the place that the first one had.
        for (let round = 0; round < 2; round += 1) {
          const report = send(upstream, request);
          await report.over;
          await sleep(30);
          assert.deepEqual(report.events, events, report.detail);
          assert.equal(report.body, body);
          assert.match(report.detail, /^[ -~]*$/);
        }
      });
    }
  });

  describe('connections that fail', () => {
    test('refused', async (t) => {
      const report = send(upstreamTo(t, create, targetAt(await freePort())), get);
      await report.over;
      assert.deepEqual(report.events, ['failure UPSTREAM_UNREACHABLE']);
      assert.match(report.detail, /ECONNREFUSED/);
    });

    test('refused under every address of a name', async (t) => {
      const target = targetAt(await freePort(), { host: 'localhost' });
      const report = send(upstreamTo(t, create, target), get);
      await report.over;
      assert.deepEqual(report.events, ['failure UPSTREAM_UNREACHABLE']);
      assert.match(report.detail, /ECONNREFUSED.*127\.0\.0\.1/);
    });

    test('to a name that does not exist', async (t) => {
      const report = send(
        upstreamTo(t, create, targetAt(80, { host: 'no-such-host.invalid' })),
        get,
      );
      await report.over;
      assert.deepEqual(report.events, ['failure UPSTREAM_NAME_UNRESOLVED']);
    });
  });

  describe('the request on the wire', () => {
    async function wire(scope: Scope, request: UpstreamRequest): Promise<string> {
      let head = '';
      const { port } = await startRawUpstream(scope, (socket, text) => {
        head = text;
        socket.write(OK);
      });
      await send(upstreamTo(scope, create, targetAt(port)), request).over;
      return head;
    }

    test('has the fields in their order, repeated ones too, and one length', async (t) => {
      const headers = ['host', 'up.test', 'b', '1', 'a', '2', 'b', 'caf\u00e9'];
      assert.equal(
        await wire(t, { ...post, headers }),
        `POST /mcp HTTP/1.1\r\nhost: up.test\r\n${addedField}b: 1\r\na: 2\r\nb: caf\u00e9\r\ncontent-length: 7\r\n\r\n{"a":1}`,
      );
    });

    const lengths: readonly [method: string, body: string | null, length: string | undefined][] = [
      ['GET', null, undefined],
      ['GET', 'x', '1'],
      ['DELETE', null, undefined],
      ['DELETE', 'x', '1'],
      ['POST', null, '0'],
      ['POST', '', '0'],
      ['PUT', 'x', '1'],
      ['OPTIONS', null, undefined],
    ];
    for (const [method, body, length] of lengths) {
      test(`${method} with ${JSON.stringify(body)} has the length ${length ?? 'none'}`, async (t) => {
        const head = await wire(t, {
          ...get,
          method,
          body: body === null ? null : Buffer.from(body),
        });
        assert.equal(/content-length: (\d+)/i.exec(head)?.[1], length);
        assert.doesNotMatch(head, /transfer-encoding/i);
      });
    }
  });

  describe('one request and its call', () => {
    const slow = async (scope: Scope) => {
      const raw = await startRawUpstream(scope, () => undefined);
      return {
        raw,
        upstream: upstreamTo(scope, create, targetAt(raw.port), { maxConnections: 2 }),
      };
    };

    test('aborted before the head closes the connection and reports nothing', async (t) => {
      const { raw, upstream } = await slow(t);
      const report = send(upstream, get);
      const socket = await until('the request', () => raw.sockets[0]);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      report.abort();
      report.abort();
      await closed;
      await sleep(20);
      assert.deepEqual(report.events, []);
      await assertUsable(upstream, raw);
    });

    test('aborted in the same turn is never answered', async (t) => {
      const raw = await startRawUpstream(t, () => undefined);
      const upstream = upstreamTo(t, create, targetAt(raw.port), { maxConnections: 1 });
      const report = send(upstream, get);
      report.abort();
      await sleep(100);
      assert.deepEqual(report.events, []);
      await assertUsable(upstream, raw);
    });

    test('aborted within the body closes the connection and reports nothing more', async (t) => {
      const raw = await startRawUpstream(t, (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'),
      );
      const upstream = upstreamTo(t, create, targetAt(raw.port), { maxConnections: 1 });
      const report = send(upstream, get);
      await until('the body', () => report.body === 'ok');
      const closed = new Promise((resolve) => raw.sockets[0]?.once('close', resolve));
      report.abort();
      await closed;
      await sleep(20);
      assert.deepEqual(report.events, ['head 200']);
      await assertUsable(upstream, raw);
    });

    test('is not read any faster than it is taken', async (t) => {
      const size = 30_000_000;
      let written = 0;
      const { port } = await startRawUpstream(t, (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        const feed = (): void => {
          while (written < size) {
            const piece = Buffer.alloc(Math.min(65_536, size - written));
            written += piece.length;
            if (!socket.write(piece)) return;
          }
        };
        socket.on('drain', feed);
        feed();
      });
      const upstream = upstreamTo(t, create, targetAt(port));
      let taken = 0;
      const state = { ended: false };
      const call = upstream.request(get, {
        onHead: () => undefined,
        onData(piece) {
          taken += piece.length;
          return false;
        },
        onEnd: () => (state.ended = true),
        onFailure: (code) => assert.fail(code),
      });
      await sleep(300);
      assert.ok(taken < 1_000_000, `${taken} octets were pushed`);
      assert.ok(written < size, 'all was taken from the upstream');
      while (!state.ended) {
        call.resume();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(taken, size);
    });

    test('beyond the limit of connections is refused at once', async (t) => {
      const { raw, upstream } = await slow(t);
      send(upstream, get);
      send(upstream, get);
      const third = send(upstream, get);
      assert.deepEqual(third.events, ['failure UPSTREAM_OVERLOADED']);
      await until('two requests', () => raw.sockets.length === 2);
      raw.sockets[0]?.destroy();
      await assertUsable(upstream, raw);
    });

    test('that can not be written is reported, not thrown', async (t) => {
      const { raw, upstream } = await slow(t);
      for (const bad of [
        { ...get, headers: ['host', 'a\nb'] },
        { ...get, headers: ['a b', 'c'] },
        { ...get, path: '/\u65e5' },
        { ...get, method: 'A B' },
      ]) {
        const report = send(upstream, bad);
        await report.over;
        assert.deepEqual(report.events, ['failure INTERNAL']);
      }
      await assertUsable(upstream, raw);
    });
  });

  describe('a closed upstream', () => {
    test('lets running answers finish', async (t) => {
      const { port, sockets } = await startRawUpstream(t, (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'),
      );
      const upstream = upstreamTo(t, create, targetAt(port));
      const report = send(upstream, get);
      await until('the body', () => report.body === 'ok');
      upstream.close();
      await sleep(50);
      sockets[0]?.write('4\r\nmore\r\n0\r\n\r\n');
      await report.over;
      assert.deepEqual(report.events, ['head 200', 'end']);
      assert.equal(report.body, 'okmore');
      await until('the connection to be closed', () => sockets[0]?.destroyed === true);
    });

    test('still answers a request that began before a reload, and keeps no connection for it', async (t) => {
      const { port, sockets } = await startRawUpstream(t, (socket) => socket.write(OK));
      const upstream = upstreamTo(t, create, targetAt(port));
      upstream.close();
      for (let round = 1; round <= 2; round += 1) {
        const report = send(upstream, get);
        await report.over;
        assert.deepEqual(report.events, ['head 200', 'end']);
      }
      await until('no connection', () => sockets.every(({ destroyed }) => destroyed));
    });
  });

  test('connections are kept for the next request, and closed when unused', async (t) => {
    const { port, sockets } = await startRawUpstream(t, (socket) => socket.write(OK));
    const upstream = upstreamTo(t, create, targetAt(port), { idleTimeoutMs: 500 });
    for (let round = 0; round < 5; round += 1) {
      await send(upstream, get).over;
      await sleep(5);
    }
    assert.equal(sockets.length, 1);
    await until('the connection to be closed', () => sockets[0]?.destroyed === true);
  });
}
