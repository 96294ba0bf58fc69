import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Exchange } from '../../src/exchange.ts';
import { Refusal } from '../../src/errors.ts';
import { begin, open, send } from '../harness/http-client.ts';
import { sleep, until } from '../harness/until.ts';
import { answerWith, openNativePort, talk } from './native-port.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const ended =
  (body: string) =>
  (received: string): boolean =>
    received.endsWith(body);

describe('answers on the wire', () => {
  const wire: readonly [
    string,
    request: string,
    run: (exchange: Exchange) => void,
    expected: string,
  ][] = [
    [
      'a whole answer has its length',
      GET,
      ({ responder }) => responder.send(200, ['a', 'b'], 'abc'),
      'HTTP/1.1 200 OK\r\na: b\r\nContent-Length: 3\r\n\r\nabc',
    ],
    [
      'an answer to HEAD has no body',
      GET.replace('GET', 'HEAD'),
      ({ responder }) => responder.send(403, [], 'abc'),
      'HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\n\r\n',
    ],
    [
      'a 204 has no Content-Length',
      GET,
      ({ responder }) => responder.send(204, [], ''),
      'HTTP/1.1 204 No Content\r\n\r\n',
    ],
    [
      'a streamed answer without a body has the length of the body it has not',
      GET.replace('GET', 'HEAD'),
      ({ responder }) =>
        responder.begin({
          status: 200,
          headers: [],
          contentLength: 7,
          bodiless: true,
          opening: '',
        }),
      'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n',
    ],
    [
      'header values beyond ASCII keep their octets',
      GET,
      ({ responder }) => responder.send(200, ['a', 'caf\u00e9'], ''),
      'HTTP/1.1 200 OK\r\na: caf\u00e9\r\nContent-Length: 0\r\n\r\n',
    ],
  ];
  for (const [name, request, run, expected] of wire) {
    test(name, async (t) => {
      const { port } = await openNativePort(t, run);
      assert.equal(await talk(port, request, ended(expected.slice(-8))), expected);
      // The connection is in step: nothing of the first answer is taken for the second one's.
      const twice = await talk(
        port,
        request + request,
        (text) => text.length >= 2 * expected.length,
      );
      assert.equal(twice, expected + expected);
    });
  }

  // Answers of a later turn: the native server closes a connection on which the next request comes before them.
  const later: readonly (readonly [string, string, (exchange: Exchange) => void, string])[] = [
    [
      'an answer of unknown length that is whole at once',
      GET,
      ({ responder }) => {
        responder.begin({
          status: 200,
          headers: [],
          contentLength: null,
          bodiless: false,
          opening: '',
        });
        responder.write(Buffer.from('abcde'));
        responder.end();
      },
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
    ],
    [
      'a chunked answer',
      GET,
      ({ responder }) => {
        responder.begin({
          status: 200,
          headers: [],
          contentLength: null,
          bodiless: false,
          opening: '',
        });
        responder.write(Buffer.from('abcde'));
        setTimeout(() => responder.end(), 10);
      },
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
    ],
  ];
  for (const [name, request, run, expected] of later) {
    test(name, async (t) => {
      const { port } = await openNativePort(t, run);
      assert.equal(await talk(port, request, ended(expected.slice(-8))), expected);
    });
  }

  test('a refusal that closes says so once and closes', async (t) => {
    const { port } = await openNativePort(t, (exchange) =>
      exchange.fail(new Refusal('REQUEST_INVALID')),
    );
    assert.equal(
      await talk(port, GET),
      'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nConnection: close\r\nContent-Length: 15\r\n\r\ninvalid request',
    );
  });

  test('a stream that ends while the process drains is not damaged', async (t) => {
    const gate = await openNativePort(t, ({ responder }) => {
      responder.begin({
        status: 200,
        headers: [],
        contentLength: null,
        bodiless: false,
        opening: '',
      });
      responder.write(Buffer.from('abcde'));
      setTimeout(() => {
        gate.closing = true;
        responder.end();
      }, 10);
    });
    const received = await talk(gate.port, GET, ended('0\r\n\r\n'));
    assert.ok(received.endsWith('\r\n\r\n5\r\nabcde\r\n0\r\n\r\n'), received);
  });

  test('while the process drains an answer asks the client to leave, once', async (t) => {
    const gate = await openNativePort(t);
    gate.closing = true;
    const received = await talk(gate.port, GET);
    assert.equal(received.match(/connection: close/gi)?.length, 1);
  });

  test('the server does not tell its name', async (t) => {
    const { port } = await openNativePort(t);
    assert.doesNotMatch(await talk(port, GET, ended('ok')), /uwebsockets/i);
  });

  test('a cut answer ends the connection without its last chunk', async (t) => {
    const gate = await openNativePort(t, ({ responder }) => {
      responder.begin({
        status: 200,
        headers: [],
        contentLength: null,
        bodiless: false,
        opening: '',
      });
      responder.write(Buffer.from('abcde'));
      setTimeout(() => responder.cut(), 50);
    });
    const received = await talk(gate.port, GET);
    assert.ok(received.includes('abcde'));
    assert.ok(!received.includes('\r\n0\r\n'));
    assert.equal(gate.finished.length, 1);
    assert.equal(gate.finished[0]?.refusal, null);
  });

  test('an event stream without events has its head and a comment at once, and only then', async (t) => {
    const begun = {
      status: 200,
      headers: ['content-type', 'text/event-stream'],
      contentLength: null,
      bodiless: false,
      opening: ':\n\n',
    };
    const gate = await openNativePort(t, ({ responder }) => responder.begin(begun));
    assert.ok((await talk(gate.port, GET, ended(':\n\n'))).endsWith('3\r\n:\n\n'));
    gate.run = ({ responder }) => {
      responder.begin(begun);
      responder.write(Buffer.from('data: 1\n\n'));
    };
    const withData = await talk(gate.port, GET, ended('data: 1\n\n'));
    assert.ok(!withData.includes(':\n\n\r\n'), withData);
  });
});

