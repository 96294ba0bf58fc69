/**
 * Subscriptions over the border of the eras: a modern client listens at legacy targets, and a legacy client is told
 * what a modern target can't do for it.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import {
  beginEvents,
  event,
  json,
  startFakeUpstream,
  type Script,
} from '../harness/fake-upstream.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, mcpHeaders, open, sendMcp } from '../harness/http-client.ts';
import { startPostern } from '../harness/postern.ts';
import { federation, gateway, route, yaml } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { until } from '../harness/until.ts';

const SESSION = 'mcp-session-id';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const VERSION = '2026-07-28';
const BACKEND = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'all' };

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

const read = (body: string): Message => (body === '' ? {} : (JSON.parse(body) as Message));

/** A legacy server with sessions and a GET stream for each; it refuses to subscribe to `x:refused`. */
class LegacyServer {
  readonly streams = new Map<string, ServerResponse>();
  readonly subscribed: string[] = [];
  readonly ended: string[] = [];
  #last = 0;

  readonly script: Script = (request, response) => {
    const session = String(request.headers[SESSION]);
    const { id, method, params } = read(request.body);
    if (request.method === 'GET') {
      this.streams.set(session, response);
      beginEvents(response);
    } else if (request.method === 'DELETE') {
      this.ended.push(session);
      response.writeHead(200).end();
    } else if (method === 'server/discover') {
      json({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no' } }, 400)(
        request,
        response,
      );
    } else if (method === 'initialize') {
      response.setHeader(SESSION, `legacy-${(this.#last += 1)}`);
      const capabilities = {
        tools: { listChanged: true },
        prompts: {},
        resources: { subscribe: true, listChanged: true },
      };
      const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'old' } };
      json({ jsonrpc: '2.0', id, result })(request, response);
    } else if (id === undefined) {
      response.writeHead(202).end();
    } else {
      const uri = String(params?.uri);
      if (uri === 'x:refused') {
        json({ jsonrpc: '2.0', id, error: { code: -32002, message: 'no' } })(request, response);
        return;
      }
      if (method === 'resources/subscribe') this.subscribed.push(`${session} ${uri}`);
      json({ jsonrpc: '2.0', id, result: {} })(request, response);
    }
  };

  say(session: string, method: string, params?: object): void {
    this.streams.get(session)?.write(event(JSON.stringify({ jsonrpc: '2.0', method, params })));
  }
}

/** A modern server that honours what it is asked to tell. */
const modernMethods: string[] = [];
const modernServer: Script = (request, response) => {
  const { id, method, params } = read(request.body);
  modernMethods.push(String(method));
  if (method === 'server/discover') {
    const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } };
    const result = { resultType: 'complete', supportedVersions: [VERSION], capabilities };
    json({ jsonrpc: '2.0', id, result })(request, response);
  } else if (method === 'subscriptions/listen') {
    beginEvents(response);
    const { notifications } = params ?? {};
    const acknowledged = { notifications, _meta: { [SUBSCRIPTION]: id } };
    const name = 'notifications/subscriptions/acknowledged';
    response.write(event(JSON.stringify({ jsonrpc: '2.0', method: name, params: acknowledged })));
  } else {
    json({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }, 404)(request, response);
  }
};

async function start(scope: Scope) {
  const legacy = new LegacyServer();
  const old = await startFakeUpstream(scope, legacy.script);
  const new_ = await startFakeUpstream(scope, modernServer);
  const port = await freePort();
  const target = (name: string, at: number) => ({ name, static: { host: '127.0.0.1', port: at } });
  await startPostern(scope, {
    resources: yaml(
      gateway({ port }),
      federation({ name: 'all', targets: [target('old', old.port), target('new', new_.port)] }),
      route({ rule: { backendRefs: [BACKEND] } }),
    ),
  });
  return { legacy, port };
}

/** Listens as a modern client; gives the messages so far. */
async function listen(port: number, id: number, notifications: object) {
  const message = {
    jsonrpc: '2.0',
    id,
    method: 'subscriptions/listen',
    params: {
      notifications,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': VERSION,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  const { request, response } = await open({
    port,
    body: JSON.stringify(message),
    headers: {
      ...mcpHeaders(),
      'mcp-protocol-version': VERSION,
      'mcp-method': 'subscriptions/listen',
    },
  });
  assert.equal(response.statusCode, 200);
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  response.on('error', () => undefined);
  return {
    messages: () =>
      text
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => JSON.parse(line.slice(6)) as Message),
    close: () => void request.destroy(),
  };
}

