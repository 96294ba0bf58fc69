import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEventSplitter } from '../../src/mcp/event-stream.ts';
import { EventBlock } from '../../src/mcp/event-block.ts';
import { cut } from './raw-json.ts';

interface Read {
  readonly raw: string;
  readonly data: string | null;
  readonly type: string;
  readonly id: string | null;
}

function split(pieces: readonly Uint8Array[], maxEventBytes = 1 << 20): Read[] {
  const splitter = createEventSplitter({ maxEventBytes });
  const read: Read[] = [];
  const note = ({ raw, data, type, id }: EventBlock): void => {
    read.push({ raw: raw.toString('latin1'), data, type, id });
  };
  for (const piece of pieces) {
    const memory = Uint8Array.from(piece);
    splitter.push(memory).forEach(note);
    // The piece's memory is used for something else as soon as push has returned.
    memory.fill(0x21);
  }
  const rest = splitter.end();
  if (rest !== null) note(rest);
  return read;
}

const raws = (text: string): string[] => split([Buffer.from(text)]).map(({ raw }) => raw);

const blockTable: readonly (readonly [string, string, readonly string[]])[] = [
  ['events that end in LF', 'data: a\n\ndata: b\n\n', ['data: a\n\n', 'data: b\n\n']],
  [
    'events that end in CRLF',
    'data: a\r\n\r\ndata: b\r\n\r\n',
    ['data: a\r\n\r\n', 'data: b\r\n\r\n'],
  ],
  ['events that end in CR', 'data: a\r\rdata: b\r\r', ['data: a\r\r', 'data: b\r\r']],
  [
    'mixed line ends',
    'data: a\r\n\ndata: b\n\r\ndata: c\r\n\r',
    ['data: a\r\n\n', 'data: b\n\r', '\ndata: c\r\n\r'],
  ],
  ['comments and blank lines', ': hi\n\n\n:\n\n', [': hi\n\n', '\n', ':\n\n']],
  ['a rest without a blank line', 'data: a\n\ndata: b\n', ['data: a\n\n', 'data: b\n']],
  ['a byte order mark', '\ufeffdata: a\n\n', ['\u00ef\u00bb\u00bfdata: a\n\n']],
  ['nothing', '', []],
];

for (const [what, text, expected] of blockTable) {
  test(`cuts after each blank line: ${what}`, () => {
    assert.deepEqual(raws(text), expected);
  });
}

test('an event that ends in LF, CRLF or CR comes out with its last octet', () => {
  for (const text of ['data: a\n\n', 'data: a\r\n\r\n', 'data: a\r\r']) {
    const splitter = createEventSplitter({ maxEventBytes: 100 });
    const came = [...Buffer.from(text)].map((octet) => splitter.push(Uint8Array.of(octet)).length);
    assert.equal(came.at(-1), 1, JSON.stringify(text));
    assert.equal(
      came.reduce((sum, count) => sum + count),
      1,
    );
  }
});

const fieldTable: readonly (readonly [string, Partial<Read>])[] = [
  ['data: a\n\n', { data: 'a', type: 'message', id: null }],
  ['data:a\n\n', { data: 'a' }],
  ['data:  a \n\n', { data: ' a ' }],
  ['data\n\n', { data: '' }],
  ['data:\n\n', { data: '' }],
  ['data: \n\n', { data: '' }],
  ['data: a\ndata: b\r\ndata\rdata: c\n\n', { data: 'a\nb\n\nc' }],
  ['data\ndata\n\n', { data: '\n' }],
  [': data: a\n\n', { data: null }],
  ['DATA: a\n\n', { data: null }],
  [' data: a\n\n', { data: null }],
  ['data : a\n\n', { data: null }],
  ['dat: a\n\n', { data: null }],
  ['datax: a\n\n', { data: null }],
  ['data: a: b\n\n', { data: 'a: b' }],
  ['event: endpoint\ndata: /x\n\n', { type: 'endpoint', data: '/x' }],
  ['event: a\nevent: b\ndata: x\n\n', { type: 'b' }],
  ['event:\ndata: x\n\n', { type: 'message' }],
  ['id: 7\ndata: \n\n', { id: '7', data: '' }],
  ['id: 7\nid: 8\n\n', { id: '8', data: null }],
  ['id\n\n', { id: '' }],
  ['id: 7\nid: a\0b\n\n', { id: '7' }],
  ['retry: 5\n\n', { data: null, id: null }],
  ['\ufeffdata: a\n\n', { data: 'a' }],
  ['\ufeff\ufeffdata: a\n\n', { data: null }],
  ['data: é\n\n', { data: 'é' }],
];

for (const [text, expected] of fieldTable) {
  test(`reads ${JSON.stringify(text)}`, () => {
    const [block] = split([Buffer.from(text)]);
    assert.ok(block);
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(block[name as keyof Read], value, name);
    }
  });
}

test('a byte order mark counts only at the start of the stream', () => {
  assert.deepEqual(
    split([Buffer.from('data: a\n\n\ufeffdata: b\n\n')]).map(({ data }) => data),
    ['a', null],
  );
});

