import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkContentHeaders } from '../../src/mcp/content-headers.ts';
import { checkHeaders } from '../../src/mcp/check-headers.ts';
import { call, fields, message, modernCall, VERSION } from './messages.ts';

const MODERN = '2026-07-28';
const b64 = (text: string | Uint8Array) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const legacyTool = call('tools/call', { name: 'echo' });
const modernTool = modernCall('tools/call', { name: 'echo' });
const named = (name: string) => modernCall('tools/call', { name });
const notification = { jsonrpc: '2.0', method: 'notifications/x' };
const modernNotification = { ...notification, params: { _meta: { [VERSION]: MODERN } } };
const response = { jsonrpc: '2.0', id: 1, result: {} };

function modern(method: string, name?: string, version = MODERN): Record<string, string> {
  return {
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': name }),
  };
}

describe('mirrored headers', () => {
  // prettier-ignore
  const accepted: [name: string, body: object, headers: Record<string, string>][] = [
    ['a legacy call with none', legacyTool, {}],
    ['a legacy call with a legacy version', legacyTool, { 'mcp-protocol-version': '2025-11-25' }],
    ['a legacy call that mirrors, as mcp-remote does', legacyTool, { 'mcp-protocol-version': '2025-11-25', 'mcp-method': 'tools/call', 'mcp-name': 'echo' }],
    ['a modern call', modernTool, modern('tools/call', 'echo')],
    ['whitespace around', modernTool, modern(' tools/call\t', ' \techo ', `${MODERN} `)],
    ['an encoded name', modernTool, modern('tools/call', b64('echo'))],
    ['an encoded name beyond ASCII', named('écho 漢😀'), modern('tools/call', b64('écho 漢😀'))],
    ['a name that looks encoded', named('=?base64?ZWNobw==?='), modern('tools/call', b64('=?base64?ZWNobw==?='))],
    ['a marker in another case is a plain name', named('=?BASE64?ZWNobw==?='), modern('tools/call', '=?BASE64?ZWNobw==?=')],
    ['an empty name', named(''), modern('tools/call', '')],
    ['a prompt', modernCall('prompts/get', { name: 'p' }), modern('prompts/get', 'p')],
    ['a resource as sent', modernCall('resources/read', { uri: 'TEST://a' }), modern('resources/read', 'TEST://a')],
    ['a task', modernCall('tasks/update', { taskId: 't' }), modern('tasks/update', 't')],
    ['a list, that mirrors no name', modernCall('tools/list'), modern('tools/list')],
    ['a list with a name that nobody reads', modernCall('tools/list'), modern('tools/list', 'x')],
    ['a completion without a name', modernCall('completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } }), modern('completion/complete')],
    ['discovery under an unknown version', call('server/discover', { _meta: { [VERSION]: '2099-01-01', 'io.modelcontextprotocol/clientCapabilities': {} } }), modern('server/discover', undefined, '2099-01-01')],
    ['a legacy notification', notification, {}],
    ['a modern notification', modernNotification, { 'mcp-protocol-version': MODERN }],
    ['a client response', response, { 'mcp-protocol-version': '2025-11-25' }],
  ];
  for (const [name, body, headers] of accepted) {
    it(`let pass ${name}`, () => {
      assert.equal(checkHeaders(message(body), fields(headers)), null);
    });
  }

  // prettier-ignore
  const refused: [name: string, body: object, headers: Record<string, string>, code: number, id?: unknown][] = [
    ['a legacy body under another name', call('tools/call', { name: 'secret' }), { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, -32020, 7],
    ['a legacy body under another method', call('tools/call', { name: 'secret' }), { 'mcp-method': 'tools/list' }, -32020, 7],
    ['a legacy body under a modern version', legacyTool, modern('tools/call', 'echo'), -32602, 7],
    ['a legacy body under a version to come', legacyTool, { 'mcp-protocol-version': '2027-01-01' }, -32602, 7],
    ['initialize under a modern version', call('initialize', {}), { 'mcp-protocol-version': MODERN }, -32020, 7],
    ['a legacy notification under a modern version', notification, { 'mcp-protocol-version': MODERN }, -32602],
    ['a response under a modern version', response, { 'mcp-protocol-version': MODERN }, -32600],
    ['a response with a method', response, { 'mcp-method': 'tools/call' }, -32020],
    ['a modern call without any', modernTool, {}, -32020, 7],
    ['a modern call without a version', modernTool, { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, -32020, 7],
    ['a modern call without a method', modernTool, { 'mcp-protocol-version': MODERN, 'mcp-name': 'echo' }, -32020, 7],
    ['a modern call without a name', modernTool, modern('tools/call'), -32020, 7],
    ['another version', modernTool, modern('tools/call', 'echo', '2026-07-29'), -32020, 7],
    ['a legacy version on a modern body', modernTool, modern('tools/call', 'echo', '2025-11-25'), -32020, 7],
    ['an empty version', modernTool, modern('tools/call', 'echo', ''), -32020, 7],
    ['another method', modernTool, modern('tools/list', 'echo'), -32020, 7],
    ['a method in another case', modernTool, modern('Tools/Call', 'echo'), -32020, 7],
    ['another name', named('secret'), modern('tools/call', 'echo'), -32020, 7],
    ['a name in another case', modernTool, modern('tools/call', 'Echo'), -32020, 7],
    ['a name in another Unicode form', named('e\u0301'), modern('tools/call', b64('\u00e9')), -32020, 7],
    ['two names in one', modernTool, modern('tools/call', 'echo, secret'), -32020, 7],
    ['a name that is plain octets beyond ASCII', named('é'), modern('tools/call', 'é'), -32020, 7],
    ['another encoded name', named('secret'), modern('tools/call', b64('echo')), -32020, 7],
    ['a name that looks encoded, not encoded', named('=?base64?ZWNobw==?='), modern('tools/call', '=?base64?ZWNobw==?='), -32020, 7],
    ['base64 that is none', modernTool, modern('tools/call', '=?base64?ech!?='), -32020, 7],
    ['base64 without padding', modernTool, modern('tools/call', '=?base64?ZWNobw?='), -32020, 7],
    ['base64 with odd last bits', modernTool, modern('tools/call', '=?base64?ZWNobx==?='), -32020, 7],
    ['base64url', named('???'), modern('tools/call', '=?base64?Pz8_?='), -32020, 7],
    ['base64 with a space', modernTool, modern('tools/call', '=?base64?ZWN obw==?='), -32020, 7],
    ['base64 of no UTF-8', modernTool, modern('tools/call', b64(Buffer.from([0xff, 0xfe]))), -32020, 7],
    ['base64 with a byte order mark', modernTool, modern('tools/call', b64('\ufeffecho')), -32020, 7],
    ['overlapping markers', named(''), modern('tools/call', '=?base64?='), -32020, 7],
    ['another prompt', modernCall('prompts/get', { name: 'p' }), modern('prompts/get', 'q'), -32020, 7],
    ['a URI in its canonical form only', modernCall('resources/read', { uri: 'TEST://a' }), modern('resources/read', 'test://a'), -32020, 7],
    ['another URI to subscribe to', call('resources/subscribe', { uri: 'test://a' }), { 'mcp-name': 'test://b' }, -32020, 7],
    ['no task', modernCall('tasks/get', { taskId: 't' }), modern('tasks/get'), -32020, 7],
    ['another task', modernCall('tasks/cancel', { taskId: 't' }), modern('tasks/cancel', 'u'), -32020, 7],
    ['a modern notification under another version', modernNotification, { 'mcp-protocol-version': '2025-11-25' }, -32020],
    ['a modern notification under another method', modernNotification, modern('notifications/y'), -32020],
  ];
  for (const [name, body, headers, code, id = null] of refused) {
    it(`refuse ${name}`, () => {
      const fault = checkHeaders(message(body), fields(headers));
      assert.ok(fault !== null, 'it passed');
      assert.deepEqual([fault.status, fault.code, fault.id], [400, code, id]);
      assert.doesNotMatch(fault.message, /secret|echo/);
    });
  }
});

describe('content headers', () => {
  const types: [contentType: string | undefined, taken: boolean][] = [
    ['application/json', true],
    ['Application/JSON', true],
    [' application/json\t', true],
    ['application/json; charset=utf-8', true],
    ['application/json;charset=UTF-8', true],
    ['application/json ; Charset="utf-8" ; x=y', true],
    ['application/json;', true],
    ['application/json; a="b;c\\"d"; charset=utf-8', true],
    [undefined, false],
    ['', false],
    ['text/plain', false],
    ['text/json', false],
    ['application/json-seq', false],
    ['application/jsonx', false],
    ['application/problem+json', false],
    ['application/json, text/plain', false],
    ['text/plain, application/json', false],
    ['text/plain; a=application/json', false],
    ['application/json; charset=utf-16', false],
    ['application/json; charset=utf-7', false],
    ['application/json; charset=utf8', false],
    ['application/json; charset="utf-16"', false],
    ['application/json; charset=utf-8; charset=utf-16', false],
    ['application/json; a="x"; CHARSET=utf-16le', false],
    ['application/json; charset', false],
    ['application/json; charset=', false],
    ['application/json; charset="utf-8', false],
    ['application/json; x=y, text/plain', false],
    ['application/ json', false],
    ['application', false],
    [`application/json;${' '.repeat(20_000)}x`, false],
  ];
  for (const [contentType, taken] of types) {
    it(`${taken ? 'let pass' : 'refuse'} Content-Type ${contentType?.slice(0, 60) ?? 'missing'}`, () => {
      const headers = contentType === undefined ? [] : ['content-type', contentType];
      const fault = checkContentHeaders(headers);
      assert.equal(fault === null, taken);
      if (fault !== null) assert.deepEqual([fault.status, fault.id], [415, null]);
    });
  }

  const codings: [coding: string, taken: boolean][] = [
    ['identity', true],
    ['Identity ', true],
    ['', false],
    ['gzip', false],
    ['identity, gzip', false],
    ['br', false],
    ['x', false],
  ];
  for (const [coding, taken] of codings) {
    it(`${taken ? 'let pass' : 'refuse'} Content-Encoding '${coding}'`, () => {
      const headers = ['content-type', 'application/json', 'content-encoding', coding];
      assert.equal(checkContentHeaders(headers)?.status ?? 200, taken ? 200 : 415);
    });
  }
});
