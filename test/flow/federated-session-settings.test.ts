/** A server that forgets its sessions is told again what their clients had set, by whichever worker opens one anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginEvents, json, startFakeUpstream } from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, mcpHeaders, open, sendMcp } from '../harness/http-client.ts';
import { legacyScript } from '../harness/mcp-scripts.ts';
import { startPostern } from '../harness/postern.ts';
import { federation, gateway, glooPolicy, rbac, route, yaml } from '../harness/resources.ts';
import { until } from '../harness/until.ts';

const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'all' };
const SESSION = 'mcp-session-id';
const RULES = {
  before: 'has(mcp.tool) || mcp.resource.name.startsWith("x:")',
  after: 'has(mcp.tool) || mcp.resource.name == "x:1"',
};

test('log level and subscriptions are set again, as far as the rules still allow it', async (t) => {
  /** What was said, by session. */
  const said = new Map<string, string[]>();
  let oldest = 1;
  const numberOf = (session: string): number => Number(session.split('-')[1] ?? 0);
  const upstream = await startFakeUpstream(
    t,
    legacyScript({
      tools: ['one'],
      capabilities: { logging: {}, resources: { subscribe: true } },
      more(request, response) {
        const session = request.headers[SESSION];
        if (typeof session !== 'string') return false;
        if (numberOf(session) < oldest) {
          json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'no' } }, 404)(
            request,
            response,
          );
          return true;
        }
        if (request.method === 'GET') {
          beginEvents(response);
          return true;
        }
        const { id, method, params } = JSON.parse(request.body === '' ? '{}' : request.body) as {
          id?: unknown;
          method?: string;
          params?: { uri?: string; level?: string };
        };
        const words = [method, params?.level ?? params?.uri].filter((word) => word !== undefined);
        // A denied resource is asked for under a name that nothing has.
        if (params?.uri !== undefined && !/^x:\d$/.test(params.uri)) {
          const error = { code: -32002, message: 'no such resource' };
          json({ jsonrpc: '2.0', id, error })(request, response);
          return true;
        }
        said.set(session, [...(said.get(session) ?? []), words.join(' ')]);
        return false;
      },
    }),
  );
  const port = await freePort();
  const resources = (rule: string) =>
    yaml(
      gateway({ port }),
      federation({
        name: 'all',
        prefixMode: 'Always',
        targets: [{ name: 'a', static: { host: '127.0.0.1', port: upstream.port } }],
      }),
      route({ rule: { backendRefs: [BACKEND] } }),
      glooPolicy(rbac(rule), { name: 'rules', target: BACKEND }),
    );
  const postern = await startPostern(t, {
    resources: resources(RULES.before),
    options: ['--workers=2'],
  });
  const opened = await sendMcp(port, initialize);
  const headers = { [SESSION]: String(opened.headers[SESSION]) };
  const ask = async (method: string, params: object): Promise<string> => {
    const message = { jsonrpc: '2.0', id: 7, method, params };
    return (await sendMcp(port, message, { headers })).text;
  };
  assert.match(await ask('resources/subscribe', { uri: 'a+x:1' }), /"result"/);
  assert.match(await ask('resources/subscribe', { uri: 'a+x:2' }), /"result"/);
  assert.match(await ask('logging/setLevel', { level: 'error' }), /"result"/);
  await postern.reload(resources(RULES.after));
  // Each worker has its own moment.
  let denials = 0;
  await until('both workers to deny', async () => {
    const isDenied = (await ask('resources/subscribe', { uri: 'a+x:2' })).includes('"error"');
    denials = isDenied ? denials + 1 : 0;
    return denials >= 10;
  });

  oldest = 2;
  const { request } = await open({
    port,
    headers: { ...mcpHeaders(), ...headers, accept: 'text/event-stream' },
  });
  t.after(() => request.destroy());
  // Connections are shared out over the workers, each of which opens a session of its own.
  for (let count = 0; count < 12; count += 1) {
    assert.match(await ask('tools/call', { name: 'a_one' }), /called one/);
  }
  const sessions = () => [...said].filter(([session]) => numberOf(session) >= oldest);
  const isTold = (words: readonly string[]): boolean => words.includes('resources/subscribe x:1');
  await until('all sessions to be told', () => sessions().every(([, words]) => isTold(words)));
  assert.ok(sessions().length >= 1);
  for (const [, words] of sessions()) {
    assert.deepEqual(words.slice(0, 2), ['notifications/initialized', 'logging/setLevel error']);
    assert.ok(!words.includes('resources/subscribe x:2'));
  }
});
