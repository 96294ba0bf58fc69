import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginEvents, event, json, ok, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { fileScope } from '../harness/scope.ts';
import { sleep } from '../harness/until.ts';

const MINUTE_MS = 61_000;

/** The gate puts comments into a silent stream. */
const withoutComments = (text: string) => text.replaceAll(/^:\n\n/gm, '');

describe('a minute of silence is not an end', { concurrency: true }, () => {
  test('a stream that is idle for a minute goes on', async () => {
    const upstream = await startFakeUpstream(fileScope, async (_request, response) => {
      beginEvents(response);
      response.write(event('before'));
      await sleep(MINUTE_MS);
      response.end(event('after'));
    });
    const gate = await startGate(fileScope, { upstreamPort: upstream.port });
    const answer = await sendMcp(gate.port, ping);
    assert.equal(answer.status, 200);
    assert.equal(withoutComments(answer.text), event('before') + event('after'));
  });

  test('an event stream without any event for a minute goes on', async () => {
    const upstream = await startFakeUpstream(fileScope, async (_request, response) => {
      beginEvents(response);
      await sleep(MINUTE_MS);
      response.end(event('after'));
    });
    const gate = await startGate(fileScope, { upstreamPort: upstream.port });
    const answer = await sendMcp(gate.port, ping);
    assert.equal(answer.status, 200);
    assert.equal(withoutComments(answer.text), event('after'));
  });

  test('an answer that takes a minute arrives', async () => {
    const upstream = await startFakeUpstream(fileScope, async (request, response) => {
      await sleep(MINUTE_MS);
      await json(ok)(request, response);
    });
    const gate = await startGate(fileScope, { upstreamPort: upstream.port });
    const answer = await sendMcp(gate.port, ping);
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), ok);
  });
});
