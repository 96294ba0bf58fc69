import { openRawStream } from '../load/raw-stream.ts';
import { CALL, CLIENT_HEADERS } from '../messages.ts';
import { cpuNanoseconds, processTree } from '../process.ts';
import { direct } from '../subjects/direct.ts';
import { postern } from '../subjects/postern.ts';
import type { Subject } from '../subjects/subject.ts';
import type { Stage } from '../stage.ts';
import type { Study } from './study.ts';

const STREAMS = 8;

/** Octets of events a second through one worker, unfiltered and with every event looked at. */
export const streamThroughput: Study = {
  name: 'stream-throughput',
  title: `${STREAMS} event streams as fast as they go`,
  async run(stage) {
    const found: Record<string, number> = {};
    for (const [name, subject, duty] of [
      ['direct', direct, 'plain'],
      ['passed on', postern, 'claim'],
      ['filtered', postern, 'tool'],
    ] as const) {
      Object.assign(found, await measure(stage, name, subject, duty));
    }
    return found;
  },
};

async function measure(
  stage: Stage,
  name: string,
  subject: Subject,
  duty: 'plain' | 'claim' | 'tool',
) {
  const running = await stage.startSubject(subject, { duty, workers: 1, accessLog: true });
  const request = {
    method: 'POST',
    path: '/stream/200000',
    body: CALL,
    headers: CLIENT_HEADERS,
    tokens: [stage.identities.alice],
  } as const;
  try {
    const pids = running.pid === 0 ? [] : processTree(running.pid);
    const cpuBefore = cpuNanoseconds(pids);
    const startedAt = performance.now();
    const streams = await Promise.all(
      Array.from({ length: STREAMS }, () => openRawStream(running.port, request)),
    );
    while (streams.some(({ hasEnded }) => !hasEnded)) {
      if (performance.now() - startedAt > 60_000) throw new Error(`${name}: a stream did not end`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const mebibytes = streams.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0) / 2 ** 20;
    return {
      [`${name}: MiB a second`]: mebibytes / seconds,
      [`${name}: CPU ms a MiB`]: (cpuNanoseconds(pids) - cpuBefore) / 1e6 / mebibytes,
    };
  } finally {
    await running.stop();
  }
}
