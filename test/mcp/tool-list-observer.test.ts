import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createToolListObserver } from '../../src/mcp/tool-list-observer.ts';
import { cut } from './raw-json.ts';

const list = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b"},{"x":1}]}}';
const json = ['content-type', 'Application/JSON; charset=utf-8'];
const events = ['content-type', 'text/event-stream'];
const padded = `${list.slice(0, -2)},"x":"${'y'.repeat(1_100_000)}"}}`;

const rows: readonly [string, number, string[], string, string[]][] = [
  ['a list in JSON', 200, json, list, ['a', 'b']],
  ['a list in an event', 200, events, `id: 1\ndata: ${list}\n\n`, ['a', 'b']],
  [
    'lists in several events',
    200,
    events,
    `:\n\ndata: ${list}\n\ndata: x\n\ndata: ${list}\n\n`,
    ['a', 'b', 'a', 'b'],
  ],
  ['an error', 200, json, '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}', []],
  ['prompts', 200, json, '{"result":{"prompts":[{"name":"p"}]}}', []],
  ['no JSON', 200, json, '<html>', []],
  ['nothing', 200, json, '', []],
  ['another media type', 200, ['content-type', 'text/plain'], list, []],
  ['no media type', 200, [], list, []],
  ['an encoded body', 200, [...json, 'content-encoding', 'gzip'], list, []],
  ['another status', 404, json, list, []],
  ['a list that is too long', 200, json, padded, []],
  ['an event that is too long', 200, events, `data: ${padded}\n\n`, []],
];
for (const [name, status, headers, body, expected] of rows) {
  test(`${name} teaches ${expected.length === 0 ? 'nothing' : expected.join(', ')}`, () => {
    for (const lengths of [[], [1], [7, 3]]) {
      if (body.length > 10_000 && lengths[0] === 1) continue;
      const learnt: string[] = [];
      const observer = createToolListObserver((names) => learnt.push(...names));
      observer.onHead(status, headers);
      for (const piece of cut(Buffer.from(body), lengths)) {
        const memory = Uint8Array.from(piece);
        observer.push(memory);
        memory.fill(0x21);
      }
      observer.end();
      assert.deepEqual(learnt, expected);
    }
  });
}
