import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { format } from 'prettier';
import { readmeTables, withTables } from './tables.ts';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

// prom-client's collectors listen on the process for as long as it runs.
after(() => setImmediate(() => process.exit()));

test('the tables of the README are those of the code (npm run docs writes them)', async () => {
  const readme = read('README.md');
  const expected = await format(withTables(readme, await readmeTables()), {
    parser: 'markdown',
    printWidth: 100,
  });
  assert.equal(readme, expected);
});

test('every file that the README and SECURITY.md name exists', () => {
  for (const page of ['README.md', 'SECURITY.md']) {
    const named = read(page).matchAll(/`((?:config|src|test)\/[\w./-]*[\w/])`/g);
    for (const [, path = ''] of named) assert.ok(exists(path), `${page} names ${path}`);
  }
});

function exists(path: string): boolean {
  try {
    return readFileSync(new URL(`../../${path}`, import.meta.url)).length >= 0;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EISDIR';
  }
}
