import type { PolicyAuthenticator } from './authenticate/authenticate.ts';
import type { Plan } from './plan.ts';
import type { Clock, Milliseconds } from './units.ts';
import type { KeySetStatus } from './workers/messages.ts';

/** Resolves when all key sets that listeners wait for are there, or at the deadline. */
export async function keySetsReady(
  authenticators: readonly PolicyAuthenticator[],
  deadlineMs: Milliseconds,
): Promise<void> {
  const waits = authenticators.map(({ ready }) => ready);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([Promise.all(waits), deadline]);
  clearTimeout(timer);
}

/**
 * What the admin pages tell of remote key sets.
 *
 * @param live in the order of the plan's authentications
 */
export function keySetStatuses(
  plan: Plan | null,
  live: readonly PolicyAuthenticator[],
  clock: Clock,
): KeySetStatus[] {
  if (plan === null) return [];
  return plan.authentications.flatMap(({ policy, providers }, policyIndex) =>
    providers.flatMap(({ name, keys }, index) => {
      const state = live[policyIndex]?.keySets[index];
      if (keys.source === 'local' || state === undefined) return [];
      return {
        policy,
        provider: name,
        fetched: state.fetchedAtMs !== null,
        ageMs: state.fetchedAtMs === null ? null : clock() - state.fetchedAtMs,
        keys: state.keys,
        failures: state.failures,
        lastError: state.lastProblem,
      };
    }),
  );
}
