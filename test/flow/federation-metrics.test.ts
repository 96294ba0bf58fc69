/** What the metrics and the access log say of a Backend with several targets. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, sendMcp } from '../harness/http-client.ts';
import { legacyScript, modernRequest, modernScript } from '../harness/mcp-scripts.ts';
import { metricValue } from '../harness/metric-value.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { federation, gateway, route, yaml } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' };
const MODES = ['Conditional', 'Always', 'Never'] as const;
const REQUESTS = 'postern_mcp_requests_total';
const FAILURES = 'postern_upstream_target_failures_total';

let postern: Postern;
let port: number;
let mortal: FakeUpstream;

before(async () => {
  const old = await startFakeUpstream(fileScope, legacyScript({ tools: ['one', 'a b'] }));
  const young = await startFakeUpstream(fileScope, modernScript({ tools: ['two'] }));
  mortal = await startFakeUpstream(fileScope, legacyScript({ tools: ['three'] }));
  port = await freePort();
  const at = (name: string, target: FakeUpstream) => ({
    name,
    static: { host: '127.0.0.1', port: target.port },
  });
  const living = [at('old', old), at('young', young)];
  const both = [at('old', old), at('mortal', mortal)];
  const backends = [
    ...MODES.map((prefixMode) => ({
      name: prefixMode.toLowerCase(),
      prefixMode,
      targets: living,
    })),
    { name: 'open', failureMode: 'FailOpen', targets: both },
    { name: 'closed', failureMode: 'FailClosed', targets: both },
  ];
  postern = await startPostern(fileScope, {
    resources: yaml(
      gateway({ port }),
      ...backends.map((backend) => federation(backend)),
      ...backends.map(({ name }) =>
        route({ name, prefix: `/${name}`, rule: { backendRefs: [{ ...BACKEND, name }] } }),
      ),
    ),
    options: ['--workers=1'],
  });
});

type Ask = (method: string, params?: Readonly<Record<string, unknown>>) => Promise<string>;

async function legacyClient(path: string): Promise<Ask> {
  const opened = await sendMcp(port, initialize, { path });
  const headers = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  return async (method, params = {}) =>
    (await sendMcp(port, { jsonrpc: '2.0', id: 2, method, params }, { path, headers })).text;
}

function modernClient(path: string): Promise<Ask> {
  const ask: Ask = async (method, params) => {
    const { message, headers } = modernRequest(2, method, params);
    return (await sendMcp(port, message, { path, headers })).text;
  };
  return Promise.resolve(ask);
}

const counted = async (labels: Readonly<Record<string, string>>, name = REQUESTS) =>
  metricValue(await postern.metrics(), name, labels);

for (const prefixMode of MODES) {
  for (const client of [legacyClient, modernClient]) {
    test(`prefixMode ${prefixMode}, ${client.name}: calls are counted by the name that the client uses`, async () => {
      const backend = prefixMode.toLowerCase();
      const ask = await client(`/${backend}`);
      assert.match(await ask('tools/list'), /"name":"(old_)?one"/);
      const prefix = (target: string) => (prefixMode === 'Never' ? '' : `${target}_`);
      for (const [target, tool] of [
        ['old', 'one'],
        ['young', 'two'],
      ] as const) {
        const name = prefix(target) + tool;
        const labels = { backend: `default/${backend}`, target, method: 'tools/call', tool: name };
        const before = await counted(labels);
        assert.match(await ask('tools/call', { name }), new RegExp(`called ${tool}`));
        await until(`${name} to be counted`, async () => (await counted(labels)) === before + 1);
      }
      // What servers may call a tool, but no label may say; and what nobody has.
      await ask('tools/call', { name: `${prefix('old')}a b` });
      await ask('tools/call', { name: `${prefix('old')}made-up-${client.name}` });
      const page = await postern.metrics();
      assert.doesNotMatch(page, /made-up|a b"/);
    });
  }
}

describe('a target that is gone', () => {
  before(() => mortal.close());
  const rows = [
    ['open', 'answered without mortal'],
    ['closed', 'failed for want of mortal'],
  ] as const;
  for (const [backend, words] of rows) {
    for (const client of [legacyClient, modernClient]) {
      test(`${backend}, ${client.name}: it is named in the log and in a metric`, async () => {
        const labels = { backend: `default/${backend}`, target: 'mortal', reason: 'unreachable' };
        const before = await counted(labels, FAILURES);
        const path = `/${backend}`;
        if (client === legacyClient) {
          const { text } = await sendMcp(port, initialize, { path });
          assert.match(text, backend === 'open' ? /"result"/ : /"error".*upstream failed/);
        } else {
          const text = await (await client(path))('tools/list');
          assert.match(text, backend === 'open' ? /old_one/ : /"error".*upstream failed/);
        }
        const method = client === legacyClient ? 'initialize' : 'tools/list';
        await postern.waitForAccessLine(
          new RegExp(`http\\.path=/${backend} .*detail=${words}.*mcp\\.method\\.name=${method}`),
        );
        assert.equal((await counted(labels, FAILURES)) - before, 1);
        // The others are not blamed, and the reason is one of a few words.
        assert.equal(await counted({ ...labels, target: 'old' }, FAILURES), 0);
        const page = await postern.metrics();
        assert.doesNotMatch(page, new RegExp(`^${FAILURES}.*ECONNREFUSED`, 'm'));
      });
    }
  }
});
