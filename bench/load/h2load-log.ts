import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** What h2load wrote down of each request of a run that was over in time. */
export interface H2loadLog {
  readonly rows: number;
  /** Requests without an answer. */
  readonly failed: number;
  /** How often each status came. */
  readonly statuses: ReadonlyMap<number, number>;
  /**
   * The time within which so many of the answers had come, in milliseconds: of all of them, nothing is estimated.
   * 0 where there were none.
   *
   * @param percent more than 0, at most 100
   */
  percentileMs(percent: number): number;
}

/** Start in microseconds since 1970, status or -1, microseconds; there may be more columns one day. */
const ROW = /^\d+\t(-1|\d{3})\t(\d+)(?:\t|$)/;

/**
 * Reads the file of `--log-file`, a row at a time.
 *
 * @throws Error at a row of another form
 */
export async function readH2loadLog(file: string): Promise<H2loadLog> {
  const statuses = new Map<number, number>();
  const times = new Map<number, number>();
  let rows = 0;
  let failed = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [, status, microseconds] = ROW.exec(line) ?? [];
    if (status === undefined) throw new Error(`h2load wrote: ${line.slice(0, 200)}`);
    rows += 1;
    if (status === '-1') failed += 1;
    else {
      add(statuses, Number(status));
      add(times, Number(microseconds));
    }
  }
  const answers = rows - failed;
  const sorted = [...times].sort(([a], [b]) => a - b);
  return {
    ...{ rows, failed, statuses },
    percentileMs(percent) {
      const rank = Math.ceil((answers * percent) / 100);
      let seen = 0;
      for (const [microseconds, count] of sorted) {
        seen += count;
        if (seen >= rank) return microseconds / 1000;
      }
      return 0;
    },
  };
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
