import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { startGate } from '../harness/gate.ts';
import { ping, sendMcp } from '../harness/http-client.ts';
import { startPostern } from '../harness/postern.ts';
import { gateway, mcpBackend, route, yaml } from '../harness/resources.ts';

for (const workers of [1, 2]) {
  test(`a second gate on the same port ends with a clear error (${workers} workers)`, async (t) => {
    const upstream = await startFakeUpstream(t);
    const options = [`--workers=${workers}`];
    const first = await startGate(t, { upstreamPort: upstream.port, options });
    const second = await startPostern(t, {
      resources: first.resources(),
      options,
      waitUntilReady: false,
    });
    assert.equal(await second.waitForExit(), 1);
    assert.match(second.processLog(), new RegExp(String.raw`\b${first.port}\b`));
    assert.match(second.processLog(), /another|in use/i);
    for (let count = 0; count < 10; count += 1) {
      assert.equal((await sendMcp(first.port, ping)).status, 200);
    }
  });
}

test('a port that another program holds is a clear error', async (t) => {
  const port = await freePort();
  const other = createServer();
  t.after(() => void other.close());
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  const resources = yaml(gateway({ port }), mcpBackend({ port: 1 }), route());
  const postern = await startPostern(t, { resources, waitUntilReady: false });
  assert.equal(await postern.waitForExit(), 1);
  assert.match(postern.processLog(), new RegExp(String.raw`\b${port}\b`));
});

test('an admin port that is taken is a clear error', async (t) => {
  const upstream = await startFakeUpstream(t);
  const first = await startGate(t, { upstreamPort: upstream.port });
  const port = await freePort();
  const second = await startPostern(t, {
    resources: yaml(gateway({ port }), mcpBackend({ port: upstream.port }), route()),
    options: [`--admin-address=127.0.0.1:${first.adminPort}`],
    waitUntilReady: false,
  });
  assert.equal(await second.waitForExit(), 1);
  assert.match(second.processLog(), new RegExp(String.raw`\b${first.adminPort}\b`));
});

test('a reload to a port that is taken leaves everything as it was', async (t) => {
  const upstream = await startFakeUpstream(t);
  const gate = await startGate(t, { upstreamPort: upstream.port });
  const taken = await freePort();
  const other = createServer();
  t.after(() => void other.close());
  await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve));
  gate.write(gate.resources(gateway({ port: taken })));
  await gate.waitForProcessLine(new RegExp(String.raw`\b${taken}\b`));
  assert.equal((await sendMcp(gate.port, ping)).status, 200);
});
