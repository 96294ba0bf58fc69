import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventBoundary } from '../../src/forward/event-boundary.ts';

function isBetween(...pieces: readonly string[]): boolean {
  const boundary = new EventBoundary();
  for (const piece of pieces) boundary.see(Buffer.from(piece));
  return boundary.isBetweenEvents;
}

const rows: readonly [pieces: readonly string[], between: boolean][] = [
  [[], true],
  [[''], true],
  [['data: 1\n\n'], true],
  [['data: 1\r\r'], true],
  [['data: 1\r\n\r\n'], true],
  [['data: 1\n\r\n'], true],
  [['data: 1\r\r\n'], true],
  [['data: 1\n\r'], true],
  [['data: 1\r\n\r'], true],
  [['data: 1\n', '\n'], true],
  [['data: 1\r', '\n', '\r', '\n'], true],
  [['data: 1\r\n', '\r\n'], true],
  [['\n'], true],
  [['d'], false],
  [['data: 1'], false],
  [['data: 1\n'], false],
  [['data: 1\r'], false],
  [['data: 1\r\n'], false],
  [['data: 1\r', '\n'], false],
  [['data: 1\n\n', 'id: 2\n'], false],
  [['data: 1\n\nd'], false],
];
for (const [pieces, between] of rows) {
  test(`${JSON.stringify(pieces)} ends ${between ? 'between two events' : 'within an event'}`, () => {
    assert.equal(isBetween(...pieces), between);
  });
}

/** What a reader makes of a stream (WHATWG HTML, 9.2.6), as far as data and ids go. */
function eventsOf(stream: string): string[] {
  const events: string[] = [];
  let fields: string[] = [];
  const lines = stream.split(/\r\n|\n|\r/);
  // What follows the last line end is no line.
  for (const line of lines.slice(0, -1)) {
    if (line === '') {
      if (fields.some((field) => field.startsWith('data'))) events.push(fields.join('|'));
      fields = [];
    } else if (!line.startsWith(':')) {
      fields.push(line);
    }
  }
  return events;
}

test('a comment put in wherever it may changes no event, however the stream is cut', () => {
  const part = fc.constantFrom('data: a', 'data:b', 'id: 1', ':c', '\n', '\r', '\r\n', '\n\n');
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 12 }), (cut) => {
      const pieces = cut.map((parts) => parts.join(''));
      const boundary = new EventBoundary();
      let kept = '';
      for (const piece of pieces) {
        boundary.see(Buffer.from(piece));
        kept += piece;
        if (boundary.isBetweenEvents) kept += ':\n\n';
      }
      assert.deepEqual(eventsOf(kept), eventsOf(pieces.join('')));
    }),
    { numRuns: 2000 },
  );
});