test('a block may be as long as allowed; one octet more is a fault, wherever it is cut', () => {
  const text = Buffer.from('data: 1\n\ndata: 12345\n\ndata: 2\n\n');
  for (let length = 1; length <= text.length; length += 1) {
    for (const maxEventBytes of [12, 13]) {
      const splitter = createEventSplitter({ maxEventBytes });
      const blocks = cut(text, [length]).flatMap((piece) => splitter.push(piece));
      assert.equal(blocks.length, maxEventBytes === 13 ? 3 : 1);
      assert.equal(splitter.fault, maxEventBytes === 13 ? null : 'an event is too large');
      if (splitter.fault !== null) assert.equal(splitter.end(), null);
    }
  }
});

test('an endless line is a fault before more memory is used', () => {
  const splitter = createEventSplitter({ maxEventBytes: 1000 });
  for (let index = 0; index < 100; index += 1) splitter.push(Buffer.alloc(100, 'x'));
  assert.equal(splitter.fault, 'an event is too large');
});

test('the end tells an event cut short from one that only awaited an LF', () => {
  const end = (text: string): boolean | undefined => {
    const splitter = createEventSplitter({ maxEventBytes: 100 });
    splitter.push(Buffer.from(text));
    return splitter.end()?.isComplete;
  };
  assert.equal(end('data: a\r\n\r'), true);
  assert.equal(end('data: a\r\n'), false);
  assert.equal(end('data: a'), false);
  assert.equal(end('data: a\n\n'), undefined);
});

/** What a browser makes of a whole stream, written after the algorithm of WHATWG HTML, 9.2.6. */
function readAsBrowser(text: string): { data: string; type: string }[] {
  const events: { data: string; type: string }[] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  lines.pop();
  let data = '';
  let type = '';
  for (const line of lines) {
    if (line === '') {
      if (data !== '')
        events.push({ data: data.slice(0, -1), type: type === '' ? 'message' : type });
      data = '';
      type = '';
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data += `${value}\n`;
    if (name === 'event') type = value;
  }
  return events;
}

const streamText = fc
  .array(
    fc.constantFrom(
      '\n',
      '\n',
      '\r\n',
      '\r\n',
      '\r',
      'data: a',
      'data:',
      'data',
      'event: b',
      'id: 1',
      ': c',
      'retry: 1',
      'é',
      '\ufeff',
      ' ',
      'data: {"a":1}',
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

test('random streams, cut anywhere, give the same blocks, all octets, and the events of a browser', () => {
  fc.assert(
    fc.property(
      streamText,
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }),
      (text, lengths) => {
        const bytes = Buffer.from(text);
        const whole = split([bytes]);
        assert.deepEqual(split(cut(bytes, lengths)), whole);
        assert.equal(whole.map(({ raw }) => raw).join(''), bytes.toString('latin1'));
        const splitter = createEventSplitter({ maxEventBytes: 1000 });
        const blocks = [...splitter.push(bytes)];
        const rest = splitter.end();
        if (rest?.isComplete === true) blocks.push(rest);
        assert.deepEqual(
          blocks.flatMap(({ data, type }) => (data === null ? [] : [{ data, type }])),
          readAsBrowser(text),
        );
      },
    ),
    { numRuns: 1500 },
  );
});

test('random octets never throw and never get lost', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (octets, lengths) => {
        const blocks = split(cut(octets, lengths));
        assert.equal(blocks.map(({ raw }) => raw).join(''), Buffer.from(octets).toString('latin1'));
      },
    ),
  );
});

const block = (text: string): EventBlock => new EventBlock(Buffer.from(text), true, true);

test('new data stands where the data stood, in lines written as they were', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['id: 1\ndata: old\n: c\n\n', 'new', 'id: 1\ndata: new\n: c\n\n'],
    ['data:old\r\nevent: m\r\n\r\n', 'new', 'data:new\r\nevent: m\r\n\r\n'],
    ['data: a\nid: 1\ndata: b\n\n', 'x\ny\nz', 'data: x\ndata: y\ndata: z\nid: 1\n\n'],
    ['\ufeffdata: a\ndata: b\n\n', 'x\ny', '\ufeffdata: x\ndata: y\n\n'],
  ];
  for (const [text, data, expected] of table) {
    const replaced = block(text).withData(Buffer.from(data));
    assert.equal(replaced.toString(), expected);
    assert.equal(block(replaced.toString()).data, data);
  }
});

test('a block whose event is taken out keeps its id, retry time and comments', () => {
  assert.equal(
    block('id: 1\nevent: m\ndata: a\ndata: b\n\n').withoutEvent()?.toString(),
    'id: 1\n\n',
  );
  assert.equal(
    block('retry: 9\r\ndata: a\r\n: c\r\n\r\n').withoutEvent()?.toString(),
    'retry: 9\r\n: c\r\n\r\n',
  );
  assert.equal(block('event: m\ndata: a\n\n').withoutEvent(), null);
});

test('a block within one piece shares its memory, and its one data line too', () => {
  const piece = Buffer.from('data: a\n\n');
  const [shared] = createEventSplitter({ maxEventBytes: 100 }).push(piece);
  assert.ok(shared);
  assert.equal(shared.raw.buffer, piece.buffer);
  assert.equal(shared.dataBytes?.buffer, piece.buffer);
});
