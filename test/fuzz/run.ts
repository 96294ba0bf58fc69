/**
 * `npm run fuzz -- --minutes N [--target NAME]`: attacks every parser in turn until the time is up. What breaks
 * one is made small, printed, and kept in test/fuzz/corpus, which the tests replay.
 */
import { parseArgs } from 'node:util';
import { addToCorpus } from './corpus.ts';
import { fuzz } from './target.ts';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, target: { type: 'string' } },
});
const minutes = Number(values.minutes);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (!(minutes > 0)) throw new Error('--minutes must be a positive number');
if (chosen.length === 0) {
  throw new Error(`--target must be one of ${targets.map(({ name }) => name).join(', ')}`);
}

/** One target after another, so that a short run sees all of them. */
const turnMs = Math.min(5000, (minutes * 60_000) / chosen.length);
const end = Date.now() + minutes * 60_000;
const found = new Map<string, string>();
for (let turn = 0; Date.now() < end; turn += 1) {
  const target = chosen[turn % chosen.length];
  if (target === undefined) break;
  if (found.has(target.name)) {
    if (found.size === chosen.length) break;
    continue;
  }
  const failure = fuzz(target, Math.min(turnMs, end - Date.now()));
  if (failure === null) continue;
  found.set(target.name, failure.input);
  addToCorpus(target.name, failure.input);
  const why = failure.error instanceof Error ? failure.error.message : String(failure.error);
  process.stdout.write(`FOUND ${target.name}: ${JSON.stringify(failure.input)}\n  ${why}\n`);
}
process.stdout.write(
  `${found.size === 0 ? 'PASS' : 'FAIL'}: ${chosen.length} parsers, ${minutes} minutes, ${found.size} broken\n`,
);
if (found.size > 0) process.exitCode = 1;
