/**
 * h2load over HTTP/1.1, for a time. It prints no percentiles and tells 200 from 202 nowhere but in its log, so both
 * come from there. In runs for a time it is silent about connections that break or never come about (they are not
 * opened again and count as no error), so they are looked for in /proc.
 */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSockets } from '../process.ts';
import { readH2loadLog, type H2loadLog } from './h2load-log.ts';
import { parseH2loadSummary, type H2loadSummary } from './h2load-summary.ts';
import { inFolder, runProgram } from './program.ts';
import type { LoadOptions, LoadRequest, LoadResult } from './request.ts';

/** Ten million requests or so. */
const MOST_LOG_BYTES = 256 * 2 ** 20;

/** Why h2load can't send this, or `null`. */
export function unfitForH2load({
  request,
  maxRequests,
}: Pick<LoadOptions, 'request' | 'maxRequests'>): string | null {
  if (request.tokens.length > 1) return 'it sends the same header fields with every request';
  if (maxRequests !== undefined) return 'it ends after a time or after so many requests, not both';
  if (request.method === 'OPTIONS') return 'it sends GET and POST alone';
  // It makes each request that has a body a POST, and each without one a GET.
  const isPost = request.method === 'POST';
  return isPost === (request.body === '')
    ? 'it has no POST without a body, and no GET with one'
    : null;
}

/**
 * Runs h2load with one thread, and a request in flight on each connection.
 *
 * @returns percentiles of all requests; `errors` counts connections that broke (but for the last fifth of a second),
 * those that never came about, and all requests where none was answered. A single request that is never answered is
 * not told: its connection is idle from then on.
 * @throws Error for what {@link unfitForH2load} names, when h2load fails or says what nobody knows, or when its log
 * outgrows 256 MiB
 */
export async function runH2load(options: LoadOptions): Promise<LoadResult> {
  const { connections, seconds, port, request } = options;
  const unfit = unfitForH2load(options);
  if (unfit !== null) throw new Error(`h2load can't do this: ${unfit}`);
  return inFolder(async (folder) => {
    const log = join(folder, 'requests.tsv');
    writeFileSync(log, '');
    const sockets = watchSockets(connections);
    const { text, cpuNanoseconds } = await runProgram(
      options,
      'h2load',
      [
        ...['--h1', '-t1', '-m1', `-c${connections}`, `-D${Math.ceil(seconds * 1000)}ms`],
        ...[`--log-file=${log}`, ...contentOf(request, folder)],
        `http://127.0.0.1:${port}${request.path}`,
      ],
      (pid, printed) => {
        sockets.look(pid, printed);
        return statSync(log).size > MOST_LOG_BYTES ? 'its log is too large, take less time' : null;
      },
    );
    const summary = parseH2loadSummary(text);
    const lost = sockets.missing();
    return { ...resultOf(summary, await readH2loadLog(log), { ...options, lost }), cpuNanoseconds };
  });
}

/**
 * Puts what was printed and what was logged together.
 *
 * @param seen.lost connections that were found to be missing
 * @throws Error when the two do not speak of the same run
 */
export function resultOf(
  { seconds, requests, requestMs, statusClasses }: H2loadSummary,
  log: H2loadLog,
  seen: Pick<LoadOptions, 'connections' | 'expectedStatus'> & { readonly lost: number },
): Omit<LoadResult, 'cpuNanoseconds'> {
  const answers = log.rows - log.failed;
  const classed = Object.values(statusClasses).reduce((sum, one) => sum + one, 0);
  if (
    log.rows !== requests.done ||
    // It prints a hundredth of a unit.
    log.percentileMs(100) < requestMs.max - 0.01 * Math.max(1, requestMs.max) ||
    classed < answers ||
    classed > answers + seen.connections
  ) {
    throw new Error(`h2load logged ${log.rows} requests, and printed ${JSON.stringify(requests)}`);
  }
  const neverStarted = Math.max(0, seen.connections - requests.started);
  const unanswered = requests.done === 0 ? requests.started : 0;
  return {
    tool: 'h2load',
    seconds,
    requests: answers,
    unexpected: answers - (log.statuses.get(seen.expectedStatus) ?? 0),
    errors:
      Math.max(requests.errored, log.failed) +
      requests.timeout +
      Math.max(seen.lost, neverStarted + unanswered),
    p50Ms: log.percentileMs(50),
    p99Ms: log.percentileMs(99),
    p999Ms: log.percentileMs(99.9),
  };
}

function contentOf(request: LoadRequest, folder: string): readonly string[] {
  const [token] = request.tokens;
  const fields = Object.entries({
    ...request.headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  if (request.body === '') return fields;
  const body = join(folder, 'body');
  writeFileSync(body, request.body);
  return [...fields, `--data=${body}`];
}

/** What h2load prints when all connections have had their chance to come about, and before it closes them. */
const MEASURES = 'Main benchmark duration is started';
const MEASURED = 'Main benchmark duration is over';

/** The last look before the end counts, which a busy machine may take too late: so it is the one before the last. */
function watchSockets(connections: number) {
  let seen: number | null = null;
  let open: number | null = null;
  return {
    look(pid: number, printed: string): void {
      const isMeasuring = printed.includes(MEASURES) && !printed.includes(MEASURED);
      if (isMeasuring) open = seen ?? open;
      seen = isMeasuring ? openSockets(pid) : null;
    },
    missing: (): number => (open === null ? 0 : Math.max(0, connections - open)),
  };
}
