import { readFileSync } from 'node:fs';
import { openRawStream, type RawStream } from '../load/raw-stream.ts';
import { CLIENT_HEADERS } from '../messages.ts';
import { cpuNanoseconds, processTree, residentBytes } from '../process.ts';
import { postern } from '../subjects/postern.ts';
import type { Study } from './study.ts';

const AT_ONCE = 200;
const IDLE_SECONDS = 10;

/** Descriptors that a worker needs besides two for each stream. */
const OTHER_DESCRIPTORS = 1500;

/** The most streams, up to 10,000, that one process may hold here: each costs a proxy two descriptors. */
export function mostStreams(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const descriptors = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 1024);
  return Math.min(10_000, Math.floor((descriptors - OTHER_DESCRIPTORS) / 2));
}

/** The memory that event streams cost which say nothing, and the CPU. */
export function idleStreams(count: number): Study {
  return {
    name: 'idle-streams',
    title: `${count} event streams that say nothing, one worker`,
    async run(stage) {
      const running = await stage.startSubject(postern, {
        ...{ duty: 'claim', workers: 1, accessLog: true },
      });
      const streams: RawStream[] = [];
      const { alice } = stage.identities;
      const request = {
        method: 'GET',
        path: '/idle',
        body: '',
        tokens: [alice],
        headers: { ...CLIENT_HEADERS, accept: 'text/event-stream' },
      } as const;
      try {
        for (let index = 0; index < AT_ONCE; index += 1) {
          (await openRawStream(running.port, request)).close();
        }
        await pause(2000);
        const pids = processTree(running.pid);
        const before = residentBytes(pids);
        const startedAt = performance.now();
        while (streams.length < count) {
          const wanted = Math.min(AT_ONCE, count - streams.length);
          streams.push(
            ...(await Promise.all(
              Array.from({ length: wanted }, () => openRawStream(running.port, request)),
            )),
          );
        }
        const openedMs = performance.now() - startedAt;
        await pause(3000);
        const after = residentBytes(pids);
        const cpuBefore = cpuNanoseconds(pids);
        await pause(IDLE_SECONDS * 1000);
        return {
          streams: streams.filter(({ hasEnded }) => !hasEnded).length,
          'resident KiB of each': (after - before) / 1024 / count,
          'resident MiB in all': after / 2 ** 20,
          'opened in ms': openedMs,
          'CPU ms a second while idle': (cpuNanoseconds(pids) - cpuBefore) / 1e6 / IDLE_SECONDS,
        };
      } finally {
        for (const stream of streams) stream.close();
        await running.stop();
      }
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
