import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginEvents, event, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, open, ping } from '../harness/http-client.ts';
import { sleep, until } from '../harness/until.ts';

const SOON_MS = 500;
const LATER_MS = 2000;

test('each piece of a slow event stream arrives when it is sent, and so does its head', async (t) => {
  const sentAt: number[] = [];
  const upstream = await startFakeUpstream(t, async (_request, response) => {
    beginEvents(response);
    for (const data of ['first', 'second']) {
      await sleep(LATER_MS);
      sentAt.push(performance.now());
      response.write(event(data));
    }
    await sleep(LATER_MS);
    response.end();
  });
  const gate = await startGate(t, { upstreamPort: upstream.port });

  const startedAt = performance.now();
  const { response } = await open({
    port: gate.port,
    body: JSON.stringify(ping),
    headers: mcpHeaders(),
  });
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'text/event-stream');
  assert(performance.now() - startedAt < LATER_MS, 'the head waited for the first event');

  let received = '';
  response.setEncoding('utf8').on('data', (text: string) => (received += text));
  for (const [index, data] of ['first', 'second'].entries()) {
    await until(`the ${data} event`, () => received.includes(event(data)));
    const delayMs = performance.now() - (sentAt[index] ?? 0);
    assert(delayMs < SOON_MS, `the ${data} event took ${delayMs} ms`);
    assert(!response.complete);
  }
  await until('the end', () => response.complete);
});

test('a JSON answer that is sent in pieces arrives in pieces', async (t) => {
  const upstream = await startFakeUpstream(t, async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"jsonrpc":"2.0",');
    await sleep(LATER_MS);
    response.end('"id":1,"result":{}}');
  });
  const gate = await startGate(t, { upstreamPort: upstream.port });
  const startedAt = performance.now();
  const { response } = await open({
    port: gate.port,
    body: JSON.stringify(ping),
    headers: mcpHeaders(),
  });
  let received = '';
  response.setEncoding('utf8').on('data', (text: string) => (received += text));
  await until('the first piece', () => received === '{"jsonrpc":"2.0",');
  assert(performance.now() - startedAt < LATER_MS);
  await until('the end', () => response.complete);
  assert.deepEqual(JSON.parse(received), { jsonrpc: '2.0', id: 1, result: {} });
});
