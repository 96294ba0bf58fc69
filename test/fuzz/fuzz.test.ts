import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readCorpus } from './corpus.ts';
import { checkInTime, fuzz } from './target.ts';
import { targets } from './targets.ts';

const EACH_MS = 700;

for (const target of targets) {
  describe(`the parser ${target.name}`, () => {
    test('keeps its promises for what once broke it, and for its seeds', () => {
      for (const input of [...readCorpus(target.name), ...target.seeds]) {
        checkInTime(target, input);
      }
    });

    test('keeps its promises for random inputs', () => {
      const failure = fuzz(target, EACH_MS);
      assert.equal(failure, null, failure === null ? '' : describeFailure(failure));
    });
  });
}

test('every corpus belongs to a parser', () => {
  const names = new Set(targets.map(({ name }) => `${name}.json`));
  for (const file of readdirSync(new URL('corpus/', import.meta.url))) {
    assert.ok(names.has(file) || file === 'README.md', file);
  }
});

function describeFailure({ input, error }: { input: string; error: unknown }): string {
  return `${JSON.stringify(input)}: ${error instanceof Error ? error.message : String(error)}`;
}
