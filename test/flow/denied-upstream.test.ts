/** What the upstream gets to see of a call that its gate denies and hides. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { json, startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const issuer = await createIssuer();
const token = await issuer.sign({ sub: 'alice' });
let upstream: FakeUpstream;

function start(options: readonly string[] = []): Promise<Gate> {
  return startGate(fileScope, {
    upstreamPort: upstream.port,
    options,
    more: [
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      glooPolicy(
        { rbac: { policy: { matchExpressions: ['mcp.tool.name == "echo"'] } } },
        { name: 'tools', target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' } },
      ),
    ],
  });
}

let gate: Gate;
before(async () => {
  upstream = await startFakeUpstream(fileScope);
  gate = await start();
});

const params = { name: 'transfer', arguments: { amount: 'a-secret-amount' } };
const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params };

test('a name that nothing has, no arguments, and no header that repeats either', async () => {
  upstream.script = json({ jsonrpc: '2.0', id: 7, result: {} });
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  await sendMcp(
    gate.port,
    { ...call, params: { ...params, _meta: meta } },
    {
      token,
      headers: {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'transfer',
        'mcp-param-amount': 'a-secret-amount',
        'content-digest': 'sha-256=:x:',
        'x-other': 'stays',
      },
    },
  );
  const { head, body, headers } = upstream.requests.at(-1) ?? assert.fail();
  for (const text of ['"transfer"', ': transfer', 'a-secret-amount']) {
    assert.ok(!(head + body).includes(text), text);
  }
  const sent = JSON.parse(body) as typeof call;
  assert.match(sent.params.name, /^postern-n[\w-]{32,}$/);
  assert.equal(headers['mcp-name'], sent.params.name);
  assert.deepEqual(sent.params, { name: sent.params.name, arguments: {}, _meta: meta });
  assert.equal(headers['mcp-param-amount'], undefined);
  assert.equal(headers['content-digest'], undefined);
  assert.equal(headers['x-other'], 'stays');
});

test('an error that repeats the name comes back with the client\u2019s, its length set right', async () => {
  upstream.script = ({ body }, response) => {
    const { name } = (JSON.parse(body) as typeof call).params;
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: -32602, message: `no ${name}`, data: [name] } }));
  };
  const { status, text, headers } = await sendMcp(gate.port, call, { token });
  assert.equal(status, 404);
  assert.equal(text, '{"error":{"code":-32602,"message":"no transfer","data":["transfer"]}}');
  assert.equal(headers['content-length'], String(Buffer.byteLength(text)));
});

test('where the upstream is gone the client is told so, and the log still knows of the denial', async () => {
  upstream.script = (_request, response) => void response.destroy();
  const { status } = await sendMcp(gate.port, { ...call, params: { name: 'gone' } }, { token });
  assert.equal(status, 502);
  await gate.waitForAccessLine(
    /http\.status=502 .*reason=Authorization policy=default\/tools .*gen_ai\.tool\.name=gone/,
  );
});

for (const onDeny of ['unknown', 'forbidden', 'tool_error']) {
  test(`nothing at all under --on-deny ${onDeny}`, async () => {
    const other = await start(['--on-deny', onDeny]);
    const { length } = upstream.requests;
    const { status, text } = await sendMcp(other.port, call, { token });
    assert.equal(status, onDeny === 'forbidden' ? 403 : 200);
    assert.match(
      text,
      onDeny === 'unknown' ? /-32602,"message":"Unknown tool: transfer"/ : /denied/,
    );
    assert.equal(upstream.requests.length, length);
  });
}
