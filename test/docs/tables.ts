/** The README's tables, made from the code. `npm run docs` writes them, a test compares them. */

import { performanceTable } from '../../bench/performance-table.ts';
import { refusals } from '../../src/errors.ts';
import { optionRows } from '../../src/options.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { createPrimaryMetrics } from '../../src/record/primary-metrics.ts';
import { kinds } from '../../src/resources/kinds/catalogue.ts';

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const code = (text: string) => `\`${text}\``;

function optionsTable(): string {
  const rows = optionRows().map(({ flag, variable, fallback, help }) => [
    code(flag),
    code(variable),
    code(fallback),
    help,
  ]);
  return table(['option', 'variable', 'default', 'meaning'], rows);
}

function kindsTable(): string {
  const rows = Object.values(kinds).map(({ kind, group, versions }) => [
    kind,
    versions.map((version) => (group === '' ? version : `${group}/${version}`)).join(', '),
  ]);
  return table(['kind', 'group and version'], rows);
}

function errorsTable(): string {
  const rows = Object.values(refusals).map(({ code: name, status, reason, text }) => [
    code(name),
    String(status),
    reason,
    text,
  ]);
  return table(['code', 'status', 'reason', 'text'], rows);
}

async function metricsTable(): Promise<string> {
  const worker = createMetrics({ accessLog: { dropped: 0, failures: 0 } });
  const primary = createPrimaryMetrics({ version: '', collectWorkers: () => Promise.resolve('') });
  const text = `${(await primary.text()).body}\n${await worker.text()}`;
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
  const rows = [...text.matchAll(/^# HELP (postern_\S+) (.*)$/gm)].map(
    ([, name = '', help = '']) => [code(name), types.get(name) ?? '', help],
  );
  return table(['metric', 'type', 'meaning'], rows);
}

/** Each table by the name that its markers have in the README. */
export async function readmeTables(): Promise<Readonly<Record<string, string>>> {
  return {
    options: optionsTable(),
    kinds: kindsTable(),
    errors: errorsTable(),
    metrics: await metricsTable(),
    performance: performanceTable(),
  };
}

/** The text with what stands between each pair of markers replaced. */
export function withTables(text: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce((result, [name, content]) => {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [start, end] = [result.indexOf(open), result.indexOf(close)];
    if (start < 0 || end < start) throw new Error(`the README has no markers for ${name}`);
    return `${result.slice(0, start + open.length)}\n\n${content}\n\n${result.slice(end)}`;
  }, text);
}
