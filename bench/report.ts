import { limitOf, type Report, type SubjectResult } from './result.ts';

const COLUMNS = [
  ...['subject', 'duty', 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms', 'p99.9 ms'],
  ...['memory MiB', 'limit', 'wrong'],
];

/** A run as Markdown tables, one a scenario. Latency is taken at half of the requests/s, at most 15,000/s. */
export function renderReport({ scenarios, studies }: Report): string {
  const tables = scenarios.map(({ name, title, results }) => {
    const rows = results.map((result) => row(result));
    const lines = [COLUMNS, COLUMNS.map(() => '---'), ...rows].map(
      (cells) => `| ${cells.join(' | ')} |`,
    );
    return `**${name}**: ${title}\n\n${lines.join('\n')}\n`;
  });
  const findings = studies.map(({ name, title, found }) => {
    const rows = Object.entries(found).map(([what, value]) => `| ${what} | ${plain(value)} |`);
    return `**${name}**: ${title}\n\n| | |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  return [...tables, ...findings].join('\n');
}

function plain(value: number): string {
  return Number.isInteger(value) || value >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : value.toFixed(2);
}

function row({ subject, version, duty, median, latency }: SubjectResult): readonly string[] {
  const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(2));
  const isDirect = subject === 'direct';
  return [
    isDirect ? 'none (direct)' : `${subject} ${version}`,
    isDirect ? '-' : duty,
    Math.round(median.requestsPerSecond).toLocaleString('en-US'),
    isDirect ? '-' : median.cpuMicroseconds.toFixed(1),
    ms(latency?.p50Ms),
    ms(latency?.p99Ms),
    ms(latency?.p999Ms),
    isDirect ? '-' : median.residentMib.toFixed(0),
    limitOf(median),
    String(median.unexpected + median.errors + (latency?.errors ?? 0)),
  ];
}
