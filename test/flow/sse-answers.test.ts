/**
 * Answers over HTTP+SSE come on the client's stream, long after their POST was answered: rules, rights, metrics and
 * limits hold for them all the same, also where the POST came in at another worker.
 */
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
import { open, send } from '../harness/http-client.ts';
import { glooJwt, glooPolicy, KGATEWAY_GROUP, localJwks, rbac } from '../harness/resources.ts';
import { messages, openSse } from '../harness/sse-client.ts';
import { createIssuer } from '../harness/token-issuer.ts';
import { until } from '../harness/until.ts';

const PATH = '/mcp/sse';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const jwt = glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) }));
const target = { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' };
const rules = (rule: string) => glooPolicy(rbac(rule), { name: 'tools', target });
const notSecret = rules('mcp.tool.name != "secret"');

const call = (id: number, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

interface Message {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: { readonly name: string };
}
const read = (body: string): Message => JSON.parse(body) as Message;
const nameIn = (body: string): string => read(body).params?.name ?? '';

/** A server that initializes and answers other requests as it is told. */
function server(answer: Script): Script {
  return (request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method } = read(request.body);
    if (id === undefined) return void response.writeHead(202).end();
    if (method !== 'initialize') return answer(request, response);
    const result = { protocolVersion: '2025-06-18', capabilities: {} };
    return json({ jsonrpc: '2.0', id, result })(request, response);
  };
}

const unknownTool =
  (status = 200): Script =>
  (request, response) => {
    const message = `Unknown tool: ${nameIn(request.body)}`;
    const error = { code: -32602, message };
    return json({ jsonrpc: '2.0', id: read(request.body).id, error }, status)(request, response);
  };

for (const workers of [1, 2]) {
  const options = [`--workers=${workers}`];
  describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
    for (const status of [200, 400, 404]) {
      test(`a hidden tool is answered as a missing one, by status ${status}`, async (t) => {
        const upstream = await startFakeUpstream(t, server(unknownTool(status)));
        const gate = await startGate(t, {
          upstreamPort: upstream.port,
          more: [jwt, notSecret],
          options,
        });
        const client = await openSse(gate.port, PATH, alice);
        await client.initialize();
        for (let round = 0; round < 4; round += 1) {
          const absent = await client.ask(call(10 + round, 'absent'));
          const denied = await client.ask(call(20 + round, 'secret'));
          assert.equal(
            JSON.stringify(denied).replace(`${20 + round}`, 'ID'),
            JSON.stringify(absent)
              .replace(`${10 + round}`, 'ID')
              .replace('absent', 'secret'),
          );
          assert.match(JSON.stringify(denied), /Unknown tool: secret/);
        }
        assert.ok(!client.events.some(({ data }) => data.includes('postern-')));
        assert.ok(!upstream.requests.some(({ body }) => body.includes('"secret"')));
        client.close();
      });
    }

    test('what is answered after a reload is what the new rules allow', async (t) => {
      let answer: () => void = () => undefined;
      const told = new Promise<void>((resolve) => (answer = resolve));
      const upstream = await startFakeUpstream(
        t,
        server(async ({ body }, response) => {
          beginEvents(response);
          await told;
          const result = { content: [{ type: 'text', text: `of ${nameIn(body)}` }] };
          response.end(event(JSON.stringify({ jsonrpc: '2.0', id: read(body).id, result })));
        }),
      );
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        more: [jwt, rules('true')],
        options,
      });
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      // So many that every worker gets one.
      for (let id = 10; id < 18; id += 1) await client.post(call(id, 'secret'));
      for (let id = 20; id < 28; id += 1) await client.post(call(id, 'echo'));
      await until('all calls', () => upstream.requests.length >= 18);
      await gate.reload(gate.resources(jwt, notSecret));
      const ended = await until('the end of the calls that are denied now', () => {
        const found = messages(client.events).filter(({ id }) => Number(id) >= 10);
        return found.length >= 8 ? found : undefined;
      });
      for (const { error } of ended) assert.match(JSON.stringify(error), /rules do not allow it/);
      answer();
      await until('the other answers', () => messages(client.events).some(({ id }) => id === 27));
      const all = messages(client.events).filter(({ id }) => Number(id) >= 10);
      assert.equal(all.length, 16);
      for (const { id, result } of all) assert.equal(Number(id) >= 20, result !== undefined);
      client.close();

      const line = await until('the lines of the log', () => {
        const lines = gate
          .accessLog()
          .split('\n')
          .filter((one) => one.includes('stream ended'));
        return lines.length >= 8 ? lines[0] : undefined;
      });
      assert.match(line, /gen_ai\.tool\.name=secret/);
      assert.match(line, /policy=default\/tools/);
      assert.match(await gate.metrics(), /outcome="ended"[^\n]* 8\n/);
    });

    test('a tool that fails is counted as that, and with the time of its answer', async (t) => {
      const upstream = await startFakeUpstream(
        t,
        server(async (request, response) => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          const isError = nameIn(request.body) === 'broken';
          const tools = ['broken', 'fine'].map((name) => ({ name, inputSchema: {} }));
          const isList = read(request.body).method === 'tools/list';
          const result = isList ? { tools } : { isError, content: [] };
          return json({ jsonrpc: '2.0', id: read(request.body).id, result })(request, response);
        }),
      );
      const gate = await startGate(t, { upstreamPort: upstream.port, more: [jwt], options });
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      // Names become labels once a list has told of them.
      const list = { jsonrpc: '2.0', id: 9, method: 'tools/list' };
      await client.ask(list);
      for (const [index, name] of ['broken', 'fine', 'broken'].entries()) {
        await client.ask(call(10 + index, name));
      }
      client.close();
      const text = await until('the counts', async () => {
        const found = await gate.metrics();
        return (/outcome="tool_error"[^\n]* (\d+)/.exec(found)?.[1] ?? '0') === '2'
          ? found
          : undefined;
      });
      const calls = text
        .split('\n')
        .filter((line) => line.includes('method="tools/call"') && line.includes('outcome='));
      assert.match(calls.join('\n'), /tool="fine"[^\n]*outcome="ok"[^\n]* 1$/m);
      const seconds = /mcp_request_duration_seconds_sum\{[^}]*method="tools\/call"[^}]*\} (\S+)/;
      assert.ok(Number(seconds.exec(text)?.[1]) >= 0.9, text);
    });

    test('tasks/list is answered on the stream', async (t) => {
      const upstream = await startFakeUpstream(t, server(unknownTool()));
      const gate = await startGate(t, { upstreamPort: upstream.port, more: [jwt], options });
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      for (let id = 30; id < 34; id += 1) {
        const message = { jsonrpc: '2.0', id, method: 'tasks/list' };
        assert.deepEqual(await client.ask(message), { jsonrpc: '2.0', id, result: { tasks: [] } });
      }
      client.close();
    });

    test('the limits of the backend hold', async (t) => {
      const upstream = await startFakeUpstream(t, server(unknownTool()));
      const maxTokens = 4;
      const bucket = { maxTokens, fillInterval: '1h' };
      const limit = glooPolicy(
        { rateLimit: { local: { tokenBucket: bucket } } },
        { name: 'limit', target },
      );
      const gate = await startGate(t, { upstreamPort: upstream.port, more: [jwt, limit], options });
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      let refused = 0;
      for (let id = 40; id < 80; id += 1) {
        // Here, or on the stream.
        if ((await client.post(call(id, 'echo'))).status === 429) refused += 1;
      }
      const most = maxTokens * workers;
      await until('what becomes of all calls', () => {
        const answered = messages(client.events).filter(({ id }) => Number(id) >= 40);
        return answered.length + refused === 40;
      });
      const run = upstream.requests.filter(({ body }) => body.includes('"echo"')).length;
      assert.ok(run <= most, `${run} calls went up`);
      client.close();
    });

    test('a listening that has ended makes room for another', async (t) => {
      const upstream = await startFakeUpstream(t, server(unknownTool()));
      const gate = await startGate(t, {
        upstreamPort: upstream.port,
        more: [jwt],
        options: [...options, '--max-streams-per-principal=8'],
      });
      const client = await openSse(gate.port, PATH, alice);
      await client.initialize();
      const meta = 'io.modelcontextprotocol';
      for (let id = 50; id < 90; id += 1) {
        const message = {
          jsonrpc: '2.0',
          id,
          method: 'subscriptions/listen',
          params: {
            notifications: {},
            _meta: {
              [`${meta}/protocolVersion`]: '2026-07-28',
              [`${meta}/clientCapabilities`]: {},
            },
          },
        };
        await send({
          port: gate.port,
          path: client.endpoint,
          body: JSON.stringify(message),
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${alice}`,
            'mcp-method': 'subscriptions/listen',
            'mcp-protocol-version': '2026-07-28',
          },
        });
      }
      client.close();
      await until('the end of the stream', async () =>
        (await gate.metrics()).includes('postern_mcp_streams{kind="sse"} 0') ? true : undefined,
      );
      upstream.script = (_request, response) => beginEvents(response);
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${alice}` };
      const opened = [];
      for (let index = 0; index < 8; index += 1)
        opened.push(await open({ port: gate.port, headers }));
      assert.deepEqual(
        opened.map(({ response }) => response.statusCode),
        Array.from({ length: 8 }, () => 200),
      );
      for (const { request } of opened) request.destroy();
    });
  });
}

