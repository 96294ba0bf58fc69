import cluster, { type Worker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import type { Plan } from '../plan.ts';
import type { Milliseconds } from '../units.ts';
import type { FetchedKeySet } from '../authenticate/key-set-store.ts';
import { restartDelayMs } from './backoff.ts';
import { createFetchedKeySets } from './fetched-key-sets.ts';
import { isMessageOf, type ToPrimary, type ToWorker, type WorkerStatus } from './messages.ts';
import { createSiblingRelay, type RelayMember } from './sibling-relay.ts';
import { WORKER_ID_VARIABLE, type SiblingLimits } from './siblings.ts';

/** A worker that takes longer than this to put a plan in force counts as having refused it. */
const APPLY_TIMEOUT_MS = 60_000;
/** What a worker gets beyond its drain timeout before it is killed. */
const KILL_AFTER_MS = 2_000;

export interface WorkerPoolOptions {
  readonly count: number;
  /** The worker's entry file. */
  readonly file: string;
  readonly execArgv: readonly string[];
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Bounds of what workers say to each other. */
  readonly siblingLimits: SiblingLimits;
  readonly onDied: (pid: number, how: string, restartInMs: Milliseconds) => void;
}

export interface WorkerPool {
  /** How many workers there should be. */
  readonly wanted: number;
  /**
   * Puts a plan in force in every worker, or in none: where one refuses, all go back to the plan before.
   *
   * @returns an Error with the worker's words where one refused
   */
  apply(plan: Plan): Promise<Error | null>;
  /** What each worker last said of itself. */
  readonly statuses: () => readonly WorkerStatus[];
  /** Whether every worker runs and has the latest plan in force. */
  isComplete(): boolean;
  /** Tells workers to finish; resolves when all are gone, at the latest a little after the timeout. */
  drain(timeoutMs: Milliseconds): Promise<void>;
}

/** One place in the pool; a worker that dies is followed by another in the same place. */
interface Slot {
  worker: Worker;
  /** The worker as the others reach it. */
  member: RelayMember;
  startedAtMs: number;
  delayMs: Milliseconds;
  status: WorkerStatus | null;
  started: Promise<void>;
}

/** Starts the workers. */
export function startWorkerPool(options: WorkerPoolOptions): WorkerPool {
  cluster.setupPrimary({
    exec: options.file,
    args: [...options.args],
    execArgv: [...options.execArgv],
    // The native server prints on descriptor 1 now and then; the access log is what belongs on standard
    // output, and gets it as descriptor 3.
    stdio: ['ignore', 'ignore', 'inherit', 1, 'ipc'],
    serialization: 'json',
  });
  let plan: Plan | null = null;
  let draining = false;
  const slots = new Set<Slot>();
  const siblings = createSiblingRelay(options.siblingLimits);
  const fetched = createFetchedKeySets();
  for (let index = 0; index < options.count; index += 1) addSlot();

  function addSlot(): void {
    const slot = { delayMs: 0, ...launch() } satisfies Slot;
    slots.add(slot);
    watch(slot);
  }

  function launch(): Omit<Slot, 'delayMs'> {
    const workerId = randomUUID();
    const worker = cluster.fork({ ...options.environment, [WORKER_ID_VARIABLE]: workerId });
    const member: RelayMember = {
      workerId,
      send(message, done) {
        if (worker.isConnected()) worker.send(message, done);
        else done();
      },
    };
    const started = new Promise<void>((resolve) => {
      worker.on('message', (message: unknown) => {
        if (isMessageOf<ToPrimary>(['started'], message)) resolve();
      });
      worker.once('exit', () => resolve());
    });
    // A worker that is gone can't be written to; its exit says the rest.
    worker.on('error', () => undefined);
    return { worker, member, startedAtMs: performance.now(), status: null, started };
  }

  function watch(slot: Slot): void {
    slot.worker.on('message', (message: unknown) => {
      if (!isMessageOf<ToPrimary>(['status', 'key-set'], message)) return;
      if (message.type === 'status') slot.status = message.status;
      if (message.type === 'key-set') fetched.add(message.keySet);
    });
    const { member } = slot;
    slot.worker.on('message', (message: unknown) => {
      if (!isMessageOf<ToPrimary>(['sibling'], message) || message.type !== 'sibling') return;
      siblings.relay(member, membersOf(slots), message);
    });
    slot.worker.once('exit', (code: number | null, signal: string | null) => {
      slot.status = null;
      if (draining) {
        slots.delete(slot);
        return;
      }
      slot.delayMs = restartDelayMs(slot.delayMs, performance.now() - slot.startedAtMs);
      const how = signal ?? `exit code ${code ?? 'unknown'}`;
      options.onDied(slot.worker.process.pid ?? 0, how, slot.delayMs);
      setTimeout(() => restart(slot), slot.delayMs);
    });
  }

  function restart(slot: Slot): void {
    if (draining) return;
    Object.assign(slot, launch());
    watch(slot);
    if (plan !== null) void applyTo(slot, plan, fetched.all());
  }

  /**
   * @param keySets which the worker begins with
   * @returns the worker's words where it refuses; `null` too where it died: its successor gets the plan
   */
  async function applyTo(
    slot: Slot,
    wanted: Plan,
    keySets: readonly FetchedKeySet[],
  ): Promise<string | null> {
    const { worker } = slot;
    await slot.started;
    if (worker.isDead()) return null;
    return new Promise((resolve) => {
      const settle = (answer: string | null): void => {
        clearTimeout(timer);
        worker.off('message', onMessage);
        worker.off('exit', onExit);
        resolve(answer);
      };
      const onMessage = (message: unknown): void => {
        if (!isMessageOf<ToPrimary>(['applied', 'refused'], message)) return;
        if (message.type === 'applied' && message.generation === wanted.generation) settle(null);
        if (message.type === 'refused' && message.generation === wanted.generation) {
          settle(message.message);
        }
      };
      const onExit = (): void => settle(null);
      const timer = setTimeout(() => settle('no answer in time'), APPLY_TIMEOUT_MS);
      worker.on('message', onMessage);
      worker.once('exit', onExit);
      send(worker, { type: 'apply', plan: wanted, keySets });
    });
  }

  async function applyToAll(wanted: Plan): Promise<string | null> {
    const answers = await Promise.all([...slots].map((slot) => applyTo(slot, wanted, [])));
    return answers.find((answer) => answer !== null) ?? null;
  }

  return {
    wanted: options.count,
    async apply(wanted) {
      const before = plan;
      plan = wanted;
      const refused = await applyToAll(wanted);
      if (refused !== null) {
        plan = before;
        if (before !== null) await applyToAll(before);
      }
      if (plan !== null) fetched.keepOnly(plan);
      return refused === null ? null : new Error(refused);
    },
    statuses: () => [...slots].flatMap(({ status }) => (status === null ? [] : [status])),
    isComplete: () =>
      plan !== null &&
      slots.size === options.count &&
      [...slots].every(({ status }) => status?.generation === plan?.generation),
    async drain(timeoutMs) {
      draining = true;
      await Promise.all([...slots].map((slot) => drainSlot(slot, timeoutMs)));
    },
  };

  function drainSlot({ worker }: Slot, timeoutMs: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      if (worker.isDead()) {
        resolve();
        return;
      }
      const timer = setTimeout(() => worker.process.kill('SIGKILL'), timeoutMs + KILL_AFTER_MS);
      worker.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      send(worker, { type: 'drain' });
    });
  }
}

function* membersOf(slots: Iterable<Slot>): Iterable<RelayMember> {
  for (const { member } of slots) yield member;
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}
