import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { beginEvents, event, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';

const EVENTS = 10_000;

test('ten thousand events arrive complete and in order', async (t) => {
  // Priming events, ids and retry hints are part of the protocol: not one octet may differ.
  const pieces = ['retry: 1000\nid: 0\ndata: \n\n'];
  for (let index = 1; index <= EVENTS; index += 1) {
    pieces.push(`id: ${index}\n${event(JSON.stringify({ index, pad: 'x'.repeat(index % 300) }))}`);
  }
  const upstream = await startFakeUpstream(t, async (_request, response) => {
    beginEvents(response);
    for (const piece of pieces) if (!response.write(piece)) await once(response, 'drain');
    response.end();
  });
  const gate = await startGate(t, { upstreamPort: upstream.port });
  const { status, text } = await sendMcp(gate.port, ping);
  assert.equal(status, 200);
  // The gate may open a stream with a comment, which event stream parsers skip.
  assert.equal(text.replace(/^:\n\n/, ''), pieces.join(''));
});

test('a large JSON answer arrives octet for octet, with its length and without', async (t) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { data: 'äöü'.repeat(3_000_000) } });
  let withLength = true;
  const upstream = await startFakeUpstream(t, (_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(withLength ? { 'content-length': Buffer.byteLength(body) } : {}),
    });
    response.end(body);
  });
  const gate = await startGate(t, { upstreamPort: upstream.port });
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  for (withLength of [true, false]) {
    const answer = await sendMcp(gate.port, ping);
    assert.equal(answer.headers['content-length'] !== undefined, withLength);
    assert.equal(digest(answer.text), digest(body));
  }
});
