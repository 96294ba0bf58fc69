import { Piscina } from 'piscina';
import { fewEachTurn } from '../timers/few-each-turn.ts';
import type { Milliseconds } from '../units.ts';
import type { SignatureCheck, SignatureOutcome } from './verify-signature.ts';

/** `overloaded`: the queue is full and the check was not made. */
export type PoolOutcome = SignatureOutcome | 'overloaded';

/** Checks one signature somewhere; see {@link VerifyPool}. Never rejects. */
export type VerifySignature = (check: SignatureCheck) => Promise<PoolOutcome>;

/** Threads that check signatures, so that cold tokens do not hold up the event loop. */
export interface VerifyPool {
  readonly verify: VerifySignature;
  /** Whether a check that came now would be refused. */
  readonly isFull: () => boolean;
  readonly state: () => VerifyPoolState;
  /** Ends the threads. Checks that wait or run then come out as `failed`. */
  close(): Promise<void>;
}

/** For metrics. */
export interface VerifyPoolState {
  readonly threads: number;
  /** Checks that wait for a thread. */
  readonly queued: number;
  /** Checks that a thread has taken. */
  readonly running: number;
  /** For how long threads have been at it since the start, all of them together. */
  readonly busyMs: Milliseconds;
}

export interface VerifyPoolOptions {
  readonly threads?: number;
  /** How many checks may wait for a thread. */
  readonly maxQueued?: number;
  /**
   * How many waiting checks a thread takes at once. Their requests go on in one turn of the event loop, which
   * others wait for; a message for each would cost more than to read the token.
   */
  readonly maxBatch?: number;
  /** How long a batch may run; after that its thread is replaced. */
  readonly batchTimeoutMs?: Milliseconds;
  /** A sentence for the log: a thread died. */
  readonly onWarning?: (warning: string) => void;
}

interface QueuedCheck {
  readonly check: SignatureCheck;
  readonly resolve: (outcome: PoolOutcome) => void;
  /** Its first thread died over it, or over another check of its batch. */
  readonly isRepeated: boolean;
}

/**
 * Starts the threads. A check goes to a free thread at once; checks that come while all are busy wait in a
 * bounded queue and are then handed over in batches. When a thread dies, a new one takes its place and makes
 * each of its checks once more, every one by itself, so that the check that a thread dies of comes out as
 * `failed` and the others as what they are. When a thread hangs it is replaced too, and its checks come out
 * as `failed`: nobody waits twice for that.
 */
export function createVerifyPool(options: VerifyPoolOptions = {}): VerifyPool {
  const { threads = 1, maxQueued = 4096, maxBatch = 16, batchTimeoutMs = 10_000 } = options;
  const { onWarning = () => undefined } = options;
  const queue: QueuedCheck[] = [];
  let busyMs: Milliseconds = 0;
  let busyThreads = 0;
  let running = 0;
  let closed = false;

  const isTypeScript = import.meta.url.endsWith('.ts');
  const pool = new Piscina<readonly SignatureCheck[], SignatureOutcome[]>({
    filename: new URL(`./verify-worker.${isTypeScript ? 'ts' : 'js'}`, import.meta.url).href,
    name: 'verifyBatch',
    minThreads: threads,
    maxThreads: threads,
    // No more than one batch for each thread is ever handed over; the queue that counts is ours.
    maxQueue: threads * 2,
    recordTiming: false,
    execArgv: isTypeScript ? ['--import', import.meta.resolve('tsx')] : [],
  });
  pool.on('error', (error: Error) => onWarning(`a verification thread failed: ${error.message}`));

  function handOver(): void {
    while (busyThreads < threads && queue.length > 0) {
      // Repeated ones stand in front.
      void runBatch(queue.splice(0, queue[0]?.isRepeated === true ? 1 : maxBatch));
    }
  }

  async function runBatch(batch: readonly QueuedCheck[]): Promise<void> {
    busyThreads += 1;
    running += batch.length;
    const batchStartedAtMonotonicMs = performance.now();
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), batchTimeoutMs);
    let outcomes: SignatureOutcome[] = [];
    let threadDied = false;
    try {
      outcomes = await pool.run(
        batch.map(({ check }) => check),
        { signal: abort.signal },
      );
    } catch (error) {
      threadDied = !abort.signal.aborted;
      if (!closed) onWarning(`a verification thread failed: ${messageOf(error)}`);
    }
    clearTimeout(timer);
    busyMs += performance.now() - batchStartedAtMonotonicMs;
    busyThreads -= 1;
    running -= batch.length;
    const repeated: QueuedCheck[] = [];
    batch.forEach((queued, index) => {
      if (threadDied && !closed && !queued.isRepeated)
        repeated.push({ ...queued, isRepeated: true });
      else fewEachTurn({ onTurn: () => queued.resolve(outcomes[index] ?? 'failed') });
    });
    queue.unshift(...repeated);
    handOver();
  }

  const isFull = (): boolean => queue.length >= maxQueued;

  return {
    isFull,
    verify(check) {
      if (closed) return Promise.resolve('failed');
      if (isFull()) return Promise.resolve('overloaded');
      return new Promise((resolve) => {
        queue.push({ check, resolve, isRepeated: false });
        handOver();
      });
    },
    state: () => ({ threads, queued: queue.length, running, busyMs }),
    async close() {
      closed = true;
      for (const { resolve } of queue.splice(0)) resolve('failed');
      await pool.destroy();
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
