/** What is hidden from lists is not named elsewhere: not in completions, and not on streams. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  beginEvents,
  event,
  json,
  startFakeUpstream,
  type Script,
} from '../harness/fake-upstream.ts';
import { startGate } from '../harness/gate.ts';
import { mcpHeaders, send, sendMcp } from '../harness/http-client.ts';
import { KGATEWAY_GROUP, glooPolicy, rbac } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { messages, openSse } from '../harness/sse-client.ts';
import { until } from '../harness/until.ts';

const target = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
const rules = glooPolicy(
  rbac(
    'mcp.prompt.name == "p" || (mcp.resource.name.startsWith("test://") && !mcp.resource.name.contains("secret"))',
  ),
  { name: 'objects', target },
);
const upstream = await startFakeUpstream(fileScope);
const gate = await startGate(fileScope, { upstreamPort: upstream.port, more: [rules] });

const META = 'io.modelcontextprotocol';
const updated = (uri: string, meta?: object) => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri, ...(meta === undefined ? {} : { _meta: meta }) },
});

/** Sends news of a hidden resource between those of two others. */
const news: Script = (_request, response) => {
  beginEvents(response);
  for (const uri of ['test://one', 'test://secret', 'TEST://secret', 'test://two']) {
    response.write(event(JSON.stringify(updated(uri))));
  }
  response.end();
};

describe('a completion', () => {
  const ask = async (ref: object, completion: object, name = 'id', args?: object) => {
    upstream.script = json({ jsonrpc: '2.0', id: 7, result: { completion } });
    const context = args === undefined ? {} : { context: { arguments: args } };
    const params = { ref, argument: { name, value: 's' }, ...context };
    const { status, text } = await sendMcp(gate.port, {
      jsonrpc: '2.0',
      id: 7,
      method: 'completion/complete',
      params,
    });
    assert.equal(status, 200, text);
    return (JSON.parse(text) as { result: { completion: unknown } }).result.completion;
  };
  const template = (uri: string) => ({ type: 'ref/resource', uri });
  const values = ['same', 'secret', 'secret2', 'some'];
  const kept = ['same', 'some'];

  test('of a template offers nothing that makes the URI of a hidden resource', async () => {
    assert.deepEqual(await ask(template('test://t/{id}'), { values, total: 4, hasMore: false }), {
      values: kept,
      total: 2,
      hasMore: false,
    });
  });

  test('tells no number that counts hidden ones elsewhere', async () => {
    assert.deepEqual(await ask(template('test://t/{id}'), { total: 99, values, hasMore: true }), {
      total: 2,
      values: kept,
      hasMore: true,
    });
    assert.deepEqual(await ask(template('test://t/{id}'), { values: kept, total: 3 }), {
      values: kept,
      total: 2,
    });
  });

  test('of one of several variables is filtered where the others are known', async () => {
    const ref = template('test://{a}/{id}');
    assert.deepEqual(await ask(ref, { values }, 'id', { a: 'x' }), { values: kept });
    assert.deepEqual(await ask(ref, { values: kept }, 'id', { a: 'secret' }), { values: [] });
  });

  test('of a prompt offers no URI of a hidden resource', async () => {
    const ref = { type: 'ref/prompt', name: 'p' };
    assert.deepEqual(await ask(ref, { values: ['test://secret', 'test://some', 'some'] }), {
      values: ['test://some', 'some'],
    });
  });

  test('in events is filtered as in JSON', async () => {
    const ref = template('test://t/{id}');
    const answer = { jsonrpc: '2.0', id: 7, result: { completion: { values } } };
    upstream.script = (_request, response) => {
      beginEvents(response);
      response.end(`id: 1\n${event(JSON.stringify(answer))}`);
    };
    const params = { ref, argument: { name: 'id', value: 's' } };
    const message = { jsonrpc: '2.0', id: 7, method: 'completion/complete', params };
    const { text } = await sendMcp(gate.port, message);
    assert.ok(text.includes('"values":["same","some"]'), text);
  });
});

describe('news of a hidden resource', () => {
  const urisIn = (text: string) => [...text.matchAll(/"uri":"([^"]*)"/g)].map(([, uri]) => uri);

  test('do not come on the stream of a GET', async () => {
    upstream.script = news;
    const { text } = await send({
      port: gate.port,
      headers: { accept: 'text/event-stream' },
    });
    assert.deepEqual(urisIn(text), ['test://one', 'test://two']);
  });

  test('do not come on the stream of another request', async () => {
    upstream.script = news;
    const message = {
      jsonrpc: '2.0',
      id: 7,
      method: 'resources/read',
      params: { uri: 'test://x' },
    };
    const { text } = await sendMcp(gate.port, message);
    assert.deepEqual(urisIn(text), ['test://one', 'test://two']);
  });

  test('do not come on the stream of subscriptions/listen', async () => {
    upstream.script = news;
    const message = {
      jsonrpc: '2.0',
      id: 7,
      method: 'subscriptions/listen',
      params: {
        notifications: { resourceSubscriptions: ['test://one', 'test://two'] },
        _meta: {
          [`${META}/protocolVersion`]: '2026-07-28',
          [`${META}/clientCapabilities`]: {},
        },
      },
    };
    const headers = {
      ...mcpHeaders(),
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    };
    const { status, text } = await sendMcp(gate.port, message, { headers });
    assert.equal(status, 200, text);
    assert.deepEqual(urisIn(text), ['test://one', 'test://two']);
  });

  test('do not come on the stream of HTTP+SSE', async () => {
    upstream.script = (request, response) => {
      if (request.method === 'GET') return news(request, response);
      if (request.method === 'DELETE') return void response.writeHead(200).end();
      const { id } = JSON.parse(request.body) as { id?: number };
      if (id === undefined) return void response.writeHead(202).end();
      response.setHeader('mcp-session-id', 's');
      const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} };
      return json({ jsonrpc: '2.0', id, result })(request, response);
    };
    const client = await openSse(gate.port, '/mcp/sse');
    await client.initialize();
    const uris = () => urisIn(JSON.stringify(messages(client.events)));
    await until('the last news', () => uris().includes('test://two') || undefined);
    assert.ok(!JSON.stringify(client.events).includes('secret'));
    client.close();
  });
});
