/** What goes wrong during a soak, and when. */
import { processTree } from '../../test/harness/memory.ts';
import { sleep } from '../../test/harness/until.ts';
import type { Identity } from './identity.ts';
import type { Backend, Ledger } from './ledger.ts';
import type { SoakSubject } from './subject.ts';

export interface FaultCounts {
  reloads: number;
  brokenReloads: number;
  kills: number;
  rotations: number;
  keyEndpointFaults: number;
  upstreamRestarts: number;
}

/** Mean times between faults of one kind. */
export interface FaultTimes {
  readonly reloadMs: number;
  readonly killMs: number;
  readonly rotationMs: number;
  readonly keyEndpointMs: number;
  readonly restartMs: number;
}

/** For a kill to be over: the connections of the dead worker are reset, whatever was about to be sent. */
const KILL_GRACE_MS = 500;
const RESTART_GRACE_MS = 500;
/** The longest wait between two attempts to fetch keys. */
const KEYS_FETCHED_MS = 5000;
/** In this time every worker has fetched a key set that it remembers for 500 ms. */
const PUBLISHED_MS = 2500;

/** Does harm until `going` says no; every fault is over when it resolves. */
export async function runFaults(
  { subject, identity, ledger }: { subject: SoakSubject; identity: Identity; ledger: Ledger },
  times: FaultTimes,
  going: () => boolean,
): Promise<FaultCounts> {
  const counts: FaultCounts = {
    reloads: 0,
    brokenReloads: 0,
    kills: 0,
    rotations: 0,
    keyEndpointFaults: 0,
    upstreamRestarts: 0,
  };
  const every = async (meanMs: number, act: () => Promise<void> | void): Promise<void> => {
    for (;;) {
      const untilMs = performance.now() + meanMs * (0.5 + Math.random());
      while (going() && performance.now() < untilMs) await sleep(50);
      if (!going()) return;
      await act();
    }
  };

  // Keys are published and an endpoint fails in turn: a rotation that nobody can fetch is no fault of ours.
  let turn = Promise.resolve();
  const oneByOne = (act: () => Promise<void>) => (): Promise<void> => (turn = turn.then(act));

  const rotate = async (): Promise<void> => {
    await identity.publishNext();
    await sleep(PUBLISHED_MS);
    await identity.useNext();
    counts.rotations += 1;
    // Requests that were sent with the old key's tokens are answered before that key leaves.
    await sleep(1000);
  };
  // Excuses nothing: a worker that starts meanwhile has the keys of those before it.
  const failKeys = async (): Promise<void> => {
    const modes = ['down', 'hang', 'garbage'] as const;
    identity.mode = modes[counts.keyEndpointFaults % modes.length] ?? 'down';
    await sleep(1500);
    identity.mode = 'up';
    counts.keyEndpointFaults += 1;
    await sleep(KEYS_FETCHED_MS);
  };
  const kill = (): void => {
    const workers = (processTree(subject.pid) ?? []).slice(1);
    const victim = workers[Math.floor(Math.random() * workers.length)];
    if (victim === undefined) return;
    const end = ledger.beginFault({ what: 'kill' });
    process.kill(victim, 'SIGKILL');
    end(KILL_GRACE_MS);
    counts.kills += 1;
  };
  const reload = (): void => {
    const isBroken = (counts.reloads + counts.brokenReloads) % 3 === 2;
    subject.reload(isBroken);
    if (isBroken) counts.brokenReloads += 1;
    else counts.reloads += 1;
  };
  const restart = async (): Promise<void> => {
    const backends: readonly Backend[] = ['fast', 'stream', 'faulty'];
    const backend = backends[counts.upstreamRestarts % backends.length] ?? 'fast';
    const end = ledger.beginFault({ what: 'restart', backend });
    await subject.restart(backend);
    end(RESTART_GRACE_MS);
    counts.upstreamRestarts += 1;
  };

  await Promise.all([
    every(times.reloadMs, reload),
    every(times.killMs, kill),
    every(times.rotationMs, oneByOne(rotate)),
    every(times.keyEndpointMs, oneByOne(failKeys)),
    every(times.restartMs, restart),
  ]);
  return counts;
}
