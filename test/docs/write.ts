import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { readmeTables, withTables } from './tables.ts';

const file = new URL('../../README.md', import.meta.url);
const text = withTables(readFileSync(file, 'utf8'), await readmeTables());
writeFileSync(file, await format(text, { parser: 'markdown', printWidth: 100 }));
process.exit(0);
