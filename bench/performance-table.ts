import { readFileSync } from 'node:fs';
import { limitOf, type Report, type SubjectResult } from './result.ts';

/** The run that the README shows. */
export const README_RUN = new URL('results/readme.json', import.meta.url);

/** How a scenario is called where nobody knows the names of the suite. */
const SCENARIOS: Readonly<Record<string, string>> = {
  tool: 'JWT, claim rule and tool rule',
  claim: 'JWT and claim rule',
  plain: 'no token, no rule',
  session: 'the headline in a session',
  'session-sse': 'the same, answered in an event stream',
  'list-100': 'a list of 100 tools, filtered',
};

/**
 * The README's account of speed, from the kept run alone.
 *
 * @returns Markdown: a table with one row for each scenario and subject, then the machine, the command and who was absent
 */
export function performanceTable(): string {
  const report: unknown = JSON.parse(readFileSync(README_RUN, 'utf8'));
  if (!isReport(report)) throw new Error(`${README_RUN.pathname} is no result of npm run bench`);
  const { machine, absent, scenarios, studies } = report;
  const head = ['scenario', 'proxy', 'does', 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms'];
  const rows = scenarios.flatMap(({ name, results }) =>
    results.map((result) => [SCENARIOS[name] ?? name, ...cells(result)]),
  );
  const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const findings = studies.flatMap(({ title, found }) => [
    '',
    `${title.charAt(0).toUpperCase()}${title.slice(1)}:`,
    '',
    ...Object.entries(found).map(([what, value]) => `- ${what}: ${value.toFixed(2)}`),
  ]);
  const { cpu, cores, memoryGib, kernel, node, commit, date, command } = machine;
  return [
    ...lines,
    ...findings,
    '',
    `Taken on ${date.slice(0, 10)} with \`${command}\`: ${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel},`,
    `Node ${node}, commit ${commit}. Each proxy has one core, load and upstream share another; medians of`,
    `${scenarios[0]?.results[0]?.rounds.length ?? 0} rounds in turn; latency at half of each one's own requests/s.`,
    absent.length === 0 ? '' : `Absent: ${absent.join(', ')}.`,
  ].join('\n');
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'machine' in value && 'scenarios' in value;
}

function cells({ subject, version, duty, median, latency }: SubjectResult): readonly string[] {
  const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(2));
  const isDirect = subject === 'direct';
  const limit = limitOf(median);
  return [
    isDirect ? 'none (direct)' : `${subject} ${version}`,
    isDirect ? '-' : (SCENARIOS[duty] ?? duty),
    Math.round(median.requestsPerSecond).toLocaleString('en-US') +
      (limit === 'proxy' ? '' : ` (limit: ${limit})`),
    isDirect ? '-' : median.cpuMicroseconds.toFixed(1),
    ms(latency?.p50Ms),
    ms(latency?.p99Ms),
  ];
}