describe('large bodies', () => {
  test('an answer of known length through a slow reader arrives whole', async (t) => {
    const body = randomBytes(8_000_000);
    let waits = 0;
    const gate = await openNativePort(t, ({ responder }) => {
      responder.begin({
        status: 200,
        headers: [],
        contentLength: body.length,
        bodiless: false,
        opening: '',
      });
      let sent = 0;
      const feed = (): void => {
        while (sent < body.length && !responder.finished) {
          const accepted = responder.write(body.subarray(sent, (sent += 65_536)));
          if (accepted) continue;
          waits += 1;
          return;
        }
        responder.end();
      };
      responder.onDrain(feed);
      feed();
    });
    const { response } = await open({ port: gate.port });
    const hash = createHash('sha256');
    let length = 0;
    for await (const piece of response) {
      hash.update(piece as Buffer);
      length += (piece as Buffer).length;
      if (length % 7 === 0) await sleep(2);
    }
    assert.equal(length, body.length);
    assert.equal(hash.digest('hex'), createHash('sha256').update(body).digest('hex'));
    assert.ok(waits > 0, 'the reader was never too slow');
    await until('the end', () => gate.finished.length === 1);
  });

  test('a chunked answer through a slow reader arrives whole', async (t) => {
    const piece = randomBytes(65_536);
    const gate = await openNativePort(t, ({ responder }) => {
      responder.begin({
        status: 200,
        headers: [],
        contentLength: null,
        bodiless: false,
        opening: '',
      });
      let left = 100;
      const feed = (): void => {
        while (left > 0) {
          left -= 1;
          if (!responder.write(piece)) return;
        }
        responder.end();
      };
      responder.onDrain(feed);
      feed();
    });
    const { response } = await open({ port: gate.port });
    await sleep(100);
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    assert.equal(length, 100 * piece.length);
  });

  test('a request body is whole when the read-body stage has it', async (t) => {
    const gate = await openNativePort(t, (exchange) => {
      exchange.requestBody?.whenSettled({
        onSettled() {
          const sum = createHash('sha256').update(exchange.requestBody?.bytes() ?? '');
          exchange.responder.send(200, [], sum.digest('hex'));
        },
      });
    });
    const body = randomBytes(1_500_000);
    const expected = createHash('sha256').update(body).digest('hex');
    assert.equal((await send({ port: gate.port, body })).text, expected);
    const chunked = begin({ port: gate.port, method: 'POST' });
    const answer = new Promise<string>((resolve) =>
      chunked.once('response', (response) => {
        response.setEncoding('utf8').once('data', resolve);
      }),
    );
    for (let at = 0; at < body.length; at += 100_000)
      chunked.write(body.subarray(at, at + 100_000));
    chunked.end();
    assert.equal(await answer, expected);
  });

  test('a body that is announced too large is refused before it is sent', async (t) => {
    const gate = await openNativePort(t);
    const received = await talk(
      gate.port,
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000001\r\n\r\n',
    );
    assert.match(received, /^HTTP\/1.1 413 .*request body too large$/s);
  });

  test('an answer before the body has arrived leaves the connection in step', async (t) => {
    const gate = await openNativePort(t, (exchange) =>
      exchange.fail(new Refusal('AUTHORIZATION_DENIED')),
    );
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n';
    const received = await talk(
      gate.port,
      Buffer.concat([
        Buffer.from(post),
        Buffer.alloc(1_000_000, 'GET / HTTP/1.1\r\n'),
        Buffer.from(GET),
      ]),
      (text) => text.split('authorization failed').length === 3,
    );
    assert.equal(received.match(/HTTP\/1\.1/g)?.length, 2);
  });
});

