import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_PLAIN_OCTETS } from '../../src/json/plain-value.ts';
import { maxIdLength } from '../../src/mcp/message-limits.ts';
import { readAnyMessage } from '../../src/mcp/read-message.ts';
import { maxNameLength } from '../../src/mcp/read-object.ts';
import { readPlainCall } from '../../src/mcp/read-plain-call.ts';
import { jsonText, written } from '../json/json-texts.ts';
import { built, call, CAPABILITIES, modernMeta, VERSION } from './messages.ts';
import { mutatedBody, randomBody } from './random-bodies.ts';

const RELATED = 'io.modelcontextprotocol/related-task';

/** Reads both ways, and checks that they agree; tells whether the short way took it. */
function isTaken(body: string | Uint8Array): boolean {
  const octets = typeof body === 'string' ? Buffer.from(body) : body;
  const read = readPlainCall(octets);
  if (read === null) return false;
  const expected = readAnyMessage(octets);
  const text = Buffer.from(octets).toString('latin1');
  assert.ok(expected.kind === 'request', `${JSON.stringify(expected)}: ${text}`);
  assert.deepEqual(built(read), expected, text);
  return true;
}

const tail = '"method":"tools/call","params":{"name":"echo"}}';
const withId = (id: string): string => `{"jsonrpc":"2.0","id":${id},${tail}`;
const withParams = (params: string): string =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`;
const withMeta = (meta: string): string => withParams(`{"name":"echo","_meta":${meta}}`);

describe('a plain call', () => {
  const taken: [name: string, body: string | object][] = [
    ['a call', call('tools/call', { name: 'echo', arguments: { message: 'a', more: [1, {}] } })],
    ['a call without arguments', call('tools/call', { name: 'echo' })],
    ['an id that is a string', call('tools/call', { name: 'echo' }, 'an-id')],
    ['an empty id', call('tools/call', { name: 'echo' }, '')],
    ['an empty name', call('tools/call', { name: '' })],
    ['the longest name', call('tools/call', { name: 'x'.repeat(maxNameLength) })],
    ['the longest id', call('tools/call', { name: 'echo' }, 'x'.repeat(maxIdLength))],
    ['the id 0', withId('0')],
    ['an id of 15 digits', withId('999999999999999')],
    ['space', ` {\n"jsonrpc" : "2.0" ,\t"id":1 ,${tail}\r\n`],
    ['another order', '{"params":{"arguments":{},"name":"echo"},"id":1,"method":"tools/call","jsonrpc":"2.0"}'], // prettier-ignore
    [
      'text beyond ASCII in the arguments',
      call('tools/call', { name: 'e', arguments: { a: 'é漢😀' } }),
    ],
    ['escapes in the arguments', call('tools/call', { name: 'e', arguments: { a: '"\\\n' } })],
    ['any _meta', withMeta('{"progressToken":1,"x":null}')],
    ['a modern call', call('tools/call', { name: 'echo', arguments: {}, _meta: modernMeta })],
    ['a related task', withMeta(`{"${RELATED}":{"taskId":"x"}}`)],
  ];
  for (const [name, body] of taken) {
    it(`is ${name}`, () =>
      assert.ok(isTaken(typeof body === 'string' ? body : JSON.stringify(body))));
  }

  const left: [name: string, body: string | object | Uint8Array][] = [
    ['another method', call('tools/list', {})],
    ['another spelling of the method', call('Tools/call', { name: 'echo' })],
    ['a method that goes on', call('tools/calls', { name: 'echo' })],
    ['an escaped method', withId('1').replace('tools/call', 'tools\\/call')],
    ['a batch', [call('tools/call', { name: 'echo' })]],
    ['nothing', ''],
    ['an empty object', {}],
    ['a second message', withId('1') + withId('2')],
    ['a NUL behind', `${withId('1')}\0`],
    ['a byte order mark', `\ufeff${withId('1')}`],
    ['no id', `{"jsonrpc":"2.0",${tail}`],
    ['the id null', withId('null')],
    ['a negative id', withId('-1')],
    ['a negative zero', withId('-0')],
    ['an id with a fraction', withId('1.0')],
    ['an id of 16 digits', withId('1000000000000000')],
    ['an id with a leading zero', withId('01')],
    ['an escaped id', withId('"a\\n"')],
    ['an id beyond ASCII', withId('"é"')],
    ['an id that is too long', call('tools/call', { name: 'echo' }, 'x'.repeat(maxIdLength + 1))],
    ['an id that is an object', withId('{}')],
    ['an id twice', `{"id":7,${withId('8').slice(1)}`],
    ['a method twice', `{"method":"tools/list",${withId('8').slice(1)}`],
    ['params twice', `{"params":{"name":"secret"},${withId('8').slice(1)}`],
    ['params twice, the second empty', withId('8').replace(/\}$/, ',"params":{}}')],
    ['jsonrpc twice', `{"jsonrpc":"2.0",${withId('8').slice(1)}`],
    ['jsonrpc 1.0', withId('1').replace('2.0', '1.0')],
    ['jsonrpc a number', withId('1').replace('"2.0"', '2.0')],
    ['no jsonrpc', `{"id":1,${tail}`],
    ['an unknown member', withId('1,"auth":1')],
    ['a result beside', withId('1,"result":{}')],
    ['another spelling of a member', withId('1,"Method":"tools/list"')],
    ['an escaped member', withId('1').replace('"method"', '"m\\u0065thod"')],
    ['a member that begins like a known one', withId('1').replace('"params"', '"paramz"')],
    ['a member that goes on', withId('1').replace('"method"', '"methods"')],
    ['a member of the params beside them', withId('1,"name":"secret"')],
    ['a member of the message in its params', withParams('{"name":"echo","method":"ping"}')],
    ['a name beside the params', '{"jsonrpc":"2.0","id":7,"method":"tools/call","name":"echo","params":{"arguments":{}}}'], // prettier-ignore
    ['arguments beside the params', withId('1,"arguments":{}')],
    ['_meta beside the params', withId('1,"_meta":{}')],
    ['a method in the params', '{"jsonrpc":"2.0","id":7,"params":{"name":"echo","method":"tools/call"}}'], // prettier-ignore
    ['an id in the params', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo","id":7}}'], // prettier-ignore
    ['a version in the params', '{"id":7,"method":"tools/call","params":{"name":"echo","jsonrpc":"2.0"}}'], // prettier-ignore
    ['params in the params', withParams('{"params":{"name":"echo"}}')],
    ['something else than a colon', withId('1').replace('"id":', '"id";')],
    ['something else than a comma', withId('1').replace(',', ';')],
    ['no comma', withId('1').replace(',', ' ')],
    ['a comma too many', withParams('{"name":"echo",}')],
    ['no method', '{"jsonrpc":"2.0","id":7,"params":{"name":"echo"}}'],
    ['no params', '{"jsonrpc":"2.0","id":7,"method":"tools/call"}'],
    ['params that are empty', withParams('{}')],
    ['params that are an array', withParams('["echo"]')],
    ['no name', withParams('{"arguments":{}}')],
    ['a name that is a number', withParams('{"name":1}')],
    ['a name twice', withParams('{"name":"echo","name":"secret"}')],
    ['a name in another spelling besides', withParams('{"name":"echo","Name":"secret"}')],
    ['an escaped name', withParams('{"name":"\\"echo"}')],
    ['a name that ends in an escape', withParams('{"name":"echo\\""}')],
    ['a name beyond ASCII', withParams('{"name":"écho"}')],
    ['a name with a DEL', withParams('{"name":"echo\u007f"}')],
    ['a name that is too long', call('tools/call', { name: 'x'.repeat(maxNameLength + 1) })],
    ['arguments twice', withParams('{"name":"echo","arguments":{},"arguments":{}}')],
    ['arguments that are an array', withParams('{"name":"echo","arguments":[]}')],
    ['arguments that are null', withParams('{"name":"echo","arguments":null}')],
    ['an argument twice', withParams('{"name":"echo","arguments":{"a":1,"a":2}}')],
    ['an argument __proto__', withParams('{"name":"echo","arguments":{"__proto__":{}}}')],
    ['a task', withParams('{"name":"echo","task":{}}')],
    ['another member of params', withParams('{"name":"echo","x":{}}')],
    ['_meta that is no object', withMeta('[]')],
    ['_meta twice', withParams('{"name":"echo","_meta":{},"_meta":{}}')],
    ['a member of _meta twice', withMeta('{"a":1,"a":1}')],
    ['another spelling in _meta', withMeta(`{"${VERSION.toUpperCase()}":"2026-07-28"}`)],
    ['a version of a wrong type', withMeta(`{"${VERSION}":1,"${CAPABILITIES}":{}}`)],
    ['a version without capabilities', withMeta(`{"${VERSION}":"2026-07-28"}`)],
    ['a related task of a wrong type', withMeta(`{"${RELATED}":1}`)],
    ['another spelling in the related task', withMeta(`{"${RELATED}":{"TaskId":"x"}}`)],
    [
      'invalid UTF-8',
      Buffer.from(withParams('{"name":"e","arguments":{"a":"\xc0\xb3"}}'), 'latin1'),
    ],
    ['a long body', call('tools/call', { name: 'e', arguments: { a: 'x'.repeat(MAX_PLAIN_OCTETS) } })], // prettier-ignore
  ];
  for (const [name, body] of left) {
    it(`is not ${name}`, () => {
      const octets =
        body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body);
      assert.equal(readPlainCall(Buffer.from(octets)), null);
    });
  }

  it('builds its params and arguments once', () => {
    const read = readPlainCall(Buffer.from(withParams('{"name":"echo","arguments":{"a":1}}')));
    assert.ok(read?.object?.type === 'tool');
    assert.equal(read.params, read.params);
    assert.equal(read.object.arguments, read.object.arguments);
    assert.deepEqual(read.params, { name: 'echo', arguments: { a: 1 } });
  });

  it('reads octets that lie in the middle of others', () => {
    const body = withParams('{"name":"echo","arguments":{"a":1}}');
    const octets = Buffer.from(`xx${body}yy`);
    assert.ok(isTaken(new Uint8Array(octets.buffer, octets.byteOffset + 2, body.length)));
  });

  it('throws where somebody changes the body before the arguments are built', () => {
    for (const [from, to] of [
      ['"b"', '"a"'],
      ['1', '}'],
      ['2', '"'],
    ] as const) {
      // prettier-ignore
      const text = withParams('{"name":"echo","arguments":{"a":1,"b":2}}');
      const body = Buffer.from(text);
      const object = readPlainCall(body)?.object;
      assert.ok(object?.type === 'tool');
      body.write(to, text.lastIndexOf(from));
      assert.throws(() => object.arguments, /has changed/);
    }
  });

  const value = fc.oneof(jsonText, fc.constantFrom('{}', '{"a":"b"}'));
  const object = fc.array(fc.tuple(fc.string(), value), { maxLength: 3 }).map(
    (members) => `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`, // prettier-ignore
  );
  const metaText = fc.oneof(
    fc.constantFrom('{}', JSON.stringify(modernMeta), '{"progressToken":"a"}', `{"${VERSION}":"v"}`, `{"${RELATED}":{"taskId":"x"}}`, `{"${RELATED}":{"TASKID":"x"}}`), // prettier-ignore
    object,
  );
  const name = fc.oneof(fc.constantFrom('"echo"', '"secret"'), fc.string().chain(written));
  const params = fc
    .tuple(name, fc.option(fc.oneof(object, value)), fc.option(metaText), fc.boolean())
    .map(([own, given, meta, isLast]) => {
      const members = [...(given === null ? [] : [`"arguments":${given}`]), ...(meta === null ? [] : [`"_meta":${meta}`])]; // prettier-ignore
      return `{${(isLast ? [...members, `"name":${own}`] : [`"name":${own}`, ...members]).join(' , ')}}`;
    });

  it('is read as any message is', () => {
    let count = 0;
    fc.assert(
      fc.property(params, (text) => {
        if (isTaken(withParams(text))) count += 1;
      }),
      { numRuns: 6000 },
    );
    assert.ok(count > 1500, `${count}`);
  });

  it('is read as any message is, or not at all, in bodies that are not quite one', () => {
    let count = 0;
    fc.assert(
      fc.property(fc.oneof(randomBody, mutatedBody), (body) => {
        if (isTaken(body)) count += 1;
      }),
      { numRuns: 20_000 },
    );
    assert.ok(count > 50, `${count}`);
  });
});
