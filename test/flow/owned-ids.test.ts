/**
 * Event ids and task ids belong to whom they were told: the upstream gets its own back from their owner, and from
 * nobody else.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { startFakeUpstream, type FakeUpstream } from '../harness/fake-upstream.ts';
import { startGate, type Gate } from '../harness/gate.ts';
import { initialize, send, sendMcp, type Answer } from '../harness/http-client.ts';
import {
  glooJwt,
  glooPolicy,
  KGATEWAY_GROUP,
  localJwks,
  mcpBackend,
  route,
} from '../harness/resources.ts';
import { fileScope } from '../harness/scope.ts';
import { createIssuer } from '../harness/token-issuer.ts';

const SESSION = 'mcp-session-id';
const EVENT_ID = 'stream-1_\u6f22_7';
const TASK_ID = 'the-upstreams-task';
const issuer = await createIssuer();
const alice = await issuer.sign({ sub: 'alice' });
const bob = await issuer.sign({ sub: 'bob' });

let upstream: FakeUpstream;
/** Without policies on the backend, and with one that lets Alice call `slow` alone. */
let gates: readonly { readonly name: string; readonly gate: Gate }[];

before(async () => {
  upstream = await startFakeUpstream(fileScope, (request, response) => {
    const { method, id } = (request.body === '' ? {} : JSON.parse(request.body)) as {
      method?: string;
      id?: number;
    };
    const task = { taskId: TASK_ID, status: 'working', ttl: null };
    if (method === 'initialize' || request.method === 'GET') {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        [SESSION]: String(request.headers[SESSION] ?? randomBytes(8).toString('hex')),
      });
      response.end(
        `id: ${EVENT_ID}\ndata: \n\nid: 2\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n`,
      );
      return;
    }
    if (method === undefined || id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const result = method === 'tools/call' ? { task } : task;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  });
  const key = randomBytes(32).toString('hex');
  const options = {
    upstreamPort: upstream.port,
    env: { POSTERN_SESSION_KEY: key },
    more: [
      glooPolicy(glooJwt({ issuer: issuer.issuer, ...localJwks(issuer.jwk) })),
      mcpBackend({ port: upstream.port, name: 'other' }),
      route({ name: 'other', prefix: '/other', backend: 'other' }),
    ],
  };
  const policy = glooPolicy(
    { rbac: { policy: { matchExpressions: ['mcp.tool.name == "slow"'] } } },
    { name: 'tools', target: { group: KGATEWAY_GROUP, kind: 'Backend', name: 'mcp' } },
  );
  gates = [
    { name: 'without policies', gate: await startGate(fileScope, options) },
    {
      name: 'with a policy',
      gate: await startGate(fileScope, { ...options, more: [...options.more, policy] }),
    },
  ];
});

interface Opened {
  readonly session: string;
  readonly eventIds: readonly string[];
}

async function open(port: number, token = alice): Promise<Opened> {
  const { headers, text } = await sendMcp(port, initialize, { token });
  return {
    session: String(headers[SESSION]),
    eventIds: [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? ''),
  };
}

function resume(
  port: number,
  eventId: string,
  session: string | null,
  token = alice,
  path = '/mcp',
) {
  return send({
    port,
    path,
    method: 'GET',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
      'last-event-id': eventId,
      ...(session === null ? {} : { [SESSION]: session }),
    },
  });
}

