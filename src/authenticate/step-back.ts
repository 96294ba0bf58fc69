import { setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';

/** As for nice(1): a tenth of the weight of the event loop's thread, so that whoever waits is served in the end. */
const niceness = 10;

/**
 * Lowers the priority of the calling thread, and of no other: where there are not cores enough, the event loop comes
 * first, so that a flood of new tokens costs those who are known no more than it has to. Does nothing outside of
 * Linux, where a priority belongs to the whole process, nor in the main thread. Never throws.
 *
 * Call after everything is imported: threads that a thread starts are as nice as it is, and those of the process's
 * pool for files must not be.
 */
export function stepBack(): void {
  if (process.platform !== 'linux' || isMainThread) return;
  try {
    // To Linux, process 0 is the thread that asks (setpriority(2), "C library/kernel differences").
    setPriority(0, niceness);
  } catch {
    // A sandbox may forbid it; then the threads are as urgent as the event loop.
  }
}
