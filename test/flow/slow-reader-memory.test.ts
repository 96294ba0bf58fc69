import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { beginEvents, startFakeUpstream } from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, open, ping } from '../harness/http-client.ts';
import { residentBytes } from '../harness/memory.ts';
import { sleep } from '../harness/until.ts';

const MIB = 1024 * 1024;
const TOTAL_MIB = 200;
const GROWTH_LIMIT_MIB = 30;

test(
  'a client that stops reading stops the upstream, and the gate holds next to nothing',
  { skip: residentBytes(process.pid) === null && 'this system has no /proc' },
  async (t) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let writtenBytes = 0;
    const upstream = await startFakeUpstream(t, async (_request, response) => {
      beginEvents(response);
      while (writtenBytes < TOTAL_MIB * MIB && !response.destroyed) {
        writtenBytes += chunk.length;
        if (!response.write(chunk)) await once(response, 'drain');
      }
      response.end();
    });
    const gate = await startGate(t, { upstreamPort: upstream.port });
    const memory = () => residentBytes(gate.pid) ?? 0;

    const before = memory();
    const { response } = await open({
      port: gate.port,
      body: JSON.stringify(ping),
      headers: mcpHeaders(),
    });
    response.pause();
    await sleep(3000);
    const stalledAtBytes = writtenBytes;
    const growthMib = (memory() - before) / MIB;
    assert(growthMib < GROWTH_LIMIT_MIB, `the gate grew by ${growthMib.toFixed(1)} MiB`);
    assert(stalledAtBytes < (TOTAL_MIB / 2) * MIB, 'the upstream was not slowed down');
    await sleep(1000);
    assert.equal(writtenBytes, stalledAtBytes, 'the upstream still writes though nobody reads');

    let readBytes = 0;
    let peak = 0;
    for await (const piece of response) {
      readBytes += (piece as Buffer).length;
      if (readBytes % (8 * MIB) < chunk.length) peak = Math.max(peak, memory());
    }
    assert(readBytes >= TOTAL_MIB * MIB, `only ${readBytes} octets arrived`);
    const peakMib = (peak - before) / MIB;
    assert(peakMib < 2 * GROWTH_LIMIT_MIB, `the gate grew by ${peakMib.toFixed(1)} MiB`);
  },
);
