/** What the processes of the gate cost while a soak runs: memory, descriptors, event-loop delay. */
import { readdirSync, readFileSync } from 'node:fs';
import { processTree, residentBytes } from '../../test/harness/memory.ts';
import type { SoakSubject } from './subject.ts';

interface MemorySample {
  readonly atMs: number;
  readonly bytes: number;
}

/** The memory of one process over its life. */
export interface MemoryTrend {
  readonly pid: number;
  readonly role: 'primary' | 'worker';
  readonly lifeSeconds: number;
  readonly endMiB: number;
  /** By least squares over the samples after warm-up; `null` where there are too few. */
  readonly slopeMiBPerMinute: number | null;
}

export interface Observer {
  sample(): Promise<void>;
  trends(warmUpMs: number): readonly MemoryTrend[];
  readonly maxEventLoopDelaySeconds: number;
}

const MIN_SAMPLES = 10;

export function createObserver(subject: SoakSubject, now: () => number): Observer {
  const samples = new Map<number, MemorySample[]>();
  let maxDelay = 0;
  return {
    get maxEventLoopDelaySeconds() {
      return maxDelay;
    },
    async sample() {
      for (const pid of processTree(subject.pid) ?? []) {
        // Of the primary alone: its descendants are asked one by one.
        const bytes = pid === subject.pid ? ownBytes(pid) : residentBytes(pid);
        if (bytes === null || bytes === 0) continue;
        const list = samples.get(pid) ?? [];
        list.push({ atMs: now(), bytes });
        samples.set(pid, list);
      }
      maxDelay = Math.max(
        maxDelay,
        await subject.metric('event_loop_delay_seconds').catch(() => 0),
      );
    },
    trends: (warmUpMs) =>
      [...samples].map(([pid, list]) => trendOf(pid, subject.pid, list, warmUpMs)),
  };
}

function trendOf(
  pid: number,
  primary: number,
  list: readonly MemorySample[],
  warmUpMs: number,
): MemoryTrend {
  const first = list[0]?.atMs ?? 0;
  const last = list.at(-1);
  const warm = list.filter(({ atMs }) => atMs - first >= warmUpMs);
  return {
    pid,
    role: pid === primary ? 'primary' : 'worker',
    lifeSeconds: ((last?.atMs ?? first) - first) / 1000,
    endMiB: (last?.bytes ?? 0) / 2 ** 20,
    slopeMiBPerMinute: warm.length < MIN_SAMPLES ? null : slope(warm) * (60_000 / 2 ** 20),
  };
}

/** Octets a millisecond, by least squares. */
function slope(list: readonly MemorySample[]): number {
  const meanAt = list.reduce((sum, { atMs }) => sum + atMs, 0) / list.length;
  const meanBytes = list.reduce((sum, { bytes }) => sum + bytes, 0) / list.length;
  let above = 0;
  let below = 0;
  for (const { atMs, bytes } of list) {
    above += (atMs - meanAt) * (bytes - meanBytes);
    below += (atMs - meanAt) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

/** Open descriptors of the primary and of each worker; empty where there is no /proc. */
export function descriptorsOf(pid: number): readonly number[] {
  return (processTree(pid) ?? []).map((member) => {
    try {
      return readdirSync(`/proc/${member}/fd`).length;
    } catch {
      return 0;
    }
  });
}

function ownBytes(pid: number): number {
  const [, kibibytes] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}