test('a modern client that listens hears of a legacy target what it asked for, and no other client', async (t) => {
  const { legacy, port } = await start(t);
  const one = await listen(port, 7, {
    toolsListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: ['old+x:1', 'old+x:refused', 'new+y:1'],
  });
  await until('the acknowledgement', () => one.messages().length > 0);
  // The modern target says yes to all; of the legacy one prompts can't change, and one resource was refused.
  const { notifications, _meta } = one.messages()[0]?.params ?? {};
  assert.deepEqual(_meta, { [SUBSCRIPTION]: 7 });
  const { resourceSubscriptions, ...flags } = notifications as { resourceSubscriptions: string[] };
  assert.deepEqual(flags, { toolsListChanged: true, promptsListChanged: true });
  assert.deepEqual(resourceSubscriptions.sort(), ['new+y:1', 'old+x:1']);
  const two = await listen(port, 8, { resourcesListChanged: true });
  await until('the acknowledgement', () => two.messages().length > 0);
  assert.equal(legacy.subscribed.length, 1);
  const session = legacy.subscribed[0]?.split(' ')[0] ?? '';
  assert.equal(legacy.subscribed[0], `${session} x:1`);
  const other = [...legacy.streams.keys()].find((name) => name !== session) ?? '';
  for (const name of [session, other]) {
    legacy.say(name, 'notifications/prompts/list_changed');
    legacy.say(name, 'notifications/message', { level: 'info', data: 'x' });
    legacy.say(name, 'notifications/resources/updated', { uri: 'x:other' });
    legacy.say(name, 'notifications/resources/updated', { uri: 'x:1', title: 'x' });
    legacy.say(name, 'notifications/resources/list_changed');
    legacy.say(name, 'notifications/tools/list_changed');
  }
  await until('what was asked for', () => one.messages().length >= 3 && two.messages().length >= 2);
  assert.deepEqual(one.messages().slice(1), [
    {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'old+x:1', _meta: { [SUBSCRIPTION]: 7 } },
    },
    {
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { [SUBSCRIPTION]: 7 } },
    },
  ]);
  assert.deepEqual(two.messages().slice(1), [
    {
      jsonrpc: '2.0',
      method: 'notifications/resources/list_changed',
      params: { _meta: { [SUBSCRIPTION]: 8 } },
    },
  ]);
  one.close();
  await until('the session to end with the stream', () => legacy.ended.includes(session));
  assert.ok(!legacy.ended.includes(other));
});

test('the stream of a legacy target that ends is opened again', async (t) => {
  const { legacy, port } = await start(t);
  const one = await listen(port, 7, { toolsListChanged: true });
  await until('the acknowledgement', () => one.messages().length > 0);
  const [session = ''] = legacy.streams.keys();
  const first = legacy.streams.get(session);
  first?.end();
  await until('another stream', () => legacy.streams.get(session) !== first);
  legacy.say(session, 'notifications/tools/list_changed');
  await until('what it says', () => one.messages().length === 2);
  one.close();
});

test('a legacy client is refused to subscribe at a modern target, and can at a legacy one', async (t) => {
  const { legacy, port } = await start(t);
  const opened = await sendMcp(port, initialize);
  const headers = { [SESSION]: String(opened.headers[SESSION]) };
  modernMethods.length = 0;
  for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
    const send = (uri: string) =>
      sendMcp(port, { jsonrpc: '2.0', id: 2, method, params: { uri } }, { headers });
    assert.match((await send('old+x:1')).text, /"id":2,"result":\{\}/);
    const { status, text } = await send('new+y:1');
    assert.equal(status, 200);
    const { error } = JSON.parse(text) as { error?: { code: number; message: string } };
    assert.equal(error?.code, -32601);
    assert.match(error.message, new RegExp(`knows no ${method}`));
  }
  assert.deepEqual(modernMethods, []);
  assert.equal(legacy.subscribed.length, 1);
});
