/**
 * One Backend of three servers: one with sessions (Streamable HTTP), one of the stateless revision, and one that
 * speaks HTTP+SSE alone. Each is killed and started again on its port while clients of both eras use all of them.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { freePort } from '../harness/free-port.ts';
import { metricValue } from '../harness/metric-value.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { federation, gateway, route, yaml } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { startSdk2Server, type Restartable } from '../peers/federation-servers.ts';
import { connectSdk1 } from '../peers/sdk1-client.ts';
import { connectSdk2 } from '../peers/sdk2-client.ts';

const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' };
const FAILURE_MODES = ['FailOpen', 'FailClosed'] as const;
/** What to call at each target, and what it says. */
const TOOLS = {
  streamable: { name: 'streamable_echo', arguments: { message: 'x' }, answer: /Echo: x/ },
  modern: { name: 'modern_greet', arguments: {}, answer: /hello from generation 2/ },
  sse: { name: 'sse_echo', arguments: { message: 'x' }, answer: /Echo: x/ },
} as const;
type Target = keyof typeof TOOLS;
const TARGETS: readonly Target[] = ['streamable', 'modern', 'sse'];

let postern: Postern;
let base: string;
let servers: Readonly<Record<Target, Pick<Restartable, 'kill' | 'start'>>>;

before(async () => {
  const streamable = await startEverythingServer(fileScope);
  const modern = await startSdk2Server(fileScope, { modernOnly: true });
  const sse = await startEverythingServer(fileScope, { transport: 'sse' });
  servers = { streamable, modern, sse };
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  const at = ({ port: to }: { readonly port: number }) => ({ host: '127.0.0.1', port: to });
  const targets = [
    { name: 'streamable', static: at(streamable) },
    { name: 'modern', static: at(modern) },
    { name: 'sse', static: { ...at(sse), protocol: 'SSE' } },
  ];
  postern = await startPostern(fileScope, {
    resources: yaml(
      gateway({ port }),
      ...FAILURE_MODES.flatMap((failureMode) => {
        const name = failureMode.toLowerCase();
        return [
          federation({ name, failureMode, targets }),
          route({ name, prefix: `/${name}`, rule: { backendRefs: [{ ...BACKEND, name }] } }),
        ];
      }),
    ),
    options: ['--federation-timeout=5s'],
  });
});

/** What clients of both eras have in common, as far as it is used here. */
interface Client {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  callTool(params: {
    readonly name: string;
    readonly arguments: Record<string, unknown>;
  }): Promise<unknown>;
}

async function listed(client: Client): Promise<readonly string[]> {
  return (await client.listTools()).tools.map(({ name }) => name);
}

function call(client: Client, target: Target): Promise<string> {
  const { name, arguments: given } = TOOLS[target];
  return client.callTool({ name, arguments: given }).then((result) => JSON.stringify(result));
}

async function assertAllWork(client: Client): Promise<void> {
  const names = await listed(client);
  for (const target of TARGETS) {
    assert.ok(names.includes(TOOLS[target].name), target);
    assert.match(await call(client, target), TOOLS[target].answer);
  }
}

for (const failureMode of FAILURE_MODES) {
  const backend = failureMode.toLowerCase();
  describe(failureMode, () => {
    for (const gone of TARGETS) {
      test(`${gone} is killed and started again`, async (t) => {
        const url = `${base}/${backend}`;
        const clients = [await connectSdk1(t, url), await connectSdk2(t, url)];
        for (const client of clients) await assertAllWork(client);
        const count = async (name: string) =>
          metricValue(await postern.metrics(), `postern_upstream_${name}_total`, {
            backend: `default/${backend}`,
            target: gone,
          });
        const failuresBefore = await count('target_failures');
        const reopenedBefore = await count('reinitialisations');

        await servers[gone].kill();
        const words = failureMode === 'FailOpen' ? 'answered without' : 'failed for want of';
        for (const client of clients) {
          if (failureMode === 'FailOpen') {
            const names = await listed(client);
            for (const target of TARGETS) {
              assert.equal(names.includes(TOOLS[target].name), target !== gone, target);
            }
          } else {
            await assert.rejects(client.listTools(), /upstream failed/);
          }
          // A call concerns its target alone.
          for (const target of TARGETS) {
            if (target === gone) await assert.rejects(call(client, target));
            else assert.match(await call(client, target), TOOLS[target].answer);
          }
        }
        if (failureMode === 'FailOpen') {
          const late = await connectSdk1(t, url);
          assert.ok(!(await listed(late)).includes(TOOLS[gone].name));
          clients.push(late);
        } else {
          await assert.rejects(connectSdk1(t, url), /upstream failed/);
        }
        await postern.waitForAccessLine(
          new RegExp(`http\\.path=/${backend} .*detail=${words} ${gone} .*tools/list`),
        );
        assert.ok((await count('target_failures')) >= failuresBefore + clients.length);

        await servers[gone].start();
        for (const client of clients) {
          assert.match(await call(client, gone), TOOLS[gone].answer);
          await assertAllWork(client);
        }
        // Its sessions were lost with it; of the others one has none, and one opens a connection of its own.
        if (gone === 'streamable') {
          assert.ok((await count('reinitialisations')) >= reopenedBefore + 2);
        }
      });
    }
  });
}
