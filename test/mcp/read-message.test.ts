import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { McpObject } from '../../src/mcp/message.ts';
import { legacyMethods } from '../../src/mcp/methods.ts';
import { maxNameLength, maxUriLength } from '../../src/mcp/read-object.ts';
import { built, CAPABILITIES, call, modernCall, modernMeta, read, request, VERSION } from './messages.ts'; // prettier-ignore

describe('a message', () => {
  it('is a legacy request without a claim in _meta', () => {
    assert.deepEqual(
      built(read(call('tools/call', { name: 'echo', arguments: { a: 1 }, _meta: { x: 1 } }))),
      {
        kind: 'request',
        era: 'legacy',
        id: 7,
        method: 'tools/call',
        params: { name: 'echo', arguments: { a: 1 }, _meta: { x: 1 } },
        meta: { x: 1 },
        asksForTask: false,
        protocolVersion: null,
        object: { type: 'tool', name: 'echo', arguments: { a: 1 } },
      },
    );
  });

  it('is a modern request with one', () => {
    const message = request(modernCall('tools/list', {}, 'one'));
    assert.deepEqual(
      [message.era, message.protocolVersion, message.id, message.object],
      ['modern', '2026-07-28', 'one', null],
    );
  });

  it('asks for a task with any member `task`', () => {
    for (const [params, asks] of [
      [{}, false],
      [{ task: {} }, true],
      [{ task: null }, true],
    ] as const) {
      // prettier-ignore
      assert.equal(request(call('tools/call', { name: 'echo', ...params })).asksForTask, asks);
      assert.equal(request(modernCall('tools/call', { name: 'echo', ...params })).asksForTask, asks); // prettier-ignore
    }
  });

  it('is modern whatever version it claims: the upstream knows which it serves', () => {
    assert.equal(request(call('ping', { _meta: meta('1999-01-01') })).era, 'modern');
    assert.equal(request(call('ping', { _meta: meta('2099-01-01') })).era, 'modern');
  });

  it('is a notification without an id', () => {
    assert.deepEqual(read({ jsonrpc: '2.0', method: 'notifications/initialized' }), {
      kind: 'notification',
      era: 'legacy',
      id: null,
      method: 'notifications/initialized',
      params: {},
      meta: null,
      protocolVersion: null,
      object: null,
    });
  });

  it('is a modern notification with a version alone', () => {
    const body = {
      jsonrpc: '2.0',
      method: 'notifications/x',
      params: { _meta: { [VERSION]: 'v' } },
    };
    assert.equal((read(body) as { era: string }).era, 'modern');
  });

  const responses: [body: object, expected: object][] = [
    [
      { jsonrpc: '2.0', id: 3, result: {} },
      { id: 3, isError: false },
    ],
    [
      { jsonrpc: '2.0', id: 'a', error: { code: 1, message: 'x' } },
      { id: 'a', isError: true },
    ],
    [
      { jsonrpc: '2.0', error: { code: 1, message: 'x' } },
      { id: null, isError: true },
    ],
  ];
  for (const [body, expected] of responses) {
    it(`is a response: ${JSON.stringify(body)}`, () => {
      assert.deepEqual(read(body), { kind: 'response', era: 'legacy', ...expected });
    });
  }

  it('of an unknown method is a request about nothing', () => {
    assert.equal(request(call('vendor/thing', { name: 'x' })).object, null);
    assert.equal(request(call('constructor', { name: 'x' })).object, null);
  });

  const ids: [id: string, read: string | number][] = [
    ['0', 0],
    ['-1', -1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['""', ''],
    ['"\\u0061"', 'a'],
    [`"${'x'.repeat(1024)}"`, 'x'.repeat(1024)],
  ];
  for (const [text, id] of ids) {
    it(`may have the id ${text.slice(0, 20)}`, () => {
      assert.equal(request(`{"jsonrpc":"2.0","id":${text},"method":"ping"}`).id, id);
    });
  }
});

describe('what a request is about', () => {
  const prompt = { type: 'ref/prompt', name: 'p' };
  const template = { type: 'ref/resource', uri: 'test://{id}' };
  const argument = { name: 'a', value: 'b' };
  // prettier-ignore
  const objects: [method: string, params: object, object: McpObject][] = [
    ['tools/call', { name: 'echo' }, { type: 'tool', name: 'echo', arguments: {} }],
    ['tools/call', { name: 'écho 漢', arguments: { name: 'secret' } }, { type: 'tool', name: 'écho 漢', arguments: { name: 'secret' } }],
    ['prompts/get', { name: 'p', arguments: { x: 'y' } }, { type: 'prompt', name: 'p', arguments: { x: 'y' } }],
    ['resources/read', { uri: 'test://a' }, { type: 'resource', uri: 'test://a', canonicalUri: 'test://a' }],
    ['resources/read', { uri: 'TEST://secret/a/../x' }, { type: 'resource', uri: 'TEST://secret/a/../x', canonicalUri: 'test://secret/x' }],
    ['resources/read', { uri: ' test://secret/x' }, { type: 'resource', uri: ' test://secret/x', canonicalUri: 'test://secret/x' }],
    ['resources/read', { uri: 'FILE:///etc/./a\\..\\passwd' }, { type: 'resource', uri: 'FILE:///etc/./a\\..\\passwd', canonicalUri: 'file:///etc/passwd' }],
    ['resources/read', { uri: 'not a uri' }, { type: 'resource', uri: 'not a uri', canonicalUri: 'not a uri' }],
    ['resources/subscribe', { uri: 'test://a' }, { type: 'resource', uri: 'test://a', canonicalUri: 'test://a' }],
    ['resources/unsubscribe', { uri: 'test://a' }, { type: 'resource', uri: 'test://a', canonicalUri: 'test://a' }],
    ['subscriptions/listen', { notifications: {} }, { type: 'resources', uris: [] }],
    ['subscriptions/listen', { notifications: { toolsListChanged: true, resourceSubscriptions: ['test://a', 'TEST://b', 'test://a'] } }, { type: 'resources', uris: ['test://a', 'TEST://b', 'test://b'] }],
    ['completion/complete', { ref: prompt, argument }, { type: 'completion', ref: { type: 'prompt', name: 'p' }, argument }],
    ['completion/complete', { ref: template, argument, context: {} }, { type: 'completion', ref: { type: 'resource', uri: 'test://{id}' }, argument }],
    ...['get', 'result', 'update', 'cancel'].map((verb): [string, object, McpObject] => [`tasks/${verb}`, { taskId: 't' }, { type: 'task', taskId: 't' }]),
  ];
  for (const [method, params, object] of objects) {
    it(`of ${method} ${JSON.stringify(params)}`, () => {
      assert.deepEqual(built(request(call(method, params))).object, object);
      if (legacyMethods.has(method)) return;
      assert.deepEqual(built(request(modernCall(method, params))).object, object);
    });
  }

  const argument1 = { name: 'a', value: 1 };
  // prettier-ignore
  const faulty: [method: string, params: object][] = [
    ['tools/call', {}],
    ['tools/call', { name: null }],
    ['tools/call', { name: 1 }],
    ['tools/call', { name: ['echo'] }],
    ['tools/call', { name: { toString: 'echo' } }],
    ['tools/call', { name: 'secret\0' }],
    ['tools/call', { name: 'a\nb' }],
    ['tools/call', { name: 'x'.repeat(maxNameLength + 1) }],
    ['tools/call', { name: 'echo', arguments: null }],
    ['tools/call', { name: 'echo', arguments: [] }],
    ['tools/call', { name: 'echo', arguments: '{}' }],
    ['prompts/get', { name: false }],
    ['prompts/get', { name: 'p', arguments: 1 }],
    ['resources/read', {}],
    ['resources/read', { uri: ['test://a'] }],
    ['resources/read', { uri: 'test://sec\tret/x' }],
    ['resources/read', { uri: `test://${'x'.repeat(maxUriLength)}` }],
    ['resources/subscribe', { uri: 1 }],
    ['resources/unsubscribe', { uri: null }],
    ['subscriptions/listen', {}],
    ['subscriptions/listen', { notifications: [] }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: 'test://a' } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: null } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: [1] } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: new Array(1001).fill('test://a') } }],
    ['subscriptions/listen', { notifications: { ResourceSubscriptions: ['test://secret'] } }],
    ['completion/complete', { argument }],
    ['completion/complete', { ref: prompt }],
    ['completion/complete', { ref: prompt, argument: argument1 }],
    ['completion/complete', { ref: { type: 'ref/tool', name: 'x' }, argument }],
    ['completion/complete', { ref: { type: 'ref/prompt', uri: 'x' }, argument }],
    ['completion/complete', { ref: { type: 'ref/resource', name: 'x' }, argument }],
    ['completion/complete', { ref: { ...prompt, Name: 'secret' }, argument }],
    ['completion/complete', { ref: prompt, argument: { ...argument, VALUE: 'x' } }],
    ['tasks/get', {}],
    ['tasks/get', { taskId: 1 }],
    ['tasks/cancel', { taskId: 't', taskid: 'u' }],
    // Other spellings of what decides, by the case rules of other readers.
    ['tools/call', { name: 'echo', Name: 'secret' }],
    ['tools/call', { NAME: 'secret', name: 'echo' }],
    ['tools/call', { name: 'echo', Arguments: {} }],
    ['tools/call', { name: 'echo', 'argument\u017f': {} }],
    ['tasks/get', { taskId: 't', 'tas\u212aId': 'u' }],
    ['tools/call', { name: 'echo', _Meta: {} }],
    ['resources/read', { uri: 'test://a', URI: 'test://secret/x' }],
    ['vendor/thing', { Name: 'x' }],
    ['tools/list', { Cursor: 'x' }],
  ];
  for (const [method, params] of faulty) {
    it(`is refused in ${method} ${JSON.stringify(params).slice(0, 70)}`, () => {
      const bodies = legacyMethods.has(method) ? [call] : [call, modernCall];
      for (const make of bodies) {
        const result = read(make(method, params));
        assert.ok(result.kind === 'fault', JSON.stringify(result));
        assert.deepEqual([result.status, result.code, result.id], [400, -32602, 7]);
      }
    });
  }
});