describe('a client that goes away', () => {
  const leave = (socket: Socket): void => {
    socket.resetAndDestroy();
  };

  test('before the answer has begun is told of at once and counted as 499', async (t) => {
    const gate = await openNativePort(t, () => undefined);
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(GET));
    socket.on('error', () => undefined);
    const exchange = await until('a request', () => gate.started[0]);
    let told = 0;
    exchange.responder.onAbort(() => (told += 1));
    leave(socket);
    await until('the end', () => gate.finished.length === 1);
    assert.equal(told, 1);
    assert.equal(exchange.status, 499);
    assert.equal(exchange.refusal?.kind.code, 'CLIENT_CLOSED');
    exchange.fail(new Refusal('INTERNAL'));
    assert.equal(exchange.refusal.kind.code, 'CLIENT_CLOSED');
  });

  test('before the refusal that was decided had its turn is counted with the refusal', async (t) => {
    const gate = await openNativePort(t, () => undefined);
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(GET));
    socket.on('error', () => undefined);
    const exchange = await until('a request', () => gate.started[0]);
    exchange.refusal = new Refusal('AUTHORIZATION_DENIED');
    leave(socket);
    await until('the end', () => gate.finished.length === 1);
    assert.equal(exchange.refusal.kind.code, 'AUTHORIZATION_DENIED');
    assert.equal(exchange.status, 403);
  });

  test('within a body wakes whoever waits for it', async (t) => {
    const gate = await openNativePort(t, () => undefined);
    const socket = connect(gate.port, '127.0.0.1', () =>
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc'),
    );
    socket.on('error', () => undefined);
    const exchange = await until('a request', () => gate.started[0]);
    const settled = new Promise<void>((resolve) => {
      exchange.requestBody?.whenSettled({ onSettled: resolve });
    });
    leave(socket);
    await settled;
    assert.equal(exchange.requestBody?.outcome, 'aborted');
  });

  test('leaves no connection behind in the count', async (t) => {
    const gate = await openNativePort(t);
    await Promise.all(Array.from({ length: 20 }, () => send({ port: gate.port })));
    await until('all to be gone', () => gate.connections() === 0);
    assert.equal(gate.finished.length, 20);
  });
});

