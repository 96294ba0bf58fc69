import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerHeadText } from '../../src/accept/answer-head-text.ts';
import { statusLine } from '../../src/accept/status-line.ts';

function plainly(status: string, headers: readonly string[]): string {
  let text = status;
  for (let index = 0; index < headers.length; index += 2) {
    text += `\r\n${headers[index]}: ${headers[index + 1]}`;
  }
  return text;
}

test('whatever was written before, a head has its own status and fields', () => {
  const name = fc.constantFrom('x-a', 'x-b', 'content-type');
  const value = fc.constantFrom('', 'a', 'b', 'ab', 'bb', 'c'.repeat(600));
  const heads = fc.array(
    fc.tuple(fc.integer({ min: 200, max: 599 }), fc.array(fc.tuple(name, value), { maxLength: 3 })),
    { minLength: 2, maxLength: 20 },
  );
  fc.assert(
    fc.property(heads, (list) => {
      for (const [status, fields] of [...list, ...list]) {
        const headers = fields.flat();
        assert.equal(answerHeadText(status, [...headers]), plainly(statusLine(status), headers));
      }
    }),
    { numRuns: 500 },
  );
});

test('a list that is changed afterwards changes no head', () => {
  const headers = ['x-a', 'one'];
  answerHeadText(200, headers);
  // Of the same length and end, so that it is looked for in the same place.
  headers[1] = 'ane';
  assert.equal(answerHeadText(200, headers), '200 OK\r\nx-a: ane');
  assert.equal(answerHeadText(200, ['x-a', 'one']), '200 OK\r\nx-a: one');
});

for (const value of ['a\r\nx-b: c', 'a\nb', '\0', 'é', '\x7f', '\u2028']) {
  test(`${JSON.stringify(value)} is not written, however often it comes`, () => {
    for (let count = 0; count < 3; count += 1) {
      assert.equal(answerHeadText(200, ['x-a', 'b', 'x-c', value]), null);
    }
  });
}
