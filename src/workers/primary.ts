/**
 * The primary process: which plan is in force, and how another one gets there. It serves no request; the
 * workers do.
 */

import type { AdminState, Readiness } from '../admin/pages.ts';
import type { LoadedPlan, LoadPlan } from '../load-plan.ts';
import type { Plan } from '../plan.ts';
import type { ResourceStatus } from '../resources/conditions.ts';
import { formatProblem } from '../resources/problem.ts';
import { redactPlan } from '../resources/redact-plan.ts';
import type { Clock, Milliseconds } from '../units.ts';
import type { PortClaims } from './port-claims.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface PrimaryOptions {
  /** Reads and checks the resources anew. */
  readonly load: LoadPlan;
  readonly claims: PortClaims;
  readonly pool: WorkerPool;
  readonly version: string;
  readonly clock: Clock;
  readonly onReloaded: (outcome: ReloadOutcome) => void;
}

/** How the last attempt to put a plan in force went. */
export interface ReloadOutcome {
  readonly ok: boolean;
  /** The plan in force now. */
  readonly generation: number;
  readonly atMs: number;
  /** Every problem, one line each; empty when it went well and without warnings. */
  readonly messages: readonly string[];
}

export interface Primary {
  readonly adminState: AdminState;
  /**
   * Puts the first plan in force.
   *
   * @returns why it can't be
   */
  start(first: LoadedPlan & { readonly plan: Plan }): Promise<Error | null>;
  /**
   * Puts in force what the files say now, or changes nothing. Calls that come while one is at work lead
   * to one more after it.
   */
  reload(): Promise<void>;
  /** Not ready any more; resolves when the last worker is gone. */
  drain(timeoutMs: Milliseconds): Promise<void>;
}

export function createPrimary(options: PrimaryOptions): Primary {
  const { claims, pool, clock } = options;
  let plan: Plan | null = null;
  let statuses: readonly ResourceStatus[] = [];
  let hidden: ReadonlySet<string> = new Set();
  let last: ReloadOutcome | null = null;
  let attempts = 1;
  let draining = false;
  let reloading: Promise<void> | null = null;
  let reloadAgain = false;

  /** @returns why it can't be; then everything is as it was */
  async function putInForce(next: Plan): Promise<Error | null> {
    const taken = await claims.claim(next.ports);
    if (taken !== null) return taken;
    const refused = await pool.apply(next);
    if (refused === null) plan = next;
    claims.settle(plan?.ports ?? []);
    return refused;
  }

  function conclude(ok: boolean, messages: readonly string[]): void {
    last = { ok, generation: plan?.generation ?? 0, atMs: clock(), messages };
    options.onReloaded(last);
  }

  async function reloadOnce(): Promise<void> {
    attempts += 1;
    const loaded = await options.load(attempts);
    const messages = loaded.problems.map(formatProblem);
    if (loaded.plan === null) {
      conclude(false, messages);
      return;
    }
    const failed = await putInForce(loaded.plan);
    if (failed === null) ({ statuses, hidden } = loaded);
    conclude(failed === null, failed === null ? messages : [...messages, failed.message]);
  }

  function readiness(): Readiness {
    const details: string[] = [];
    if (draining) details.push('draining');
    if (plan === null) details.push('no configuration is in force yet');
    if (!pool.isComplete()) details.push('not every worker runs with the latest configuration yet');
    const waiting = pool
      .statuses()
      .flatMap(({ keySets }) => keySets)
      .filter(({ fetched }) => !fetched)
      .map(({ policy, provider }) => `${policy}: the key set of ${provider} was never fetched yet`);
    details.push(...new Set(waiting));
    const ready = details.length === 0;
    if (last?.ok === false) {
      details.push(`the last reload was refused, generation ${last.generation} stays:`);
      details.push(...last.messages);
    }
    return { ready, details };
  }

  return {
    adminState: {
      readiness,
      config: () => (plan === null ? null : redactPlan(plan, hidden)),
      status: () => ({
        version: options.version,
        generation: plan?.generation ?? 0,
        lastReload: last,
        workers: pool.statuses(),
        resources: statuses,
      }),
    },
    async start(first) {
      const failed = await putInForce(first.plan);
      if (failed !== null) return failed;
      ({ statuses, hidden } = first);
      conclude(true, first.problems.map(formatProblem));
      return null;
    },
    async reload() {
      if (draining) return;
      if (reloading !== null) {
        reloadAgain = true;
        return reloading;
      }
      reloading = (async () => {
        do {
          reloadAgain = false;
          await reloadOnce();
        } while (wantsAnother());
      })();
      await reloading;
      reloading = null;
    },
    async drain(timeoutMs) {
      draining = true;
      await reloading;
      await pool.drain(timeoutMs);
      claims.settle([]);
    },
  };

  function wantsAnother(): boolean {
    return reloadAgain && !draining;
  }
}