for (const index of [0, 1]) {
  const at = () => gates[index]?.gate ?? assert.fail();
  const policies = index === 0 ? 'without policies' : 'with a policy';

  describe(`an event id, ${policies}`, () => {
    test('is sealed, and its owner resumes with it', async () => {
      const { session, eventIds } = await open(at().port);
      assert.equal(eventIds.length, 2);
      for (const id of eventIds) assert.match(id, /^[\w-]{40,}$/);
      const { status, text } = await resume(at().port, eventIds[0] ?? '', session);
      assert.equal(status, 200);
      const sent = upstream.requests.at(-1)?.headers['last-event-id'] ?? '';
      assert.equal(Buffer.from(String(sent), 'latin1').toString('utf8'), EVENT_ID);
      // The same id each time: a client may compare it.
      assert.equal(/^id: (.*)$/m.exec(text)?.[1], eventIds[0]);
    });

    const rows: readonly [string, (own: Opened, bobs: Opened) => Promise<Answer>][] = [
      [
        'of another, in her session',
        (own) => resume(at().port, own.eventIds[0] ?? '', own.session, bob),
      ],
      [
        'of another, in his own session',
        (own, bobs) => resume(at().port, own.eventIds[0] ?? '', bobs.session, bob),
      ],
      [
        'of another, without a session',
        (own) => resume(at().port, own.eventIds[0] ?? '', null, bob),
      ],
      [
        'of another session of hers',
        async (own) => resume(at().port, own.eventIds[0] ?? '', (await open(at().port)).session),
      ],
      ['without its session', (own) => resume(at().port, own.eventIds[0] ?? '', null)],
      [
        'of another backend',
        (own) => resume(at().port, own.eventIds[0] ?? '', null, alice, '/other'),
      ],
      ['that is the upstream\u2019s own', (own) => resume(at().port, '2', own.session)],
      [
        'that was changed',
        (own) => resume(at().port, `${(own.eventIds[0] ?? '').slice(0, -3)}AAA`, own.session),
      ],
    ];
    for (const [name, attempt] of rows) {
      test(`${name} is answered with 404, and nothing goes upstream`, async () => {
        const [own, bobs] = await Promise.all([open(at().port), open(at().port, bob)]);
        const { length } = upstream.requests;
        const openings = name.includes('another session') ? 1 : 0;
        const answer = await attempt(own, bobs);
        assert.equal(answer.status, 404);
        assert.equal(answer.text, 'Session not found');
        assert.equal(upstream.requests.length, length + openings);
      });
    }

    test('that is empty names no event', async () => {
      const { session } = await open(at().port);
      assert.equal((await resume(at().port, '', session)).status, 200);
    });
  });

  describe(`a task id, ${policies}`, () => {
    const ask = (
      message: object,
      token = alice,
      headers: Record<string, string> = {},
      path = '/mcp',
    ) => sendMcp(at().port, { jsonrpc: '2.0', ...message }, { token, headers, path });
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
    };
    const related = (taskId: string) => ({
      _meta: { 'io.modelcontextprotocol/related-task': { taskId } },
    });
    const create = async (token = alice): Promise<string> => {
      const { text } = await ask(
        { id: 1, method: 'tools/call', params: { name: 'slow', task: {} } },
        token,
      );
      const { result } = JSON.parse(text) as { result: { task: { taskId: string } } };
      return result.task.taskId;
    };

    test('is sealed, and its owner may ask, cancel and refer to it', async () => {
      const taskId = await create();
      assert.match(taskId, /^[\w-]{40,}$/);
      assert.ok(!Buffer.from(taskId, 'base64url').includes(TASK_ID));
      for (const method of ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel']) {
        const answer = await ask({ id: 2, method, params: { taskId } });
        assert.equal(answer.status, 200);
        // The same id again, of the same task.
        assert.equal(
          (JSON.parse(answer.text) as { result: { taskId: string } }).result.taskId,
          taskId,
        );
        assert.match(upstream.requests.at(-1)?.body ?? '', /"taskId":"the-upstreams-task"/);
      }
      const call = { id: 3, method: 'tools/call', params: { name: 'slow', ...related(taskId) } };
      assert.equal((await ask(call)).status, 200);
      assert.match(upstream.requests.at(-1)?.body ?? '', /"taskId":"the-upstreams-task"/);
      assert.equal((await ask({ id: 4, result: related(taskId) })).status, 202);
      assert.match(upstream.requests.at(-1)?.body ?? '', /"taskId":"the-upstreams-task"/);
    });

    test('stands in Mcp-Name as in the body, sealed here and the upstream\u2019s own there', async () => {
      const taskId = await create();
      const message = { id: 2, method: 'tasks/get', params: { taskId, _meta: meta } };
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tasks/get',
        'mcp-name': taskId,
      };
      const answer = await ask(message, alice, headers);
      assert.equal(answer.status, 200);
      const { headers: sent } = upstream.requests.at(-1) ?? assert.fail();
      assert.equal(sent['mcp-name'], TASK_ID);
      const { length } = upstream.requests;
      const mismatch = await ask(message, alice, { ...headers, 'mcp-name': TASK_ID });
      assert.equal(mismatch.status, 400);
      assert.match(mismatch.text, /-32020/);
      assert.equal((await ask(message, bob, headers)).status, 404);
      assert.equal(upstream.requests.length, length);
    });

    const attempts: readonly [string, (taskId: string) => Promise<Answer>][] = [
      ...['get', 'result', 'update', 'cancel'].map(
        (verb): [string, (taskId: string) => Promise<Answer>] => [
          `Bob\u2019s tasks/${verb} of Alice\u2019s task`,
          (taskId) => ask({ id: 2, method: `tasks/${verb}`, params: { taskId } }, bob),
        ],
      ),
      [
        'a call of Bob\u2019s for Alice\u2019s task',
        (taskId) =>
          ask({ id: 2, method: 'tools/call', params: { name: 'slow', ...related(taskId) } }, bob),
      ],
      [
        'an answer of Bob\u2019s for Alice\u2019s task',
        (taskId) => ask({ id: 2, result: related(taskId) }, bob),
      ],
      [
        'a notification of Bob\u2019s for Alice\u2019s task',
        (taskId) => ask({ method: 'notifications/progress', params: related(taskId) }, bob),
      ],
      [
        'the task of another backend',
        (taskId) => ask({ id: 2, method: 'tasks/get', params: { taskId } }, alice, {}, '/other'),
      ],
      [
        'the upstream\u2019s own id',
        () => ask({ id: 2, method: 'tasks/get', params: { taskId: TASK_ID } }),
      ],
      [
        'a changed id',
        (taskId) =>
          ask({ id: 2, method: 'tasks/get', params: { taskId: `${taskId.slice(0, -3)}AAA` } }),
      ],
    ];
    for (const [name, attempt] of attempts) {
      test(`${name} is answered with 404, and nothing goes upstream`, async () => {
        const taskId = await create();
        const { length } = upstream.requests;
        const { status, text } = await attempt(taskId);
        assert.equal(status, 404);
        const { error } = JSON.parse(text) as { error: object };
        assert.deepEqual(error, { code: -32602, message: 'Task not found' });
        assert.equal(upstream.requests.length, length);
      });
    }

    test('is in no list: whose the upstream\u2019s tasks are can not be known', async () => {
      await create();
      const { length } = upstream.requests;
      const { status, text } = await ask({ id: 2, method: 'tasks/list' });
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(text), { jsonrpc: '2.0', id: 2, result: { tasks: [] } });
      assert.equal(upstream.requests.length, length);
    });

    test('never stands in the log', async () => {
      const taskId = await create();
      await ask({ id: 2, method: 'tasks/get', params: { taskId } }, bob);
      await at().waitForAccessLine(/http\.status=404 jwt\.sub=bob error="?Task not found/);
      for (const text of [taskId, TASK_ID]) assert.ok(!at().accessLog().includes(text));
    });
  });
}
