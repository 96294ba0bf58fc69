import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusLine } from '../../src/accept/status-line.ts';

const rows: readonly [status: number, line: string][] = [
  [200, '200 OK'],
  [204, '204 No Content'],
  [403, '403 Forbidden'],
  [421, '421 Misdirected Request'],
  [431, '431 Request Header Fields Too Large'],
  [299, '299 '],
  [599, '599 '],
  [999, '999 '],
];
for (const [status, line] of rows) {
  test(`${status} is written as "${line}"`, () => assert.equal(statusLine(status), line));
}
