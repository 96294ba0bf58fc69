/** SECURITY.md names a test for each promise; the tests are there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('SECURITY.md', root), 'utf8');
const promises = [...page.matchAll(/^\| (\d+) +\| ([^|]+) \| ([^|]+) \|$/gm)];

test('the promises are numbered one after the other', () => {
  assert.ok(promises.length > 20);
  assert.deepEqual(
    promises.map(([, number]) => Number(number)),
    promises.map((_, index) => index + 1),
  );
});

for (const [, number = '', text = '', shownBy = ''] of promises) {
  test(`promise ${number} is shown by tests that exist: ${text.trim().slice(0, 60)}`, () => {
    const files = [...shownBy.matchAll(/`(test\/[^`]+\.test\.ts)`/g)].map(([, file]) => file ?? '');
    assert.ok(files.length > 0);
    for (const file of files) assert.ok(existsSync(new URL(file, root)), `${file} is not there`);
  });
}