describe('a body is refused', () => {
  it('with a word on batches, which old clients may send', () => {
    const result = read([call('ping')]);
    assert.equal(result.kind === 'fault' && result.message, 'Invalid Request: batches are not supported'); // prettier-ignore
  });

  const tail = '"method":"tools/call","params":{"name":"echo"}}';
  const head = '{"jsonrpc":"2.0","id":7,';
  // prettier-ignore
  const refused: [name: string, body: string | object | Uint8Array, code: number, id?: unknown][] = [
    ['no octets', '', -32700],
    ['not JSON', 'hello', -32700],
    ['a byte order mark', `\ufeff${head}${tail}`, -32700],
    ['a second message', `${head}${tail}${head}${tail}`, -32700],
    ['a second message on its own line', `${head}${tail}\n${head}${tail}`, -32700],
    ['a NUL at the end', `${head}${tail}\0`, -32700],
    ['invalid UTF-8', Buffer.concat([Buffer.from(`${head}"method":"tools/call","params":{"name":"`), Buffer.from([0xc0, 0xb3]), Buffer.from('"}}')]), -32700],
    ['a batch of one', [call('tools/call', { name: 'echo' })], -32600],
    ['an empty batch', [], -32600],
    ['a string', '"tools/call"', -32600],
    ['null', 'null', -32600],
    ['method twice', `${head}"method":"tools/list",${tail}`, -32600],
    ['method twice, escaped', `${head}"m\\u0065thod":"tools/list",${tail}`, -32600],
    ['jsonrpc twice', `{"jsonrpc":"2.0",${head.slice(1)}${tail}`, -32600],
    ['id twice', `${head}"id":8,${tail}`, -32600],
    ['params twice', `${head}"params":{"name":"secret"},${tail}`, -32600],
    ['name twice', `${head}"method":"tools/call","params":{"name":"echo","name":"secret"}}`, -32600],
    ['name twice, escaped', `${head}"method":"tools/call","params":{"name":"echo","\\u006eame":"secret"}}`, -32600],
    ['an argument twice', `${head}"method":"tools/call","params":{"name":"echo","arguments":{"a":1,"a":2}}}`, -32600],
    ['a claim twice', `${head}"method":"ping","params":{"_meta":{"${VERSION}":"2026-07-28","${VERSION}":"2025-11-25"}}}`, -32600],
    ['__proto__ at the top', `${head}"__proto__":{"method":"x"},${tail}`, -32600],
    ['__proto__ in params', `${head}"method":"tools/call","params":{"__proto__":{"name":"secret"}}}`, -32600],
    ['half a pair', `${head}"method":"tools/call","params":{"name":"\\ud800"}}`, -32600],
    ['huge depth', `${head}"method":"x","params":${'{"a":'.repeat(100_000)}`, -32600],
    ['an infinite number', `${head}"method":"tools/call","params":{"name":"echo","arguments":{"amount":1e999}}}`, -32600],
    ['another spelling of method', `${head}"Method":"tools/call","method":"tools/list"}`, -32600],
    ['an unknown member', { ...call('ping'), auth: 'x' }, -32600],
    ['no jsonrpc', { id: 7, method: 'ping' }, -32600],
    ['jsonrpc 1.0', { ...call('ping'), jsonrpc: '1.0' }, -32600],
    ['jsonrpc a number', { ...call('ping'), jsonrpc: 2 }, -32600],
    ...['null', '1.0', '1e3', '-0', '9007199254740992', '0.5', 'true', '{}', '[7]', `"${'x'.repeat(1025)}"`].map((id): [string, string, number] => [`the id ${id.slice(0, 20)}`, `{"jsonrpc":"2.0","id":${id},${tail}`, -32600]),
    ['no method', { jsonrpc: '2.0', id: 7 }, -32600],
    ['method null', { ...call('x'), method: null }, -32600, 7],
    ['method a number', { ...call('x'), method: 1 }, -32600, 7],
    ['method an array', { ...call('x'), method: ['tools/call'] }, -32600, 7],
    ['an empty method', call(''), -32600, 7],
    ['a method with a space', call('tools/call ', { name: 'secret' }), -32600, 7],
    ['a method with a NUL', call('tools/call\0', { name: 'secret' }), -32600, 7],
    ['a method beyond ASCII', call('tools/ca\u217c\u217c', { name: 'secret' }), -32600, 7],
    ['a method in another case', call('Tools/Call', { name: 'secret' }), -32600, 7],
    ['a very long method', call('x'.repeat(129)), -32600, 7],
    ['a method and a result', { ...call('ping'), result: {} }, -32600],
    ['a method and an error', { ...call('ping'), error: null }, -32600],
    ['params and a result', { jsonrpc: '2.0', id: 7, params: {}, result: {} }, -32600],
    ['a result and an error', { jsonrpc: '2.0', id: 7, result: {}, error: {} }, -32600],
    ['a result without an id', { jsonrpc: '2.0', result: {} }, -32600],
    ['a result that is no object', { jsonrpc: '2.0', id: 7, result: 1 }, -32600],
    ['an error that is no object', { jsonrpc: '2.0', id: 7, error: 'x' }, -32600],
    ['an error with id null', { jsonrpc: '2.0', id: null, error: {} }, -32600],
    ['tools/call without an id', { jsonrpc: '2.0', method: 'tools/call', params: { name: 'secret' } }, -32600],
    ['resources/subscribe without an id', { jsonrpc: '2.0', method: 'resources/subscribe', params: { uri: 'x' } }, -32600],
    ['params an array', { ...call('tools/call'), params: ['echo'] }, -32602, 7],
    ['params null', { ...call('ping'), params: null }, -32602, 7],
    ['params a string', { ...call('ping'), params: 'x' }, -32602, 7],
    ['_meta null', call('ping', { _meta: null }), -32602, 7],
    ['_meta an array', call('ping', { _meta: [] }), -32602, 7],
    ['a version that is null', call('ping', { _meta: { ...meta(null) } }), -32602, 7],
    ['a version that is a number', call('ping', { _meta: { ...meta(20260728) } }), -32602, 7],
    ['an empty version', call('ping', { _meta: { ...meta('') } }), -32602, 7],
    ['no client capabilities', call('ping', { _meta: { [VERSION]: '2026-07-28' } }), -32602, 7],
    ['client capabilities null', call('ping', { _meta: { [VERSION]: '2026-07-28', [CAPABILITIES]: null } }), -32602, 7],
    ['the claim in another case', call('ping', { _meta: { 'io.modelcontextprotocol/ProtocolVersion': '2026-07-28' } }), -32602, 7],
    ['initialize with a legacy claim', call('initialize', { _meta: meta('2025-11-25') }), -32602, 7],
    ['a notification with a claim of a wrong type', { jsonrpc: '2.0', method: 'notifications/x', params: { _meta: { [VERSION]: 1 } } }, -32602],
  ];
  for (const method of ['resources/subscribe', 'resources/unsubscribe', 'tasks/result']) {
    it(`for a modern ${method}, which is legacy's alone, as for a method that nobody has`, () => {
      for (const params of [{ _meta: modernMeta }, { _meta: modernMeta, uri: 'x', taskId: 'x' }]) {
        const result = read(call(method, params));
        assert.ok(result.kind === 'fault', JSON.stringify(result));
        assert.deepEqual([result.status, result.code, result.id], [404, -32601, 7]);
      }
      assert.equal(read(call(method, { uri: 'x', taskId: 'x' })).kind, 'request');
    });
  }

  for (const [name, body, code, id = null] of refused) {
    it(`for ${name}`, () => {
      const result = read(body);
      assert.ok(result.kind === 'fault', JSON.stringify(result));
      assert.deepEqual([result.status, result.code, result.id], [400, code, id]);
      assert.doesNotMatch(result.message, /secret|echo/);
    });
  }
});

function meta(version: unknown): object {
  return { [VERSION]: version, [CAPABILITIES]: {} };
}
