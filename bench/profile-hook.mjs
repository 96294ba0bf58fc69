/** Loaded into a process by NODE_OPTIONS: writes a CPU profile of its whole life when it exits. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.POSTERN_BENCH_PROFILES;
if (folder !== undefined && isMainThread) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 500 });
  session.post('Profiler.start');
  process.once('exit', () => {
    session.post('Profiler.stop', (_error, { profile }) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, `${process.pid}-${Date.now()}.cpuprofile`),
        JSON.stringify(profile),
      );
    });
  });
}
