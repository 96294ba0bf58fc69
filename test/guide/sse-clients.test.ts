/**
 * Clients of the transport of 2024-11-05 (HTTP+SSE) in front of a server that speaks Streamable HTTP: the path ends
 * in `/sse`, and everything that holds for other clients holds for them. With two workers most messages
 * arrive at a worker that does not hold the client's stream.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { freePort } from '../harness/free-port.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';
import { runInspector } from '../peers/inspector-cli.ts';
import { connectSse, connectSseWithRoot, connectWithFallback } from '../peers/sdk1-client.ts';
import { connectSdk2 } from '../peers/sdk2-client.ts';

const config = new URL('../../config/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, config), 'utf8');
const alice = read('quickstart/alice.jwt').trim();
const bob = read('quickstart/bob.jwt').trim();

let serverPort: number;
before(async () => {
  ({ port: serverPort } = await startEverythingServer(fileScope));
});

for (const workers of [1, 2]) {
  describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
    let url: string;
    let postern: Postern;

    before(async () => {
      const port = await freePort();
      url = `http://127.0.0.1:${port}/mcp/sse`;
      const base = read('examples/02-jwt.yaml')
        .replace(/port: 8080$/gm, `port: ${port}`)
        .replace(/port: 3001$/gm, `port: ${serverPort}`);
      const resources = `${base}\n---\n${read('examples/04-tools.yaml')}`;
      postern = await startPostern(fileScope, { resources, options: [`--workers=${workers}`] });
    });

    test('Alice sees one tool, and may call it alone', async (t) => {
      // Several clients, so that with two workers some messages surely go from worker to worker.
      for (let round = 0; round < 6; round += 1) {
        const client = await connectSse(t, url, alice);
        const { tools } = await client.listTools();
        assert.deepEqual(
          tools.map((tool) => tool.name),
          ['echo'],
        );
        const called = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
        assert.match(JSON.stringify(called), /Echo: hello/);
        const denied = await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } });
        assert.match(JSON.stringify(denied), /Tool get-sum not found/);
        await client.close();
      }
      await postern.waitForAccessLine(
        /http\.status=202.*mcp\.method\.name=tools\/call.*get-sum.*policy=|policy=.*get-sum/,
      );
    });

    test('Bob connects and sees no tool', async (t) => {
      const client = await connectSse(t, url, bob);
      assert.deepEqual((await client.listTools()).tools, []);
      const denied = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      assert.match(JSON.stringify(denied), /Tool echo not found/);
    });

    test('many calls at once are each answered with their own result', async (t) => {
      const client = await connectSse(t, url, alice);
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          client.callTool({ name: 'echo', arguments: { message: `number ${index}.` } }),
        ),
      );
      for (const [index, answer] of answers.entries()) {
        assert.match(JSON.stringify(answer), new RegExp(`Echo: number ${index}\\.`));
      }
    });

    test('nobody connects without a token', async (t) => {
      await assert.rejects(connectSse(t, url), /403/);
    });

    test('Inspector CLI: Alice sees one tool', async (t) => {
      const run = await runInspector(t, url, alice, ['--method', 'tools/list'], 'sse');
      assert.equal(run.exitCode, 0, run.stderr);
      const names = [...run.stdout.matchAll(/"name": ?"([^"]+)"/g)].map(([, name]) => name);
      assert.deepEqual(names, ['echo']);
    });
  });
}

describe('a path that ends in /sse serves Streamable HTTP too', () => {
  let url: string;
  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/mcp/sse`;
    const resources = read('examples/02-jwt.yaml')
      .replace(/port: 8080$/gm, `port: ${port}`)
      .replace(/port: 3001$/gm, `port: ${serverPort}`);
    await startPostern(fileScope, { resources });
  });

  test('to SDK 1.x, whose fallback to HTTP+SSE is not needed', async (t) => {
    const { client, transport } = await connectWithFallback(t, url, alice);
    assert.equal(transport, 'http');
    assert((await client.listTools()).tools.length > 5);
  });

  test('to SDK 2.x in auto mode', async (t) => {
    const client = await connectSdk2(t, url, alice);
    assert((await client.listTools()).tools.length > 5);
  });

  test('a server may ask the client of HTTP+SSE, and tell it of progress', async (t) => {
    const client = await connectSseWithRoot(t, url, alice, 'file:///the-root');
    const roots = await until('the server to know the root', async () => {
      const answer = JSON.stringify(await client.callTool({ name: 'get-roots-list' }));
      return answer.includes('file:///the-root') ? answer : undefined;
    });
    assert.match(roots, /the-root/);
    const progress: number[] = [];
    await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } },
      undefined,
      { onprogress: (update) => progress.push(update.progress) },
    );
    // The SDK drops progress that it reads together with the answer; the last one may be that.
    assert.deepEqual(progress.slice(0, 2), [1, 2]);
  });
});
