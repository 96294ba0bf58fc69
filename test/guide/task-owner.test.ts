/** Tasks and replays of server-everything: each is its owner's, and works for the owner as without the gate. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { startEverythingServer } from '../harness/everything-server.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, open, sendMcp, type Answer } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks } from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { callToolAsTask } from '../peers/sdk1-client.ts';

const TOOL = 'simulate-research-query';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const bob = await issuer.sign({ sub: 'bob' });
let gate: Gate;

before(async () => {
  const { port } = await startEverythingServer(fileScope);
  const policy = glooPolicy(
    { rbac: { policy: { matchExpressions: [`mcp.tool.name in ["${TOOL}", "echo"]`] } } },
    { name: 'tools', target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' } },
  );
  const jwt = glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }));
  gate = await startGate(fileScope, { upstreamPort: port, more: [jwt, policy] });
});

async function connect(
  token: string,
): Promise<(message: object, session?: string) => Promise<Answer>> {
  const { headers } = await sendMcp(gate.port, initialize, { token });
  const session = String(headers['mcp-session-id']);
  const ask = (message: object, of = session) =>
    sendMcp(
      gate.port,
      { jsonrpc: '2.0', ...message },
      { token, headers: { 'mcp-session-id': of } },
    );
  await ask({ method: 'notifications/initialized' });
  return ask;
}

test('a client of SDK 1 runs a tool as a task to its end', async (t) => {
  const messages = await callToolAsTask(t, `http://127.0.0.1:${gate.port}/mcp`, alice, {
    name: TOOL,
    arguments: { topic: 'gates', ambiguous: false },
  });
  assert.ok(messages.includes('taskCreated') && messages.at(-1) === 'result', messages.join());
});

test('Bob with Alice\u2019s task id gets 404, in his own session', async () => {
  const [asAlice, asBob] = [await connect(alice), await connect(bob)];
  const { text } = await asAlice({
    id: 2,
    method: 'tools/call',
    params: { name: TOOL, arguments: { topic: 'gates' }, task: { ttl: 60_000 } },
  });
  const taskId = /"taskId":"([^"]+)"/.exec(text)?.[1] ?? assert.fail(text);
  const get = { id: 3, method: 'tasks/get', params: { taskId } };
  assert.match((await asAlice(get)).text, new RegExp(`"taskId":"${taskId}"`));
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
    const { status, text: body } = await asBob({ ...get, method });
    assert.equal(status, 404);
    assert.match(body, /Task not found/);
  }
  assert.match((await asAlice({ ...get, method: 'tasks/cancel' })).text, /"status":"cancelled"/);
});

test(
  'Alice resumes a stream by its event id; Bob with it gets 404',
  { timeout: 30_000 },
  async () => {
    const { headers, text } = await sendMcp(gate.port, initialize, { token: alice });
    const session = String(headers['mcp-session-id']);
    await sendMcp(
      gate.port,
      {
        jsonrpc: '2.0',
        id: 2,
        method: 'tools/call',
        params: { name: 'echo', arguments: { message: 'again' } },
      },
      { token: alice, headers: { 'mcp-session-id': session } },
    );
    // The answer to initialize begins with an event for the client to resume from.
    const [eventId = ''] = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '');
    const resume = (token: string, of: string) =>
      open({
        port: gate.port,
        method: 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'text/event-stream',
          'mcp-session-id': of,
          'last-event-id': eventId,
        },
      });
    const { headers: bobs } = await sendMcp(gate.port, initialize, { token: bob });
    for (const of of [session, String(bobs['mcp-session-id'])]) {
      const { request, response } = await resume(bob, of);
      assert.equal(response.statusCode, 404);
      request.destroy();
    }
    const { request, response } = await resume(alice, session);
    assert.equal(response.statusCode, 200);
    let replayed = '';
    for await (const piece of response.setEncoding('utf8')) {
      replayed += piece as string;
      if (replayed.includes('Echo: again')) break;
    }
    assert.match(replayed, /Echo: again/);
    request.destroy();
  },
);
