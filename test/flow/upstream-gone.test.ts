import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { beginEvents, event, startFakeUpstream, type Script } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, open, ping, sendMcp } from '../harness/http-client.ts';
import { route } from '../harness/resources.ts';
import { sleep } from '../harness/until.ts';

test('an upstream that dies in the middle of a stream ends the stream of the client', async (t) => {
  const upstream = await startFakeUpstream(t, async (_request, response) => {
    beginEvents(response);
    response.write(event('last words'));
    await sleep(300);
    response.socket?.resetAndDestroy();
  });
  const gate = await startGate(t, { upstreamPort: upstream.port });
  const { response } = await open({
    port: gate.port,
    body: JSON.stringify(ping),
    headers: mcpHeaders(),
  });
  let text = '';
  // The client must be able to tell a cut stream from a complete one.
  await assert.rejects(async () => {
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  });
  assert.match(text, /last words/);
});

const rows: readonly {
  readonly name: string;
  readonly script: Script;
  readonly status: number;
  readonly body: RegExp;
}[] = [
  {
    name: 'resets the connection before an answer',
    script: (_request, response) => void response.socket?.resetAndDestroy(),
    status: 502,
    body: /^upstream call failed: /,
  },
  {
    name: 'closes the connection before an answer',
    script: (_request, response) => void response.socket?.end(),
    status: 502,
    body: /^upstream call failed: /,
  },
  {
    name: 'answers with something that is not HTTP',
    script: (_request, response) => void response.socket?.end('220 mail.example ESMTP\r\n\r\n'),
    status: 502,
    body: /^upstream call failed: /,
  },
  {
    name: "takes longer than the route's timeout",
    script: () => undefined,
    status: 504,
    body: /^request timeout$/,
  },
];

for (const { name, script, status, body } of rows) {
  test(`an upstream that ${name} is answered for with ${status}`, async (t) => {
    const upstream = await startFakeUpstream(t, script);
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      more: [route({ rule: { timeouts: { request: '1s' } } })],
    });
    const answer = await sendMcp(gate.port, ping);
    assert.equal(answer.status, status);
    assert.match(answer.text, body);
    // A POST may have had its effect: it is never sent twice.
    assert.equal(upstream.requests.length, 1);
  });
}

test('an upstream that nobody listens for is answered for with 503, and used once it is there', async (t) => {
  const upstreamPort = await freePort();
  const gate = await startGate(t, { upstreamPort });
  const refused = await sendMcp(gate.port, ping);
  assert.equal(refused.status, 503);
  assert.match(refused.text, /^upstream call failed: /);

  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'));
  });
  t.after(() => void server.close());
  await new Promise<void>((resolve) => server.listen(upstreamPort, '127.0.0.1', resolve));
  assert.equal((server.address() as AddressInfo).port, upstreamPort);
  const answer = await sendMcp(gate.port, ping);
  assert.equal(answer.status, 200);
});

test('a name that does not resolve is answered for with 503', async (t) => {
  const upstream = await startFakeUpstream(t);
  const gate = await startGate(t, { upstreamPort: upstream.port });
  await gate.reload(gate.resources().replace('host: 127.0.0.1', 'host: does-not-exist.invalid'));
  const answer = await sendMcp(gate.port, ping);
  assert.equal(answer.status, 503);
});

test('a timeout of the route bounds the wait for a stream, not the stream', async (t) => {
  const upstream = await startFakeUpstream(t, async (_request, response) => {
    beginEvents(response);
    for (let index = 0; index < 6; index += 1) {
      await sleep(500);
      response.write(event(String(index)));
    }
    response.end();
  });
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    more: [route({ rule: { timeouts: { request: '1s', backendRequest: '1s' } } })],
  });
  const answer = await sendMcp(gate.port, ping);
  assert.equal(answer.status, 200);
  assert.match(answer.text, /data: 5\n\n$/);
});
