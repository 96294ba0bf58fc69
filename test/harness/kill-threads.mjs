/** Loaded into the gate by NODE_OPTIONS: on SIGUSR2 a process ends all threads that it has started, as it would lose them. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const threads = createRequire(import.meta.url)('node:worker_threads');
  const started = [];
  threads.Worker = class extends threads.Worker {
    constructor(...parameters) {
      super(...parameters);
      started.push(this);
    }
  };
  syncBuiltinESMExports();
  process.on('SIGUSR2', () => {
    for (const thread of started.splice(0)) void thread.terminate();
  });
}
