/** When a connection carries another request, and when it must not. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createHttp1Upstream } from '../../../src/forward/http1/http1-upstream.ts';
import type { UpstreamLimits } from '../../../src/forward/upstream-limits.ts';
import type { UpstreamRequest } from '../../../src/forward/upstream.ts';
import type { Scope } from '../../harness/scope.ts';
import { sleep, until } from '../../harness/until.ts';
import { get, post, send, startRawUpstream, targetAt, upstreamTo } from '../raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function start(
  scope: Scope,
  script: (socket: Socket, head: string) => void,
  limits: Partial<UpstreamLimits> = {},
) {
  const raw = await startRawUpstream(scope, script);
  const upstream = upstreamTo(scope, createHttp1Upstream, targetAt(raw.port), limits);
  /** Sends a request and returns what was reported. */
  const ask = async (request: UpstreamRequest = get) => {
    const report = send(upstream, request);
    await report.over;
    return [...report.events, report.body];
  };
  return { raw, upstream, ask };
}

const ANSWERED = ['head 200', 'end', 'ok'];

describe('two requests in a row', () => {
  const rows: readonly [answer: string, connections: number][] = [
    [OK, 1],
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok', 1],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 1],
    ['HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 2\r\n\r\nok', 2],
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok', 2],
    ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok', 2],
    ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=9, max=5\r\nContent-Length: 2\r\n\r\nok', 1],
    ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 2],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok', 1],
    [`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`, 2],
    [`${OK}\r\n`, 2],
    [`${OK}x`, 2],
  ]; // prettier-ignore
  for (const [answer, connections] of rows) {
    test(`${JSON.stringify(answer)}: ${connections} connections`, async (t) => {
      const { raw, ask } = await start(t, (socket) => void socket.write(answer));
      assert.deepEqual(await ask(post), ANSWERED);
      assert.deepEqual(await ask(post), ANSWERED);
      assert.equal(raw.sockets.length, connections);
      if (connections === 2) await until('the end', () => raw.sockets[0]?.destroyed);
    });
  }
});

test('octets that nobody asked for end an unused connection, and answer nobody', async (t) => {
  const { raw, ask } = await start(t, (socket) => void socket.write(OK), {
    idleTimeoutMs: 60_000,
  });
  await ask();
  raw.sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged');
  await until('the end of the connection', () => raw.sockets[0]?.destroyed);
  assert.deepEqual(await ask(), ANSWERED);
  assert.equal(raw.sockets.length, 2);
});

test('a connection that the server closes while it is unused is not used again', async (t) => {
  const { raw, ask } = await start(t, (socket) => void socket.write(OK));
  await ask(post);
  raw.sockets[0]?.end();
  await sleep(50);
  assert.deepEqual(await ask(post), ANSWERED);
  assert.equal(raw.sockets.length, 2);
});

test('the connection that was used last is used first, and the others grow old', async (t) => {
  const waiting: Socket[] = [];
  const { raw, upstream } = await start(
    t,
    (socket, head) => {
      if (head.startsWith('POST')) waiting.push(socket);
      else socket.write(OK);
    },
    { idleTimeoutMs: 2000 },
  );
  const first = send(upstream, post);
  const second = send(upstream, post);
  await until('both', () => waiting.length === 2);
  waiting[0]?.write(OK);
  await first.over;
  waiting[1]?.write(OK);
  await second.over;
  for (let round = 0; !raw.sockets.some(({ destroyed }) => destroyed); round += 1) {
    assert.ok(round < 300, 'none grew old');
    await send(upstream, get).over;
    await sleep(20);
  }
  assert.equal(raw.sockets.length, 2);
  assert.equal(waiting[0]?.destroyed, true);
});

describe('an old connection that turns out to be of no use before the request is written', () => {
  const rows: readonly [string, (socket: Socket) => void][] = [
    ['it ended', (socket) => void socket.end()],
    ['it was reset', (socket) => void socket.resetAndDestroy()],
    ['the server speaks first', (socket) => void socket.write(OK.replace('ok', 'no'))],
  ];
  for (const [name, act] of rows) {
    test(`${name}: the request, also a POST, goes over another one, once`, async (t) => {
      const heads: string[] = [];
      const { raw, ask } = await start(t, (socket, head) => {
        heads.push(head);
        socket.write(OK);
      });
      await ask(post);
      // What begins at the end of a turn is written at the end of the next, after what comes in until then.
      await nextTurn();
      const [socket] = raw.sockets;
      assert.ok(socket);
      act(socket);
      assert.deepEqual(await ask(post), ANSWERED);
      assert.deepEqual([heads.length, raw.sockets.length], [2, 2]);
    });
  }
});

describe('an old connection that ends without an octet of an answer', () => {
  const rows: readonly [method: string, isSentAgain: boolean][] = [
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['DELETE', true],
    ['PUT', true],
    ['POST', false],
    ['PATCH', false],
    ['PROPPATCH', false],
  ];
  for (const [method, isSentAgain] of rows) {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      test(`${method}, ${end}: sent ${isSentAgain ? 'once more' : 'no more'}`, async (t) => {
        let requests = 0;
        const { raw, ask } = await start(t, (socket) => {
          requests += 1;
          if (requests === 2) socket[end]();
          else socket.write('HTTP/1.1 204 x\r\n\r\n');
        });
        await ask();
        const events = await ask({ ...get, method });
        const expected = isSentAgain ? ['head 204', 'end', ''] : ['failure UPSTREAM_RESET', ''];
        assert.deepEqual(events, expected);
        assert.equal(requests, isSentAgain ? 3 : 2);
        assert.equal(raw.sockets.length, isSentAgain ? 2 : 1);
      });
    }
  }

  test('is not followed by a third try', async (t) => {
    let requests = 0;
    const { ask } = await start(t, (socket) => {
      requests += 1;
      if (requests === 1) socket.write(OK);
      else socket.end();
    });
    await ask();
    assert.deepEqual(await ask(), ['failure UPSTREAM_RESET', '']);
    assert.equal(requests, 3);
  });

  test('with an octet of an answer is not sent again', async (t) => {
    let requests = 0;
    const { ask } = await start(t, (socket) => {
      requests += 1;
      if (requests === 1) socket.write(OK);
      else socket.end('H');
    });
    await ask();
    assert.deepEqual(await ask(), ['failure UPSTREAM_RESET', '']);
    assert.equal(requests, 2);
  });
});