test('a stream of HTTP+SSE ends with its token, and its reason is in the log', async (t) => {
  const upstream = await startFakeUpstream(t, server(unknownTool()));
  const gate = await startGate(t, {
    upstreamPort: upstream.port,
    more: [jwt],
    options: ['--token-expiry-grace=1s'],
  });
  const exp = Math.floor(Date.now() / 1000) + 3;
  const client = await openSse(gate.port, PATH, await issuer.sign({ sub: 'alice', exp }));
  await client.initialize();
  await until('the end of the stream', () => client.hasEnded() || undefined, 20_000);
  assert.ok(Date.now() / 1000 >= exp, 'not before the token');
  await until('its line in the log', () =>
    gate.accessLog().includes('stream ended: its token has expired') ? true : undefined,
  );
});

test('a stream of HTTP+SSE ends where a reload takes away the right to it', async (t) => {
  const upstream = await startFakeUpstream(t, server(unknownTool()));
  const gate = await startGate(t, { upstreamPort: upstream.port, more: [jwt] });
  const client = await openSse(gate.port, PATH, alice);
  await client.initialize();
  const other = await createIssuer();
  const stranger = glooPolicy(glooJwt({ issuer: other.issuer, ...localJwks(other.jwk) }));
  await gate.reload(gate.resources(stranger));
  await until('the end of the stream', () => client.hasEnded() || undefined, 20_000);
  const line = await until('its line in the log', () =>
    gate
      .accessLog()
      .split('\n')
      .find((one) => one.includes('stream ended')),
  );
  assert.match(line, /the key of its token was removed|no provider accepts its token any more/);
});
