/** Task ids on their way down and up. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { openTaskIds } from '../../src/mcp/open-task-ids.ts';
import type { SealBinding } from '../../src/mcp/seal-binding.ts';
import { createSealer } from '../../src/mcp/seal.ts';
import { RELATED_TASK, sealTaskIds } from '../../src/mcp/seal-task-ids.ts';
import { openTask, sealTask } from '../../src/mcp/task-id.ts';
import { call, message, modernCall } from './messages.ts';
import { jsonText, quoted, space } from './raw-json.ts';

const sealer = createSealer({ keys: [randomBytes(32)], clock: () => 0, lifetimeMs: 1 });
const alice: SealBinding = {
  owner: { kind: 'subject', issuer: 'i', subject: 'alice' },
  backend: 'default/mcp',
};
const bob: SealBinding = { ...alice, owner: { kind: 'subject', issuer: 'i', subject: 'bob' } };
const sealFor = (id: string, binding = alice): string => {
  const sealed = sealTask(sealer, binding, { target: '', id });
  assert.ok(sealed !== null);
  return sealed;
};
const sealed = sealFor('t1');

/** What the client gets of a message of the server; `same`, or why it gets none. */
function down(text: string): string {
  const result = sealTaskIds(Buffer.from(text), (id) =>
    sealTask(sealer, alice, { target: '', id }),
  );
  return result === null ? 'same' : result.toString();
}

/** What the server gets of a message of the client; `same` or `unknown`. */
function up(body: string | object): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const opening = openTaskIds(
    Buffer.from(text),
    message(text),
    (id) => openTask(sealer, alice, id)?.id ?? null,
  );
  return opening.kind === 'opened' ? opening.body.toString() : opening.kind;
}

describe('a sealed task id', () => {
  test('carries the target, and opens for its owner and backend alone', () => {
    for (const target of ['', 'everything', 'a-b.c']) {
      for (const id of ['t1', 'a\0b', 'é"\\', 'x'.repeat(4000)]) {
        const text = sealTask(sealer, alice, { target, id });
        assert.ok(text !== null);
        assert.deepEqual(openTask(sealer, alice, text), { target, id });
        assert.equal(openTask(sealer, bob, text), null);
        assert.equal(openTask(sealer, { ...alice, backend: 'default/other' }, text), null);
        assert.notEqual(text, sealTask(sealer, alice, { target: `${target}x`, id }));
      }
    }
    assert.equal(sealTask(sealer, alice, { target: '', id: '' }), null);
    assert.equal(sealTask(sealer, alice, { target: '', id: 'x'.repeat(4096) }), null);
  });

  test('does not depend on a session: another one may ask for the task', () => {
    assert.equal(sealTask(sealer, { ...alice, session: 's' }, { target: '', id: 't1' }), sealed);
  });
});

