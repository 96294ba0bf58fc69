/** Comments keep silent event streams alive, and never stand within an event. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { readEvents } from '../harness/event-reader.ts';
import { beginEvents, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { glooPolicy, KGATEWAY_GROUP, rbac } from '../harness/resources.ts';
import { sleep, until } from '../harness/until.ts';

const EVENT = 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n';
const filtered = glooPolicy(rbac('true'), {
  target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' },
});
const comments = (text: string) => (text.match(/^:$/gm) ?? []).length;

describe('a silent stream', () => {
  for (const [name, more] of [
    ['as it comes', []],
    ['filtered by policies', [filtered]],
  ] as const) {
    test(`${name} gets comments, and events stay whole`, async (t) => {
      const responses: ServerResponse[] = [];
      const upstream = await startFakeUpstream(t, (_request, opened) => {
        beginEvents(opened);
        opened.write(EVENT);
        responses.push(opened);
      });
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        more,
        options: ['--stream-keep-alive=1s'],
      });
      const reader = await readEvents(gate.port);
      await until('the first event', () => reader.text.includes(EVENT));
      const atFirst = comments(reader.text);
      await until('two comments', () => comments(reader.text) >= atFirst + 2);

      const [stream = assert.fail('no stream')] = responses;
      const half = EVENT.length / 2;
      stream.write(EVENT.slice(0, half));
      await sleep(3500);
      stream.write(EVENT.slice(half));
      await until('the second event', () => reader.text.split(EVENT).length === 3);
      const before = comments(reader.text);
      await until('a comment after it', () => comments(reader.text) > before);
      stream.end(EVENT);
      await until('the end', () => reader.end !== 'open');
      assert.equal(reader.end, 'clean');
      assert.equal(reader.text.replaceAll(/^:\n\n/gm, ''), EVENT.repeat(3));
    });
  }

  test('stays as it is where comments are turned off, and an answer in JSON always does', async (t) => {
    const upstream = await startFakeUpstream(t, (request, response) => {
      if (request.method === 'GET') {
        beginEvents(response);
        response.write(EVENT);
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"jsonrpc":');
    });
    const off = await startGate(t, {
      upstreamPort: upstream.port,
      options: ['--stream-keep-alive=0'],
    });
    const on = await startGate(t, {
      upstreamPort: upstream.port,
      options: ['--stream-keep-alive=1s'],
    });
    const events = await readEvents(off.port);
    const json = await readEvents(on.port, { message: { jsonrpc: '2.0', id: 1, method: 'ping' } });
    await until('the event', () => events.text.includes(EVENT));
    await sleep(3000);
    assert.equal(events.text.replace(/^:\n\n/, ''), EVENT);
    assert.equal(json.text, '{"jsonrpc":');
  });
});
