/**
 * A server of HTTP+SSE alone behind several workers: each worker has a connection of its own to it, and what a client
 * says of a request or of its session has to reach the right one, from whichever worker it came to.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { beginEvents, event, startFakeUpstream, type Script } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, open, mcpHeaders, send, sendMcp } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, localJwks, mcpBackend } from '../harness/resources.ts';
import type { Scope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

const SESSION = 'mcp-session-id';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const bob = await issuer.sign({ sub: 'bob' });

interface Posted {
  readonly stream: string;
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly requestId?: number };
  readonly result?: unknown;
}

/** Answers `initialize`, takes all else, and answers no call. */
class SseServer {
  readonly streams = new Map<string, ServerResponse>();
  readonly posted: Posted[] = [];
  #last = 0;

  readonly script: Script = (request, response) => {
    if (request.method === 'GET') {
      const name = String((this.#last += 1));
      this.streams.set(name, response);
      response.once('close', () => this.streams.delete(name));
      beginEvents(response);
      response.write(`event: endpoint\ndata: /message?stream=${name}\n\n`);
      return;
    }
    const stream = request.url.slice(request.url.indexOf('=') + 1);
    const message = JSON.parse(request.body) as Omit<Posted, 'stream'>;
    this.posted.push({ ...message, stream });
    response.writeHead(202).end();
    if (message.method === 'initialize') {
      const result = { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: {} };
      this.say(stream, { jsonrpc: '2.0', id: message.id, result });
    }
  };

  say(stream: string, message: object): void {
    this.streams.get(stream)?.write(event(JSON.stringify(message)));
  }

  calls(): readonly Posted[] {
    return this.posted.filter(({ method }) => method === 'tools/call');
  }

  cancelled(): readonly Posted[] {
    return this.posted.filter(({ method }) => method === 'notifications/cancelled');
  }
}

interface Started {
  readonly server: SseServer;
  readonly gate: Gate;
  readonly session: string;
}

async function start(scope: Scope): Promise<Started> {
  const server = new SseServer();
  const { port } = await startFakeUpstream(scope, server.script);
  const gate = await startGate(scope, {
    upstreamPort: port,
    options: ['--workers=2'],
    more: [
      mcpBackend({ port, protocol: 'SSE' }),
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
    ],
  });
  const { status, headers } = await sendMcp(gate.port, initialize, { token: alice });
  assert.equal(status, 200);
  return { server, gate, session: String(headers[SESSION]) };
}

const post = ({ gate, session }: Started, message: object, token = alice) =>
  sendMcp(gate.port, { jsonrpc: '2.0', ...message }, { token, headers: { [SESSION]: session } });

/** Starts calls, a connection each, until both workers carry some; gives the text and the end of each answer. */
async function startCalls(started: Started) {
  const { gate, session, server } = started;
  const answers = new Map<number, { text: string; isOver: boolean }>();
  for (let id = 100; id < 200; id += 1) {
    const message = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'slow' } };
    const { response } = await open({
      port: gate.port,
      body: JSON.stringify(message),
      headers: { ...mcpHeaders(alice), [SESSION]: session },
    });
    assert.equal(response.statusCode, 200);
    const answer = { text: '', isOver: false };
    answers.set(id, answer);
    response.setEncoding('utf8').on('data', (text: string) => (answer.text += text));
    response.on('error', () => undefined).once('close', () => (answer.isOver = true));
    const byStream = new Set(server.calls().map(({ stream }) => stream));
    if (byStream.size > 1 && answers.size >= 12) return answers;
  }
  throw new Error('all calls went to one worker');
}

test('a cancellation ends the request at whichever worker it runs', async (t) => {
  const started = await start(t);
  const { server } = started;
  const answers = await startCalls(started);
  for (const id of answers.keys()) {
    const params = { requestId: id, reason: 'enough' };
    const answer = await post(started, { method: 'notifications/cancelled', params });
    assert.equal(answer.status, 202);
  }
  for (const { id, stream } of server.calls()) {
    await until(`the server to be told of ${id} on stream ${stream}`, () =>
      server.cancelled().some((told) => told.params?.requestId === id && told.stream === stream),
    );
  }
  assert.match(JSON.stringify(server.cancelled()), /"reason":"enough"/);
  await until('the answers to end', () => [...answers.values()].every(({ isOver }) => isOver));
});

test('DELETE ends the session at every worker; that of another owner ends nothing', async (t) => {
  const started = await start(t);
  const { gate, session, server } = started;
  await startCalls(started);
  const end = (token: string) =>
    send({
      port: gate.port,
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}`, [SESSION]: session },
    });
  for (let round = 0; round < 6; round += 1) assert.equal((await end(bob)).status, 404);
  assert.equal(server.streams.size, 2);
  assert.equal((await end(alice)).status, 200);
  await until('the connections to close', () => server.streams.size === 0);
  for (let round = 0; round < 12; round += 1) {
    assert.equal((await post(started, { id: 1, method: 'tools/list' })).status, 404);
  }
  assert.equal(server.streams.size, 0);
});

test('an answer to the server goes to the connection that asked', async (t) => {
  const started = await start(t);
  const { server } = started;
  const answers = await startCalls(started);
  for (const stream of server.streams.keys()) {
    server.say(stream, { jsonrpc: '2.0', id: Number(stream), method: 'sampling/createMessage' });
  }
  const asked = () =>
    [...answers.values()].flatMap(({ text }) => /"id":"([^"]+)"/.exec(text)?.[1] ?? []);
  await until('both to be asked', () => asked().length === 2);
  for (const id of asked()) {
    assert.notEqual((await post(started, { id, result: { by: 'bob' } }, bob)).status, 202);
    assert.equal((await post(started, { id, result: { by: 'alice' } })).status, 202);
  }
  const answered = server.posted.filter(({ result }) => result !== undefined);
  assert.deepEqual(
    answered.map(({ id }) => id).sort(),
    [...server.streams.keys()].map(Number).sort(),
  );
  assert.ok(answered.every(({ id, stream }) => String(id) === stream));
  assert.ok(!JSON.stringify(answered).includes('bob'));
});