describe('what is handed to the stages', () => {
  const echo = (exchange: Exchange): void => {
    const { method, path, query, host, authority, scheme, headers, remoteAddress } = exchange.head;
    exchange.responder.send(
      200,
      [],
      JSON.stringify({ method, path, query, host, authority, scheme, headers, remoteAddress }),
    );
  };

  test('is the request as it was sent', async (t) => {
    const { port } = await openNativePort(t, echo);
    const received = await talk(
      port,
      'DELETE /a%62?x=1&x=%2F HTTP/1.1\r\nHost: Example.COM:80\r\nX-A: 1\r\nX-a: 2\r\n\r\n',
      ended('}'),
    );
    assert.deepEqual(JSON.parse(received.split('\r\n\r\n')[1] ?? ''), {
      method: 'DELETE',
      path: '/ab',
      query: 'x=1&x=%2F',
      host: 'example.com',
      authority: 'Example.COM:80',
      scheme: 'http',
      headers: ['host', 'Example.COM:80', 'x-a', '1', 'x-a', '2'],
      remoteAddress: '127.0.0.1',
    });
  });

  const queries: readonly [target: string, query: string | null][] = [
    ['/', null],
    ['/?', ''],
    ['/?a?b', 'a?b'],
  ];
  for (const [target, query] of queries) {
    test(`the query of ${target} is ${JSON.stringify(query)}`, async (t) => {
      const { port } = await openNativePort(t, echo);
      const received = await talk(port, GET.replace('/', target), ended('}'));
      const { query: found } = JSON.parse(received.split('\r\n\r\n')[1] ?? '') as {
        query: unknown;
      };
      assert.equal(found, query);
    });
  }

  test('an IPv4 client of an IPv6 socket has its IPv4 address', async (t) => {
    const { port } = await openNativePort(t, echo, { address: '::' });
    assert.match(await talk(port, GET, ended('}')), /"remoteAddress":"127\.0\.0\.1"/);
  });

  const refused: readonly [string, octets: string | Uint8Array, status: number][] = [
    ['two Host headers', GET.replace('Host: x', 'Host: x\r\nHost: y'), 400],
    [
      'two Authorization headers',
      GET.replace('Host: x', 'Host: x\r\nAuthorization: a\r\nauthorization: b'),
      400,
    ],
    [
      'two Content-Length headers',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc',
      400,
    ],
    [
      'a transfer coding besides chunked',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'an odd transfer coding',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['an invalid Host', GET.replace('Host: x', 'Host: a/b'), 400],
    ['a path with a dot segment', GET.replace('/ ', '/a/../b '), 400],
    ['a number sign in the query', GET.replace('/ ', '/?a#b '), 400],
    ['a query beyond ASCII', Buffer.from(GET.replace('/ ', '/?é ')), 400],
    [
      'a header value that is not UTF-8',
      Buffer.from(GET.replace('x', 'x\r\nX-A: a\xe9b'), 'latin1'),
      400,
    ],
    ['a header value with DEL', GET.replace('x', 'x\r\nX-A: a\x7fb'), 400],
    ['CONNECT', GET.replace('GET', 'CONNECT'), 400],
    ['TRACE', GET.replace('GET', 'TRACE'), 400],
    ['a lower-case method', GET.replace('GET', 'get'), 400],
    ['a target that is too long', GET.replace('/ ', `/${'a'.repeat(1000)} `), 414],
    ['too many fields', GET.replace('x', `x${'\r\nA: b'.repeat(50)}`), 431],
  ];
  for (const [name, octets, status] of refused) {
    test(`${name}: ${status}, and the connection is closed`, async (t) => {
      const gate = await openNativePort(t, () => assert.fail('reached the stages'));
      const received = await talk(gate.port, octets);
      assert.match(received, new RegExp(`^HTTP/1.1 ${status} .*\r\nConnection: close\r\n`, 's'));
      // The newer builds of the native server refuse some of these before we are called.
      assert.ok(gate.finished.length === 1 || gate.started.length === 0);
      assert.equal(gate.finished[0]?.status ?? status, status);
    });
  }

  test('a header value in UTF-8 is its text', async (t) => {
    const gate = await openNativePort(t);
    await talk(gate.port, Buffer.from(GET.replace('x', 'x\r\nX-A: a日b')), ended('ok'));
    assert.deepEqual(gate.started[0]?.head.headers.slice(-2), ['x-a', 'a日b']);
  });
});

describe('a listening socket', () => {
  test('that stopped accepting goes on with its connections', async (t) => {
    const gate = await openNativePort(t, answerWith('still here'));
    const socket = connect(gate.port, '127.0.0.1', () => socket.write(GET));
    t.after(() => socket.destroy());
    socket.setEncoding('latin1');
    let received = '';
    socket.on('data', (text: string) => (received += text));
    await until('the first answer', () => received.includes('still here'));
    gate.socket.stopAccepting();
    gate.socket.stopAccepting();
    received = '';
    socket.write(GET);
    await until('the second answer', () => received.includes('still here'));
    await assert.rejects(send({ port: gate.port }), /ECONNREFUSED/);
    gate.socket.closeAll();
    gate.socket.closeAll();
    await until('the connection to be closed', () => gate.connections() === 0);
  });

  test('on an address that is not this machine\u2019s is an error that names it', async (t) => {
    await assert.rejects(
      openNativePort(t, undefined, { address: '192.0.2.1' }),
      /cannot listen on 192\.0\.2\.1 port \d+/,
    );
  });
});
