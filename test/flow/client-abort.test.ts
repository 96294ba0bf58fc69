import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginEvents, event, startFakeUpstream, type Script } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { begin, mcpHeaders, ping } from '../harness/http-client.ts';
import { sleep, until } from '../harness/until.ts';

const rows: readonly { readonly when: string; readonly script: Script; readonly heads: number }[] =
  [
    {
      when: 'before the upstream has answered at all',
      script: () => undefined,
      heads: 0,
    },
    {
      when: 'after the head, before the first event',
      script: (_request, response) => beginEvents(response),
      heads: 1,
    },
    {
      when: 'in the middle of a stream',
      script: async (_request, response) => {
        beginEvents(response);
        while (!response.destroyed) {
          response.write(event('tick'));
          await sleep(50);
        }
      },
      heads: 1,
    },
  ];

for (const { when, script, heads } of rows) {
  test(`a client that goes away ${when} ends the upstream request in under a second`, async (t) => {
    const upstream = await startFakeUpstream(t, script);
    const gate = await startGate(t, { upstreamPort: upstream.port });
    const body = JSON.stringify(ping);
    const request = begin({ port: gate.port, body, headers: mcpHeaders() });
    let answers = 0;
    request.on('response', (response) => {
      answers += 1;
      response.resume().on('error', () => undefined);
    });
    request.on('error', () => undefined);
    request.end(body);
    const received = await until('the upstream to be asked', () => upstream.requests[0]);
    await until('the head', () => answers === heads);
    await sleep(200);

    const leftAt = performance.now();
    request.destroy();
    const abortedAt = await Promise.race([received.aborted, sleep(5000)]);
    assert(abortedAt !== undefined, 'the upstream request was never ended');
    assert(abortedAt - leftAt < 1000, `it took ${abortedAt - leftAt} ms`);
    await gate.waitForAccessLine(heads === 0 ? /http\.status=499/ : /http\.status=200/);
  });
}
