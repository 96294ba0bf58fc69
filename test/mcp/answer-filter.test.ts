import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  createAnswerFilter,
  type AnswerFilter,
  type AnswerFilterOptions,
  type AnswerMode,
} from '../../src/mcp/answer-filter.ts';
import { cut } from './raw-json.ts';

const listRequest = { id: 1, method: 'tools/list', era: 'legacy' } as const;
const callRequest = { id: 1, method: 'tools/call', era: 'legacy' } as const;
const isVisible = (_kind: string, name: string): boolean => !name.includes('secret');

function make(options: Partial<AnswerFilterOptions> = {}): AnswerFilter {
  return createAnswerFilter({
    request: listRequest,
    isVisible,
    ids: null,
    holds: 'results',
    maxBytes: 10_000,
    ...options,
  });
}

const list = (names: readonly string[]): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"tools":[${names.map((name) => `{"name":"${name}"}`).join(',')}]}}`;

/** Runs a whole answer through a filter; its memory is overwritten after each push, but for one that is the last. */
function run(
  filter: AnswerFilter,
  type: string,
  body: string | Uint8Array,
  lengths: readonly number[] = [],
  saysLast = false,
): { mode: AnswerMode; out: string; fault: AnswerFilter['fault'] } {
  const mode = filter.onHead(200, ['content-type', type]);
  const parts: Buffer[] = [];
  const note = (pieces: readonly Uint8Array[]): void => {
    for (const piece of pieces) parts.push(Buffer.from(piece));
  };
  const pieces = cut(Buffer.from(body), lengths);
  for (const [index, piece] of pieces.entries()) {
    const memory = Uint8Array.from(piece);
    const isLast = saysLast && index === pieces.length - 1;
    note(filter.push(memory, isLast));
    if (!isLast) memory.fill(0x21);
  }
  note(filter.end());
  return { mode, out: Buffer.concat(parts).toString('latin1'), fault: filter.fault };
}

type Request = AnswerFilterOptions['request'];
const modes: readonly (readonly [string, Request, number, string[], AnswerMode])[] = [
  ['JSON', listRequest, 200, ['content-type', 'application/json'], 'json'],
  [
    'JSON in capitals with parameters',
    listRequest,
    200,
    ['content-type', 'Application/JSON ; charset=utf-8'],
    'json',
  ],
  ['events', listRequest, 200, ['content-type', 'text/event-stream'], 'events'],
  [
    'events in capitals with parameters',
    listRequest,
    200,
    ['content-type', 'TEXT/Event-Stream;charset=utf-8'],
    'events',
  ],
  ['JSON under another success', listRequest, 201, ['content-type', 'application/json'], 'json'],
  ['text', listRequest, 200, ['content-type', 'text/plain'], 'fault'],
  [
    'a part of JSON',
    listRequest,
    206,
    ['content-type', 'multipart/byteranges; boundary=x'],
    'fault',
  ],
  ['JSON-like', listRequest, 200, ['content-type', 'application/json-seq'], 'fault'],
  ['two types in one', listRequest, 200, ['content-type', 'application/json, text/plain'], 'fault'],
  [
    'two types',
    listRequest,
    200,
    ['content-type', 'text/plain', 'content-type', 'application/json'],
    'fault',
  ],
  ['no type', listRequest, 200, [], 'fault'],
  [
    'gzip',
    listRequest,
    200,
    ['content-encoding', 'gzip', 'content-type', 'application/json'],
    'fault',
  ],
  [
    'events in br',
    listRequest,
    200,
    ['content-type', 'text/event-stream', 'content-encoding', 'BR'],
    'fault',
  ],
  [
    'gzip, then identity',
    listRequest,
    200,
    [
      'content-type',
      'application/json',
      'content-encoding',
      'gzip',
      'content-encoding',
      'identity',
    ],
    'fault',
  ],
  [
    'identity',
    listRequest,
    200,
    ['content-type', 'application/json', 'content-encoding', 'Identity'],
    'json',
  ],
  [
    'accepted, answered on the stream of HTTP+SSE',
    listRequest,
    202,
    ['content-type', 'text/plain'],
    'pass',
  ],
  ['an HTTP error', listRequest, 400, ['content-type', 'application/json'], 'pass'],
  ['a server that is gone', listRequest, 503, ['content-type', 'text/html'], 'pass'],
  ['a redirection', listRequest, 307, [], 'pass'],
  ['no content', listRequest, 204, [], 'pass'],
  ['JSON to a call', callRequest, 200, ['content-type', 'application/json'], 'json'],
  [
    'gzip to a call',
    callRequest,
    200,
    ['content-type', 'application/json', 'content-encoding', 'gzip'],
    'fault',
  ],
  ['text to a call', callRequest, 200, ['content-type', 'text/plain'], 'pass'],
  ['events to a GET', null, 200, ['content-type', 'text/event-stream'], 'events'],
  ['a GET that is not allowed', null, 405, ['allow', 'POST'], 'pass'],
  ['a notification', null, 202, [], 'pass'],
];

for (const [what, request, status, headers, expected] of modes) {
  test(`the head of an answer tells what becomes of it: ${what}`, () => {
    const filter = make({ request });
    assert.equal(filter.onHead(status, headers), expected);
    assert.equal(filter.fault !== null, expected === 'fault');
    if (expected === 'fault') {
      assert.deepEqual(filter.push(Buffer.from(list(['a']))), []);
      assert.deepEqual(filter.end(), []);
    }
  });
}

test('a filter that was told of no head lets nothing out', () => {
  const filter = make();
  assert.deepEqual(filter.push(Buffer.from('secret')), []);
  assert.deepEqual(filter.end(), []);
});

test('JSON is held back until it is whole, then filtered', () => {
  const filter = make();
  filter.onHead(200, ['content-type', 'application/json']);
  const body = Buffer.from(list(['a', 'secret', 'b']));
  for (const octet of body) assert.deepEqual(filter.push(Uint8Array.of(octet)), []);
  assert.equal(Buffer.concat(filter.end()).toString(), list(['a', 'b']));
  assert.equal(filter.fault, null);
});

test('a JSON answer is filtered alike whether or not its last piece is said to be it', () => {
  const bodies = [list(['a', 'secret']), list(['a']), `[${list([])}]`, '{', '"\u00e9"'];
  for (const body of bodies) {
    for (const lengths of [[], [1], [13], [40]]) {
      const expected = run(make(), 'application/json', body, lengths);
      assert.deepEqual(run(make(), 'application/json', body, lengths, true), expected);
      const bound = { maxBytes: body.length - 1 };
      const { out, fault } = run(make(bound), 'application/json', body, lengths, true);
      assert.deepEqual([out, fault], ['', 'the answer is too large']);
    }
  }
});

test('JSON that needs no change comes out as it came', () => {
  assert.equal(run(make(), 'application/json', ` ${list(['a'])}\n`, [7]).out, ` ${list(['a'])}\n`);
});

test('an answer without a body is a fault, but for a notification it is none', () => {
  assert.equal(run(make(), 'application/json', '').fault, 'not JSON');
  const filter = make({ request: null });
  assert.equal(filter.onHead(202, ['content-type', 'application/json']), 'json');
  assert.deepEqual(filter.end(), []);
  assert.equal(filter.fault, null);
});

test('a JSON answer is bounded, wherever it is cut', () => {
  const body = list(['a']);
  for (const lengths of [[], [1], [13]]) {
    const exact = run(make({ maxBytes: body.length }), 'application/json', body, lengths);
    assert.deepEqual(exact, { mode: 'json', out: body, fault: null });
    const short = run(make({ maxBytes: body.length - 1 }), 'application/json', body, lengths);
    assert.deepEqual(short, { mode: 'json', out: '', fault: 'the answer is too large' });
  }
});

test('a JSON answer that can not be read lets nothing out', () => {
  const { out, fault } = run(make(), 'application/json', `[${list(['secret'])}]`);
  assert.equal(out, '');
  assert.equal(fault, 'a batch');
});

const progress =
  'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n';

test('of an event stream only the event with the list changes', () => {
  const stream = (answer: string): string =>
    `\ufeffid: 1\ndata: \n\n: keep-alive\r\n\r\nretry: 500\r\r${progress}` +
    `: before\nevent: message\nid: s_2\ndata:${answer}\nunknown: 1\n\n${progress}data: {"x":1,\ndata: "y":2}\n\n`;
  const { out, fault } = run(make(), 'text/event-stream', stream(list(['secret', 'a'])));
  assert.equal(fault, null);
  assert.equal(out, Buffer.from(stream(list(['a']))).toString('latin1'));
});

test('a list in several data lines is filtered', () => {
  const text =
    'data: {"id":1,"result":{"tools":[\ndata: {"name":"secret"},\ndata: {"name":"a"}\ndata: ]}}\n\n';
  assert.equal(
    run(make(), 'text/event-stream', text).out,
    'data: {"id":1,"result":{"tools":[\ndata: {"name":"a"}\ndata: ]}}\n\n',
  );
});

test('a list event cut short by the end of the stream is not handed on', () => {
  for (const end of ['', '\n', '\r\n']) {
    const { out, fault } = run(
      make(),
      'text/event-stream',
      `${progress}data: ${list(['secret'])}${end}`,
    );
    assert.deepEqual({ out, fault }, { out: progress, fault: null });
  }
});

test('the last event of a stream that ends in CR where CRLF was the rule is filtered', () => {
  const { out } = run(make(), 'text/event-stream', `data: ${list(['secret'])}\r\n\r`);
  assert.equal(out, `data: ${list([])}\r\n\r`);
});

test('a fault in a stream lets out what came before it and nothing after', () => {
  for (const bad of [
    'data: no JSON\n\n',
    `data: [${list(['secret'])}]\n\n`,
    `data: ${'x'.repeat(10_000)}\n\n`,
  ]) {
    const { out, fault } = run(
      make(),
      'text/event-stream',
      `${progress}${bad}data: ${list(['a'])}\n\n`,
    );
    assert.equal(out, progress);
    assert.notEqual(fault, null);
  }
});

test('events of other types need not be messages, but lists in them are filtered', () => {
  const endpoint = 'event: endpoint\ndata: /message?sessionId=1\n\n';
  assert.equal(run(make({ request: null }), 'text/event-stream', endpoint).out, endpoint);
  assert.equal(
    run(make(), 'text/event-stream', `event: x\ndata: ${list(['secret'])}\n\n`).out,
    `event: x\ndata: ${list([])}\n\n`,
  );
});

test('a list on the stream of another request, or of none, is filtered', () => {
  for (const request of [callRequest, null]) {
    const event = (names: readonly string[]): string => `data: ${list(names)}\n\n`;
    assert.equal(
      run(make({ request }), 'text/event-stream', event(['secret', 'a'])).out,
      event(['a']),
    );
    assert.equal(
      run(make({ request }), 'application/json', list(['secret', 'a'])).out,
      list(['a']),
    );
  }
});

test('an update of a hidden resource is dropped; its id stays', () => {
  const updated = (uri: string): string =>
    `data: {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"${uri}"}}\n`;
  const { out } = run(
    make({ request: null }),
    'text/event-stream',
    `id: 1\n${updated('test://open')}\nevent: message\nid: 2\n${updated('test://secret')}\n${updated('test://secret')}\n`,
  );
  assert.equal(out, `id: 1\n${updated('test://open')}\nid: 2\n\n`);
});

test('events that pass make one piece that shares the memory of what came', () => {
  const filter = make({ request: null });
  filter.onHead(200, ['content-type', 'text/event-stream']);
  const piece = Buffer.from(progress.repeat(20));
  const out = filter.push(piece);
  assert.equal(out.length, 1);
  assert.equal(out[0]?.buffer, piece.buffer);
  assert.equal(out[0].length, piece.length);
});

const streamParts = fc.array(
  fc.oneof(
    fc.constantFrom(
      '\n',
      ': c\n\n',
      'id: 4\ndata:\n\n',
      'retry: 1\r\n\r\n',
      progress,
      'data: 1\r\r',
    ),
    fc
      .array(fc.constantFrom('a', 'secret', 'b', 'secret2'), { maxLength: 4 })
      .map((names) => ({ names })),
  ),
  { maxLength: 12 },
);

test('random streams: cut anywhere, only the hidden items are gone; all-visible streams are untouched', () => {
  fc.assert(
    fc.property(
      streamParts,
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
      (parts, lengths) => {
        const text = (see: (name: string) => boolean): string =>
          parts
            .map((part) =>
              typeof part === 'string' ? part : `id: 9\ndata: ${list(part.names.filter(see))}\n\n`,
            )
            .join('');
        const whole = text(() => true);
        const request = null;
        assert.deepEqual(
          run(make({ request, isVisible: () => true }), 'text/event-stream', whole, lengths),
          { mode: 'events', out: whole, fault: null },
        );
        assert.deepEqual(run(make({ request }), 'text/event-stream', whole, lengths), {
          mode: 'events',
          out: text((name) => !name.includes('secret')),
          fault: null,
        });
      },
    ),
    { numRuns: 800 },
  );
});

test('random octets never throw, and never let out a name they should not', () => {
  const noise = fc.uint8Array({ maxLength: 30 });
  const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 });
  fc.assert(
    fc.property(
      noise,
      noise,
      lengths,
      fc.constantFrom('application/json', 'text/event-stream'),
      (before, after, sizes, type) => {
        const body = Buffer.concat([before, Buffer.from(`\ndata: ${list(['secret'])}\n\n`), after]);
        const { out } = run(make(), type, body, sizes);
        assert.ok(!out.includes('secret'));
      },
    ),
    { numRuns: 1500 },
  );
});

test('a tool has failed where its result says true, and nothing else', () => {
  const rows = [
    ['true', 'tool_error'],
    ['false', 'ok'],
    ['null', 'ok'],
    ['"true"', 'ok'],
    ['["true"]', 'ok'],
    ['1', 'ok'],
  ] as const;
  for (const [value, outcome] of rows) {
    const filter = make({ request: callRequest });
    run(filter, 'application/json', `{"id":1,"result":{"isError":${value},"content":[]}}`);
    assert.equal(filter.outcome, outcome, value);
  }
});