test('a new connection that ends without an answer is not tried again', async (t) => {
  const { raw, ask } = await start(t, (socket) => void socket.end());
  assert.deepEqual(await ask(), ['failure UPSTREAM_RESET', '']);
  assert.equal(raw.heads.length, 1);
});

test('a connection whose request was answered before it was sent is not used again', async (t) => {
  let octets = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write(OK);
    });
    socket.on('data', (piece) => (octets += piece.length));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const upstream = upstreamTo(t, createHttp1Upstream, targetAt(port));
  const first = send(upstream, { ...post, body: Buffer.alloc(50_000_000) });
  await first.over;
  assert.deepEqual([...first.events, first.body], ANSWERED);
  const second = send(upstream, post);
  await second.over;
  assert.deepEqual([...second.events, second.body], ANSWERED);
  assert.equal(sockets.length, 2);
  assert.ok(octets < 50_000_000);
});

const DROPPED = [
  OK,
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a="b"\r\nok\r\n0\r\nA: b\r\n\r\n',
];
for (const answer of DROPPED) {
  test(`dropped after any octet, ${JSON.stringify(answer)} is never taken for whole`, async (t) => {
    let length = 0;
    const { ask } = await start(t, (socket) => void socket.end(answer.slice(0, length), 'latin1'));
    const headLength = answer.indexOf('\r\n\r\n', 30) + 4;
    for (length = 0; length < answer.length; length += 1) {
      const events = await ask();
      assert.equal(events.at(-2), 'failure UPSTREAM_RESET', `after ${length} octets`);
      assert.equal(events.includes('head 200'), length >= headLength, `after ${length} octets`);
    }
    assert.deepEqual(await ask(), ANSWERED);
  });
}

test('an answer that comes octet by octet is read', async (t) => {
  const answer = DROPPED[1] ?? '';
  const { ask } = await start(t, (socket) => {
    let at = 0;
    const next = (): void => {
      socket.write(answer.charAt(at), 'latin1');
      at += 1;
      if (at < answer.length) setImmediate(next);
    };
    socket.setNoDelay(true);
    next();
  });
  assert.deepEqual(await ask(), ANSWERED);
});

test('answers on many connections at once do not mix, though one memory reads them all', async (t) => {
  const { upstream } = await start(
    t,
    (socket, head) => {
      const letter = /^GET \/(.)/.exec(head)?.[1] ?? '?';
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let count = 0; count < 200; count += 1) {
        socket.write(`64\r\n${letter.repeat(100)}\r\n`);
      }
      socket.write('0\r\n\r\n');
    },
    { maxConnections: 20 },
  );
  const letters = Array.from('abcdefghijklmnopqrst');
  const reports = letters.map((letter, index) => {
    const report = send(upstream, { ...get, path: `/${letter}` }, index % 2 === 0);
    // Half of the readers take each piece only when they are asked to go on.
    if (index % 2 === 1) {
      const timer = setInterval(() => report.resume(), 1);
      t.after(() => clearInterval(timer));
    }
    return report;
  });
  await Promise.all(reports.map(({ over }) => over));
  letters.forEach((letter, index) => {
    assert.equal(reports[index]?.body, letter.repeat(20_000));
  });
});

test('a late answer is given up for as many requests as wait, each in time', async (t) => {
  const { upstream } = await start(t, () => undefined, { headersTimeoutMs: 200 });
  const startedAt = performance.now();
  const reports = Array.from({ length: 5 }, () => send(upstream, get));
  await Promise.all(reports.map(({ over }) => over));
  for (const { events } of reports) assert.deepEqual(events, ['failure UPSTREAM_TIMEOUT']);
  assert.ok(performance.now() - startedAt >= 200);
});

test('a request whose caller bounds the wait itself is not given up', async (t) => {
  const { upstream } = await start(t, () => undefined, { headersTimeoutMs: 50 });
  const report = send(upstream, { ...get, hasTimeout: true });
  await sleep(300);
  assert.deepEqual(report.events, []);
  report.abort();
});

test('a stream is not given up once it has begun', async (t) => {
  const { upstream } = await start(t, (socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n'), {
    headersTimeoutMs: 50,
  });
  const report = send(upstream, get);
  await sleep(300);
  assert.deepEqual(report.events, ['head 200']);
  report.abort();
});

test('a connection that is not made in time is UPSTREAM_UNREACHABLE', async (t) => {
  const upstream = upstreamTo(
    t,
    createHttp1Upstream,
    // Reserved for documentation (RFC 5737): nobody answers there.
    targetAt(9, { host: '192.0.2.1' }),
    { connectTimeoutMs: 100 },
  );
  const report = send(upstream, get);
  await report.over;
  assert.deepEqual(report.events, ['failure UPSTREAM_UNREACHABLE']);
});
