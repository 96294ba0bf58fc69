/**
 * The guide "Control access to tools": rules that target the Backend decide on single tools. Alice sees and
 * calls one tool, Bob connects and sees none; nobody gets at a hidden tool by spelling the call in another way.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { withoutEventIds } from '../harness/event-ids.ts';
import { startEverythingServer } from '../harness/everything-server.ts';
import { freePort } from '../harness/free-port.ts';
import { initialize, send, sendMcp, type Answer } from '../harness/http-client.ts';
import { startPostern, type Postern } from '../harness/postern.ts';
import { fileScope } from '../harness/scope.ts';
import { runInspector } from '../peers/inspector-cli.ts';
import { connectMcpRemote } from '../peers/mcp-remote.ts';
import { connectSdk1 } from '../peers/sdk1-client.ts';
import { connectSdk2 } from '../peers/sdk2-client.ts';

const config = new URL('../../config/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, config), 'utf8');
const alice = read('quickstart/alice.jwt').trim();
const bob = read('quickstart/bob.jwt').trim();

let gatePort: number;
let url: string;
let postern: Postern;

before(async () => {
  const server = await startEverythingServer(fileScope);
  gatePort = await freePort();
  url = `http://127.0.0.1:${gatePort}/mcp`;
  const base = read('examples/02-jwt.yaml')
    .replaceAll('port: 8080', `port: ${gatePort}`)
    .replaceAll('port: 3001', `port: ${server.port}`);
  const resources = `${base}\n---\n${read('examples/04-tools.yaml')}`;
  postern = await startPostern(fileScope, { resources });
});

describe('with the official clients', () => {
  const clients = [
    { name: 'SDK 1.x', connect: connectSdk1 },
    { name: 'SDK 2.x in auto mode', connect: connectSdk2 },
    { name: 'mcp-remote', connect: connectMcpRemote },
  ];
  for (const { name, connect } of clients) {
    test(`${name}: Alice sees one tool, and may call it alone`, async (t) => {
      const client = await connect(t, url, alice);
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map((tool) => tool.name),
        ['echo'],
      );
      const called = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      assert.match(JSON.stringify(called), /Echo: hello/);
      const denied = await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } });
      assert.match(JSON.stringify(denied), /Tool get-sum not found.*"isError":true/);
    });

    test(`${name}: Bob connects and sees no tool`, async (t) => {
      const client = await connect(t, url, bob);
      assert.deepEqual((await client.listTools()).tools, []);
      const denied = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      assert.match(JSON.stringify(denied), /Tool echo not found.*"isError":true/);
    });
  }

  test('Inspector CLI: Alice sees one tool', async (t) => {
    const run = await runInspector(t, url, alice, ['--method', 'tools/list']);
    assert.equal(run.exitCode, 0, run.stderr);
    const names = [...run.stdout.matchAll(/"name": ?"([^"]+)"/g)].map(([, name]) => name);
    assert.deepEqual(names, ['echo']);
  });
});

describe('a call of a hidden tool', () => {
  let session: string;
  before(async () => {
    const { headers } = await sendMcp(gatePort, initialize, { token: alice });
    session = String(headers['mcp-session-id']);
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
    await sendMcp(gatePort, initialized, { token: alice, headers: { 'mcp-session-id': session } });
  });

  const post = (body: string, headers: Record<string, string> = {}): Promise<Answer> =>
    send({
      port: gatePort,
      method: 'POST',
      path: '/mcp',
      body,
      headers: {
        authorization: `Bearer ${alice}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session,
        ...headers,
      },
    });
  const call = '"params":{"name":"get-sum","arguments":{"a":40,"b":2}}';
  const hidden = `{"jsonrpc":"2.0","id":7,"method":"tools/call",${call}}`;

  const rows: readonly [string, string, Record<string, string>][] = [
    ['plain', hidden, {}],
    [
      'with headers that name an allowed tool',
      hidden,
      { 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
    ],
    ['with the header of the modern revision', hidden, { 'mcp-protocol-version': '2026-07-28' }],
    ['in a batch', `[${hidden}]`, {}],
    [
      'with the method twice',
      `{"jsonrpc":"2.0","id":7,"method":"tools/list","method":"tools/call",${call}}`,
      {},
    ],
    [
      'with the name twice',
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","name":"get-sum","arguments":{"a":40,"b":2}}}',
      {},
    ],
    [
      'with the name twice, once escaped',
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","\\u006eame":"get-sum","arguments":{"a":40,"b":2}}}',
      {},
    ],
    ['with an escaped name', hidden.replace('get-sum', '\\u0067et-sum'), {}],
    [
      'with the parameters twice',
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"x"}},${call}}`,
      {},
    ],
    ['behind a byte order mark', `\ufeff${hidden}`, {}],
    ['with octets behind it', `${hidden} x`, {}],
    ['with a second message behind it', `${hidden}\n${hidden}`, {}],
    ['as another media type', hidden, { 'content-type': 'text/plain' }],
    ['as another spelling of the media type', hidden, { 'content-type': 'Application/JSON' }],
    ['with a content coding', hidden, { 'content-encoding': 'gzip' }],
    ['with another spelling of the method', hidden.replace('tools/call', 'Tools/Call'), {}],
    ['with white space in the method', hidden.replace('tools/call', 'tools/call '), {}],
    ['without the version of JSON-RPC', hidden.replace('"jsonrpc":"2.0",', ''), {}],
    ['with a lone surrogate beside it', hidden.replace('"a":40', '"x":"\\ud800","a":40'), {}],
    ['as a notification', hidden.replace('"id":7,', ''), {}],
  ];
  for (const [name, body, headers] of rows) {
    test(`is never executed: ${name}`, async () => {
      const answer = await post(body, headers);
      assert.ok(!withoutEventIds(answer.text).includes('42'), answer.text);
      const error =
        /"error":\{"code":-?\d+/.test(answer.text) ||
        answer.text.includes('Tool get-sum not found');
      assert.ok(error || answer.status === 202, `${answer.status} ${answer.text}`);
    });
  }

  test('is answered like the call of a tool that nobody has', async () => {
    const [denied, missing] = await Promise.all([
      post(hidden),
      post(hidden.replace('get-sum', 'no-such')),
    ]);
    assert.match(missing.text, /Tool no-such not found/);
    assert.equal(
      withoutEventIds(denied.text.replace('get-sum', 'no-such')),
      withoutEventIds(missing.text),
    );
    assert.equal(denied.status, missing.status);
    assert.deepEqual(Object.keys(denied.headers), Object.keys(missing.headers));
    await postern.waitForAccessLine(
      /http\.status=200 .*error=authorization failed .*policy=gloo-system\/tool-access/,
    );
  });

  const allowed = `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}`;
  const faults: readonly [string, Record<string, string>, number, string][] = [
    ['as another media type', { 'content-type': 'text/plain' }, 415, '"code":-32600'],
    ['under headers that name another tool', { 'mcp-name': 'get-sum' }, 400, '"code":-32020'],
  ];
  for (const [name, headers, status, code] of faults) {
    test(`even an allowed call is refused ${name}`, async () => {
      const answer = await post(allowed, headers);
      assert.equal(answer.status, status);
      assert.ok(answer.text.includes(code), answer.text);
    });
  }

  test('the allowed tool still works on the same session', async () => {
    assert.match((await post(allowed)).text, /Echo: hi/);
  });
});

test('a body is for POST alone', async () => {
  const answer = await send({
    port: gatePort,
    method: 'GET',
    path: '/mcp',
    body: '{}',
    headers: { authorization: `Bearer ${alice}`, 'content-type': 'application/json' },
  });
  assert.equal(answer.status, 400);
  // The upstream would answer 400 too, for want of a session: these are our words.
  assert.equal(answer.text, 'the message is not valid');
});

test('other HTTP methods are answered with 405 and what is allowed', async () => {
  const answer = await send({
    port: gatePort,
    method: 'PUT',
    path: '/mcp',
    headers: { authorization: `Bearer ${alice}` },
  });
  assert.equal(answer.status, 405);
  assert.equal(answer.headers.allow, 'GET, POST, DELETE');
});
