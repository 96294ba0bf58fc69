import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { metricValue } from '../harness/metric-value.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

/** Far more than the native server's 12 s: the tests show that there is an end. */
const patienceMs = 60_000;

const fields =
  'host: x\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n';
const head = `POST /mcp HTTP/1.1\r\n${fields}content-length: 4000\r\n\r\n`;
const chunked = `POST /mcp HTTP/1.1\r\n${fields}transfer-encoding: chunked\r\n\r\n`;

/** What a client sends at first, and then again and again, until the gate has had enough. */
const rows: readonly {
  readonly what: string;
  readonly first: string;
  readonly trickle: string;
  readonly answer: RegExp;
}[] = [
  { what: 'nothing at all', first: '', trickle: '', answer: /^$/ },
  {
    what: 'half a head',
    first: 'GET /mcp HTTP/1.1\r\nhost: x\r\nx-a: ',
    trickle: '',
    answer: /^$/,
  },
  {
    what: 'a header value, octet by octet',
    first: 'GET /mcp HTTP/1.1\r\nhost: x\r\nx-a: ',
    trickle: 'a',
    answer: /^$/,
  },
  {
    what: 'header fields, one after another',
    first: 'GET /mcp HTTP/1.1\r\nhost: x\r\n',
    trickle: 'x: y\r\n',
    answer: /^(HTTP\/1\.1 431 .*)?/,
  },
  { what: 'half a body', first: `${head}{`, trickle: '', answer: /^HTTP\/1\.1 408 / },
  { what: 'a body, octet by octet', first: `${head}{`, trickle: ' ', answer: /^HTTP\/1\.1 408 / },
  {
    what: 'chunks, one after another',
    first: chunked,
    trickle: '1\r\n \r\n',
    answer: /^HTTP\/1\.1 408 /,
  },
  {
    what: 'a whole request, and then nothing',
    first: 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n',
    trickle: '',
    answer: /^HTTP\/1\.1 404 /,
  },
];

describe('a client that takes its time is not waited for', { concurrency: true }, () => {
  let upstream: FakeUpstream;
  let gate: Gate;

  before(async () => {
    upstream = await startFakeUpstream(fileScope);
    gate = await startGate(fileScope, {
      upstreamPort: upstream.port,
      options: ['--body-timeout=5s'],
    });
  });

  for (const { what, first, trickle, answer } of rows) {
    test(what, async () => {
      const { received, closed } = await dawdle(first, trickle);
      assert.equal(closed, true, 'the gate closes the connection');
      assert.match(received, answer);
    });
  }

  function dawdle(first: string, trickle: string): Promise<{ received: string; closed: boolean }> {
    return new Promise((resolve) => {
      let received = '';
      const socket = connect(gate.port, '127.0.0.1', () => socket.write(first));
      const trickling = setInterval(() => {
        if (trickle !== '' && !socket.destroyed) socket.write(trickle);
      }, 500);
      const settle = (closed: boolean): void => {
        clearInterval(trickling);
        clearTimeout(patience);
        resolve({ received, closed });
      };
      const patience = setTimeout(() => {
        settle(false);
        socket.destroy();
      }, patienceMs);
      socket.setEncoding('latin1').on('data', (text: string) => (received += text));
      socket.on('error', () => undefined);
      socket.once('close', () => settle(true));
    });
  }
});

test('and leaves nothing behind', async () => {
  const upstream = await startFakeUpstream(fileScope);
  const gate = await startGate(fileScope, {
    upstreamPort: upstream.port,
    options: ['--body-timeout=1s'],
  });
  const socket = connect(gate.port, '127.0.0.1', () => socket.write(`${head}{`));
  await new Promise((resolve) => socket.resume().once('close', resolve));
  await gate.waitForAccessLine(
    /http\.status=408 error=request body timeout .*reason=InvalidRequest/,
  );
  await until('nothing to be open', async () => {
    const page = await gate.metrics();
    return (
      metricValue(page, 'postern_open_requests') === 0 &&
      metricValue(page, 'postern_admitted_requests') === 0 &&
      metricValue(page, 'postern_downstream_connections') === 0
    );
  });
  assert.equal(upstream.requests.length, 0);
  assert.equal((await sendMcp(gate.port, ping)).status, 200);
});
