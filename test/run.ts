/**
 * Runs every test file under test/, each in a process of its own, and ends with one summary.
 *
 *   node --import tsx test/run.ts                      all of them
 *   node --import tsx test/run.ts flow guide           those whose path contains one of the words
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const FILE_TIMEOUT_MS = 3 * 60 * 1000;

/** These wait on a clock for most of their time: begun first, they cost the whole run the least. */
const SLOW = /long-silence|slow-|soak|guide/;

const here = import.meta.dirname;
const words = process.argv.slice(2);
const files = testFiles(here)
  .filter((file) => words.length === 0 || words.some((word) => relative(here, file).includes(word)))
  .sort((a, b) => Number(SLOW.test(b)) - Number(SLOW.test(a)) || (a < b ? -1 : 1));

let passed = 0;
let failed = 0;
const startedAt = performance.now();
const events = run({
  files,
  // End-to-end tests wait for other processes more than they compute.
  concurrency: availableParallelism() + 1,
  timeout: FILE_TIMEOUT_MS,
});
events.on('test:pass', ({ skip, details }) => {
  if (skip === undefined && details.type !== 'suite') passed += 1;
});
events.on('test:fail', () => (failed += 1));
events.pipe(new spec()).pipe(process.stdout);
process.on('exit', (code) => {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const succeeded = code === 0 && failed === 0 && passed > 0;
  process.stdout.write(
    `\n${succeeded ? 'PASS' : 'FAIL'}: ${passed} passed, ${failed} failed, ${files.length} files, ${seconds} s\n`,
  );
  process.exitCode = succeeded ? 0 : 1;
});

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(path);
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}
