import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginEvents, event, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, open, ping, sendMcp } from '../harness/http-client.ts';
import { sleep, until } from '../harness/until.ts';

for (const workers of ['1', '2']) {
  test(`SIGTERM lets requests and streams finish (${workers} workers)`, async (t) => {
    const upstream = await startFakeUpstream(t, async (_request, response) => {
      beginEvents(response);
      response.write(event('before'));
      await sleep(2500);
      response.end(event('after'));
    });
    const gate = await startGate(t, {
      upstreamPort: upstream.port,
      options: ['--drain-timeout=20s', `--workers=${workers}`],
    });
    const { response } = await open({
      port: gate.port,
      body: JSON.stringify(ping),
      headers: mcpHeaders(),
    });
    let text = '';
    response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await until('the first event', () => text.includes('before'));

    const startedAt = performance.now();
    gate.kill('SIGTERM');
    await until('not ready', async () => (await gate.admin('/healthz/ready')).status === 503, 2000);
    assert.equal((await gate.admin('/healthz/live')).status, 200);
    await until(
      'the port to be closed',
      () =>
        sendMcp(gate.port, ping).then(
          () => false,
          () => true,
        ),
      2000,
    );

    assert.equal(await gate.waitForExit(), 0);
    const tookMs = performance.now() - startedAt;
    assert(tookMs < 10_000, `it took ${tookMs} ms though the stream ended long before`);
    assert.match(text, /after/);
    assert(response.complete);
  });
}

test('streams that outlive the drain timeout are ended by it', async (t) => {
  const upstream = await startFakeUpstream(t, (_request, response) => {
    beginEvents(response);
    response.write(event('for ever'));
  });
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    options: ['--drain-timeout=1s'],
  });
  const { response } = await open({
    port: gate.port,
    body: JSON.stringify(ping),
    headers: mcpHeaders(),
  });
  response.resume().on('error', () => undefined);
  const startedAt = performance.now();
  gate.kill('SIGTERM');
  assert.equal(await gate.waitForExit(), 0);
  const tookMs = performance.now() - startedAt;
  assert(tookMs > 900 && tookMs < 10_000, `it took ${tookMs} ms`);
  await until('the end of the stream', () => response.closed);
  assert.match(gate.accessLog(), /http\.path=\/mcp/);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`an idle gate ends at once on ${signal}`, async (t) => {
    const upstream = await startFakeUpstream(t);
    const gate = await startGate(t, { upstreamPort: upstream.port });
    await sendMcp(gate.port, ping);
    const startedAt = performance.now();
    gate.kill(signal);
    assert.equal(await gate.waitForExit(), 0);
    assert(performance.now() - startedAt < 10_000);
  });
}
