import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { denialAnswer, type OnDeny } from '../../src/mcp/denial-answer.ts';
import { fault, renderFault, unsupportedMediaType } from '../../src/mcp/fault.ts';
import { call, message, modernCall } from './messages.ts';

function answer(body: object, onDeny: OnDeny): [status: number, body: unknown] {
  const rendered = denialAnswer(message(body), onDeny);
  assert.equal(rendered.contentType, 'application/json');
  return [rendered.status, JSON.parse(rendered.body)];
}

const error = (code: number, text: string, more: object = {}) => ({
  jsonrpc: '2.0',
  id: 7,
  error: { code, message: text, ...more },
});
const completion = (ref: object) =>
  call('completion/complete', { ref, argument: { name: 'a', value: 'b' } });

describe('a denial', () => {
  const name = 'a "b" \\ 漢';
  // prettier-ignore
  const rows: [name: string, body: object, onDeny: OnDeny, status: number, answer: unknown][] = [
    ['hides a tool', call('tools/call', { name: 'x' }), 'hide', 200, error(-32602, 'Unknown tool: x')],
    ['hides a modern tool', modernCall('tools/call', { name }), 'hide', 200, error(-32602, `Unknown tool: ${name}`)],
    ['hides a prompt', call('prompts/get', { name: 'x' }), 'hide', 200, error(-32602, 'Prompt x not found')],
    ['hides a resource', call('resources/read', { uri: 'test://x' }), 'hide', 200, error(-32602, 'Resource not found: test://x', { data: { uri: 'test://x' } })],
    ['hides a completion of a prompt', completion({ type: 'ref/prompt', name: 'x' }), 'hide', 200, error(-32602, 'Prompt x not found')],
    ['hides a completion of a template', completion({ type: 'ref/resource', uri: 'x' }), 'hide', 200, error(-32602, 'Resource template x not found')],
    ['hides resources to listen to', call('subscriptions/listen', { notifications: { resourceSubscriptions: ['x'] } }), 'hide', 200, error(-32602, 'Resource not found')],
    ['hides a task', call('tasks/get', { taskId: 'x' }), 'hide', 200, error(-32602, 'Task not found')],
    ['hides a legacy method', call('vendor/x'), 'hide', 200, error(-32601, 'Method not found')],
    ['hides a modern method', modernCall('vendor/x'), 'hide', 404, error(-32601, 'Method not found')],
    ['forbids a tool', call('tools/call', { name }), 'forbidden', 403, error(403, `Forbidden: policy denied tools/call '${name}'`)],
    ['forbids a resource', call('resources/read', { uri: 'x' }), 'forbidden', 403, error(403, "Forbidden: policy denied resources/read 'x'")],
    ['forbids a method', call('vendor/x'), 'forbidden', 403, error(403, 'Forbidden: policy denied vendor/x')],
    ['forbids a task without its id', call('tasks/get', { taskId: 'x' }), 'forbidden', 403, error(403, 'Forbidden: policy denied tasks/get')],
    ['fails a tool', call('tools/call', { name: 'x' }), 'tool_error', 200, { jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: "Forbidden: policy denied tools/call 'x'" }], isError: true } }],
    ['fails a modern tool', modernCall('tools/call', { name: 'x' }), 'tool_error', 200, { jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: "Forbidden: policy denied tools/call 'x'" }], isError: true, resultType: 'complete' } }],
    ['forbids a prompt where tools fail', call('prompts/get', { name: 'x' }), 'tool_error', 403, error(403, "Forbidden: policy denied prompts/get 'x'")],
    ...(['hide', 'forbidden', 'tool_error'] as const).flatMap((onDeny): [string, object, OnDeny, number, unknown][] => [
      [`forbids a notification (${onDeny})`, { jsonrpc: '2.0', method: 'notifications/x' }, onDeny, 403, { jsonrpc: '2.0', error: { code: 403, message: 'Forbidden: denied by policy' } }],
      [`forbids a response (${onDeny})`, { jsonrpc: '2.0', id: 1, result: {} }, onDeny, 403, { jsonrpc: '2.0', error: { code: 403, message: 'Forbidden: denied by policy' } }],
    ]),
  ];
  for (const [title, body, onDeny, status, expected] of rows) {
    it(title, () => assert.deepEqual(answer(body, onDeny), [status, expected]));
  }

  it('repeats the id as it was sent', () => {
    const body = call('tools/call', { name: 'x' }, 'a"b');
    assert.deepEqual((answer(body, 'hide')[1] as { id: unknown }).id, 'a"b');
  });
});

describe('a fault', () => {
  it('is a JSON-RPC error with the id of the request', () => {
    assert.deepEqual(renderFault(fault(-32602, 'Invalid params: x', 'a"b')), {
      status: 400,
      contentType: 'application/json',
      body: '{"jsonrpc":"2.0","id":"a\\"b","error":{"code":-32602,"message":"Invalid params: x"}}',
    });
  });

  it('has the id null where none could be read', () => {
    const { status, body } = renderFault(unsupportedMediaType('x'));
    assert.equal(status, 415);
    assert.equal(body, '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"x"}}');
  });
});
