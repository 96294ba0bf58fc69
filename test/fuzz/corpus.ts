/** Inputs that once broke a parser, kept so that they never do again: one JSON list for each target. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

function fileOf(name: string): string {
  return fileURLToPath(new URL(`corpus/${name}.json`, import.meta.url));
}

/** @returns none where nothing was found yet */
export function readCorpus(name: string): readonly string[] {
  const file = fileOf(name);
  if (!existsSync(file)) return [];
  const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list;
  throw new Error(`${file} is not a list of texts`);
}

/** Adds a finding, unless it is there. */
export function addToCorpus(name: string, input: string): void {
  const inputs = new Set([...readCorpus(name), input]);
  writeFileSync(fileOf(name), `${JSON.stringify([...inputs], null, 2)}\n`);
}
