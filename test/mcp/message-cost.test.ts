/**
 * What a large body costs the event loop, as a multiple of what JSON.parse takes for the same text in the same run:
 * nothing that a client or a server can send takes out of proportion to its size.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filterMessage } from '../../src/mcp/filter-message.ts';
import { readMessage } from '../../src/mcp/read-message.ts';

const MIB = 1024 * 1024;
/** Of the time that JSON.parse takes; noise of a busy machine included. */
const MOST_TIMES = 12;
/** A text of four times the size, against four times the time. */
const MOST_GROWTH = 3;
const ATTEMPTS = 4;

const call = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":${args}}}}`;
const answer = (result: string): string => `{"jsonrpc":"2.0","id":1,"result":${result}}`;

/** As many as make up the size, joined by commas. */
const fill = (bytes: number, piece: (index: number) => string): string => {
  const pieces: string[] = [];
  for (let length = 0; length < bytes; length += (pieces.at(-1) ?? '').length + 1) {
    pieces.push(piece(pieces.length));
  }
  return pieces.join(',');
};

const tool = (index: number): string =>
  `{"name":"tool_${index}","description":"does \\"this\\"","inputSchema":{"type":"object","properties":{"a":{"type":"string"}}}}`;
const visible = { expected: null, era: 'legacy', isVisible: () => true } as const;
const hidden = {
  expected: null,
  era: 'legacy',
  isVisible: (_: unknown, name: string) => name.endsWith('7'),
} as const;

const read = (body: Buffer): unknown => readMessage(body);
const rows: readonly (readonly [string, (bytes: number) => string, (body: Buffer) => unknown])[] = [
  ['a call with one long string', (bytes) => call(`"${'x'.repeat(bytes)}"`), read],
  ['a call of escapes', (bytes) => call(`"${'\\u00e9\\n'.repeat(bytes / 8)}"`), read],
  ['a call of text beyond ASCII', (bytes) => call(`"${'漢é'.repeat(bytes / 5)}"`), read],
  [
    'a call with a table of numbers',
    (bytes) => call(`[${fill(bytes, (index) => `${index * 1e12}.5`)}]`),
    read,
  ],
  [
    'a call with many members',
    (bytes) => call(`{${fill(bytes, (index) => `"member ${index}":"${'v'.repeat(20)}"`)}}`),
    read,
  ],
  ['a call of more values than are read', (bytes) => call(`[${fill(bytes, () => '1')}]`), read],
  [
    'a call that is nested too deep',
    (bytes) => call('['.repeat(bytes / 2) + ']'.repeat(bytes / 2)),
    read,
  ],
  ['text that is not JSON at its end', (bytes) => `${call(`"${'x'.repeat(bytes)}"`)}x`, read],
  ['white space', (bytes) => call(' '.repeat(bytes) + '1'), read],
  [
    'a list that is shown whole',
    (bytes) => answer(`{"tools":[${fill(bytes, tool)}]}`),
    (body) => filterMessage(body, visible),
  ],
  [
    'a list of which a tenth is shown',
    (bytes) => answer(`{"tools":[${fill(bytes, tool)}]}`),
    (body) => filterMessage(body, hidden),
  ],
  [
    'a result of one long string',
    (bytes) => answer(`{"content":[{"type":"text","text":"${'x'.repeat(bytes)}"}]}`),
    (body) => filterMessage(body, visible),
  ],
  [
    'a result of escapes',
    (bytes) => answer(`{"content":[{"type":"text","text":"${'\\"'.repeat(bytes / 2)}"}]}`),
    (body) => filterMessage(body, visible),
  ],
  [
    'a result of many values',
    (bytes) => answer(`{"structuredContent":[${fill(bytes, () => '[{}]')}]}`),
    (body) => filterMessage(body, visible),
  ],
];

describe('a large message is read in proportion to its size', () => {
  for (const [name, make, work] of rows) {
    test(name, (t) => {
      const one = Buffer.from(make(MIB));
      const four = Buffer.from(make(4 * MIB));
      let [oneMs, fourMs, parseMs] = [0, 0, 0];
      // What is out of proportion is so each time; a machine that is busy for a moment is not.
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        oneMs = fastestMs(() => work(one));
        fourMs = fastestMs(() => work(four));
        parseMs = fastestMs(() => parse(four));
        if (fourMs < MOST_TIMES * parseMs + 5 && fourMs < MOST_GROWTH * 4 * oneMs + 5) break;
      }
      t.diagnostic(
        `${(fourMs / 4).toFixed(2)} ms per MiB, ${(fourMs / parseMs).toFixed(1)} times JSON.parse`,
      );
      assert.ok(fourMs < MOST_TIMES * parseMs + 5, `${fourMs} ms, JSON.parse ${parseMs} ms`);
      assert.ok(fourMs < MOST_GROWTH * 4 * oneMs + 5, `1 MiB: ${oneMs} ms, 4 MiB: ${fourMs} ms`);
    });
  }
});

/** What any server of the language does with it; of what is refused, as far as it gets. */
function parse(body: Buffer): void {
  try {
    JSON.parse(body.toString('utf8'));
  } catch {
    // The time counts.
  }
}

/** Milliseconds of the fastest of several runs: noise only adds. */
function fastestMs(work: () => unknown): number {
  let fastest = Infinity;
  for (let run = 0; run < 5; run += 1) {
    const startedAtMs = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - startedAtMs);
  }
  return fastest;
}
