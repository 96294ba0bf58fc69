/**
 * What a large body costs: bodies of 4 MiB of several shapes go through the gate while others ask small things of
 * it. The times are printed, not judged; that the small ones are answered all along is.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { mcpHeaders, ping, send, sendMcp } from '../harness/http-client.ts';
import { fileScope } from '../harness/scope.ts';
import { readMessage } from '../../src/mcp/read-message.ts';

const MIB = 1024 * 1024;
const SIZE_BYTES = 4 * MIB;

/** A ping of 4 MiB whose parameters are one piece after the other. */
function body(piece: (index: number) => string, open: string, close: string): Buffer {
  const head = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${open}`;
  const tail = `${close}}}`;
  const pieces: string[] = [];
  let bytes = head.length + tail.length;
  for (let index = 0; ; index += 1) {
    const next = `${index === 0 ? '' : ','}${piece(index)}`;
    bytes += Buffer.byteLength(next);
    if (bytes > SIZE_BYTES) break;
    pieces.push(next);
  }
  return Buffer.from(`${head}${pieces.join('')}${tail}`);
}

const text = (length: number) => `"${'x'.repeat(length)}"`;
const shapes: readonly (readonly [name: string, body: Buffer])[] = [
  ['one long string', body(() => text(SIZE_BYTES - 100), '[', ']')],
  ['rows of a table', body((index) => `"row number ${index} of many"`, '[', ']')],
  ['escaped text', body(() => `"${'\\u00e9'.repeat(2000)}"`, '[', ']')],
  ['letters of three octets', body(() => `"${'\u6f22'.repeat(2000)}"`, '[', ']')],
  ['small numbers, more than may be', body(() => '1', '[', ']')],
  ['members of one object, more than may be', body((index) => `"k${index}":1`, '{', '}')],
  ['brackets, deeper than may be', body(() => '['.repeat(100_000), '[', ']')],
];

let gate: Gate;
before(async () => {
  const upstream = await startFakeUpstream(fileScope);
  gate = await startGate(fileScope, { upstreamPort: upstream.port });
});

for (const [name, large] of shapes) {
  test(`a body of 4 MiB that is ${name}`, async (t) => {
    const startedAt = performance.now();
    const { kind } = readMessage(large);
    const perMib = (performance.now() - startedAt) / (large.length / MIB);

    const progress = { isDone: false };
    const sent = send({ port: gate.port, body: large, headers: mcpHeaders() }).finally(
      () => (progress.isDone = true),
    );
    const waits: number[] = [];
    do {
      const askedAt = performance.now();
      assert.equal((await sendMcp(gate.port, ping)).status, 200);
      waits.push(performance.now() - askedAt);
    } while (!progress.isDone);
    assert.equal((await sent).status, kind === 'fault' ? 400 : 200);
    t.diagnostic(
      `${kind}: read in ${perMib.toFixed(1)} ms a MiB; ${waits.length} pings beside it, the slowest ${Math.max(...waits).toFixed(0)} ms`,
    );
  });
}