describe('in messages of the server', () => {
  const related = (id: string) => `"_meta":{"${RELATED_TASK}":{"taskId":"${id}"}}`;
  const task = (id: string) => `"taskId":"${id}","status":"working","ttl":null`;
  const rows: readonly [string, (id: string) => string][] = [
    ['a created task', (id) => `{"id":1,"result":{"task":{${task(id)}}}}`],
    [
      'a created task of the extension',
      (id) => `{"id":1,"result":{"resultType":"task",${task(id)}}}`,
    ],
    ['the state of a task', (id) => `{"id":1,"result":{${task(id)},"result":{"content":[]}}}`],
    [
      'a status after the id',
      (id) => `{"id":1,"result":{"status":"working", "x":1.0, "taskId" : "${id}"}}`,
    ],
    [
      'the result of a task',
      (id) => `{"id":1,"result":{"content":[{"type":"text","text":"taskId"}],${related(id)}}}`,
    ],
    [
      'a status notification',
      (id) => `{"method":"notifications/tasks/status","params":{${task(id)}}}`,
    ],
    ['one of the extension', (id) => `{"method":"notifications/tasks","params":{${task(id)}}}`],
    ['the method behind', (id) => `{"params":{${task(id)}},"method":"notifications/tasks/status"}`],
    [
      'a request that belongs to a task',
      (id) => `{"id":1,"method":"elicitation/create","params":{"message":"é",${related(id)}}}`,
    ],
    [
      'a notification that belongs to a task',
      (id) => `{"method":"notifications/progress","params":{${related(id)}}}`,
    ],
    [
      'what is listened to',
      (id) =>
        `{"method":"notifications/subscriptions/acknowledged","params":{"notifications":{"taskIds":["${id}", "${id}"]}}}`,
    ],
  ];
  for (const [name, text] of rows) {
    test(`it is sealed, and nothing else changes: ${name}`, () =>
      assert.equal(down(text('t1')), text(sealed)));
  }

  test('an id under escapes is sealed', () =>
    assert.equal(
      down('{"r\\u0065sult":{"t\\u0061sk":{"taskId":"\\u00741"}}}'),
      `{"r\\u0065sult":{"t\\u0061sk":{"taskId":"${sealed}"}}}`,
    ));

  const same: readonly string[] = [
    '{"id":1,"result":{}}',
    '{"id":1,"method":"tasks/get","params":{"taskId":"of the client"}}',
    '{"id":1,"method":"tasks/cancel","params":{"taskId":"of the client"}}',
    '{"id":1,"result":{"taskId":"no task, for want of a status"}}',
    '{"id":1,"result":{"structuredContent":{"taskId":"t1","status":"x"},"content":[]}}',
    '{"id":1,"result":{"task":{"taskId":7},"taskId":["t1"],"status":"x"}}',
    '{"id":1,"result":{"task":{"taskId":""}}}',
    '{"id":1,"error":{"code":1,"message":"m","data":{"taskId":"t1"}}}',
    '{"taskId":"t1"',
    'taskId',
  ];
  for (const text of same) test(`stays: ${text}`, () => assert.equal(down(text), 'same'));

  test('what two readers would read in two ways is not handed on, nor an id that can not be sealed', () => {
    for (const text of [
      '{"result":{"task":{"taskId":"t1","taskId":"t2"}}}',
      '{"result":{"task":{"taskId":"t1","task\\u0049d":"t2"}}}',
      '{"result":{"task":{"taskId":"t1"}},"result":{}}',
    ]) {
      assert.equal(down(text), 'a member occurs twice');
    }
    assert.equal(
      down(`{"result":{"task":{"taskId":"${'x'.repeat(5000)}"}}}`),
      'a task id is too long',
    );
  });

  test('random results differ in their ids alone', () => {
    fc.assert(
      fc.property(
        jsonText,
        jsonText,
        fc.string({ minLength: 1, maxLength: 5 }),
        fc.nat(2),
        space,
        (one, other, id, every, gap) => {
          const text = `{${gap}"jsonrpc":"2.0","id":1,"result"${gap}:{"x":${one},"task"${gap}:{"y":${other},"taskId":${quoted(id, every)}${gap}}}}`;
          const out = down(text);
          const expected = JSON.parse(text) as { result: { task: { taskId: string } } };
          expected.result.task.taskId = sealFor(id);
          assert.deepEqual(JSON.parse(out), expected);
          const opened = out.replace(`"${sealFor(id)}"`, () => quoted(id, every));
          assert.equal(opened, text);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('in messages of the client', () => {
  const meta = (id: string) => ({ _meta: { [RELATED_TASK]: { taskId: id } } });
  const rows: readonly [string, (id: string) => object][] = [
    ...['get', 'result', 'update', 'cancel'].map((verb): [string, (id: string) => object] => [
      `tasks/${verb}`,
      (id) => call(`tasks/${verb}`, { x: 1, taskId: id, y: 'é' }),
    ]),
    ['a modern tasks/get', (id) => modernCall('tasks/get', { taskId: id })],
    [
      'what to listen to',
      (id) => modernCall('subscriptions/listen', { notifications: { taskIds: [id, id] } }),
    ],
    ['a call that belongs to a task', (id) => call('tools/call', { name: 'x', ...meta(id) })],
    [
      'a notification that belongs to a task',
      (id) => ({ jsonrpc: '2.0', method: 'notifications/progress', params: meta(id) }),
    ],
    [
      'a response that belongs to a task',
      (id) => ({ jsonrpc: '2.0', id: 1, result: { action: 'accept', ...meta(id) } }),
    ],
  ];
  for (const [name, body] of rows) {
    test(`it is opened, and nothing else changes: ${name}`, () =>
      assert.equal(up(body(sealed)), JSON.stringify(body('t1'))));
    test(`another's and a changed one are unknown: ${name}`, () => {
      assert.equal(up(body(sealFor('t1', bob))), 'unknown');
      assert.equal(up(body(`${sealed.slice(0, -3)}AAA`)), 'unknown');
    });
    test(`it is found under escapes: ${name}`, () => {
      const text = JSON.stringify(body(sealFor('t1', bob)))
        .replace(/"taskId"/g, '"task\\u0049d"')
        .replace(/related-task/, 'related\\u002dtask');
      assert.equal(up(text), 'unknown');
    });
  }

  test('the upstream\u2019s own id is unknown in a request; elsewhere it may be one of the client\u2019s own', () => {
    assert.equal(up(call('tasks/get', { taskId: 't1' })), 'unknown');
    assert.equal(up(call('tools/call', { name: 'x', ...meta('t1') })), 'unknown');
    assert.equal(
      up(modernCall('subscriptions/listen', { notifications: { taskIds: [sealed, 't1'] } })),
      'unknown',
    );
    assert.equal(up({ jsonrpc: '2.0', id: 1, result: meta('own') }), 'none');
    assert.equal(up({ jsonrpc: '2.0', id: 1, result: { task: { taskId: 'own' } } }), 'none');
    assert.equal(
      up({ jsonrpc: '2.0', method: 'notifications/tasks/status', params: { taskId: 'own' } }),
      'none',
    );
  });

  test('most messages are not looked at again', () => {
    for (const body of [
      call('ping'),
      call('tools/call', { name: 'x', arguments: { taskId: 't1' } }),
    ]) {
      assert.equal(up(body), 'none');
    }
  });
});
