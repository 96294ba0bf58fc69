import type { AuthenticationPlan, ProviderPlan } from '../plan.ts';
import type { TokenLocation } from './authenticator.ts';
import { checkAddressee, type RegisteredClaims } from './check-claims.ts';
import type { KeySet } from './key-set.ts';
import type { Provider } from './provider.ts';
import { isSameKey, type VerificationKey } from './verification-key.ts';

/**
 * What the acceptance of a token rests on, so that it can be looked at again while a stream lasts. Holds
 * nothing of the token but its registered claims.
 */
export interface Hold {
  readonly claims: RegisteredClaims;
  readonly location: TokenLocation;
  readonly keySet: KeySet;
  readonly key: VerificationKey;
  /** Generation of the key set in which the key was last seen; {@link hasKey} moves it on. */
  generation: number;
}

/** Why an acceptance does not hold any more. */
export type HoldLoss = 'key_removed' | 'provider_removed' | 'token_required';

/** Whether the key that verified the token is still in its set. Costs a comparison while the set stays the same. */
export function hasKey(hold: Hold): boolean {
  const { keySet } = hold;
  if (hold.generation === keySet.generation) return true;
  if (!keySet.has(hold.key)) return false;
  hold.generation = keySet.generation;
  return true;
}

/**
 * Whether a policy that is in force now would accept what other policies, or this one, accepted before. A token
 * is the concern of a policy that looks where it stood. Time is left out: whoever asks knows when tokens end.
 *
 * @param earlier what the request brought
 * @returns what the acceptance rests on from now on, `null` where the policy does without a token, or why it
 *   would refuse
 */
export function reconsider(
  { mode }: Pick<AuthenticationPlan, 'mode'>,
  providers: readonly Provider[],
  earlier: readonly Hold[],
): Hold | null | HoldLoss {
  let loss: HoldLoss = 'token_required';
  for (const hold of earlier) {
    for (const { plan, keySet } of providers) {
      if (!readsFrom(plan, hold.location)) continue;
      if (loss === 'token_required') loss = 'provider_removed';
      if (checkAddressee(hold.claims, plan) !== null) continue;
      const key = keySet.find(hold.key.kid).find((other) => isSameKey(other, hold.key));
      if (key !== undefined) return { ...hold, keySet, key, generation: keySet.generation };
      loss = 'key_removed';
    }
  }
  if (mode === 'AllowMissingOrFailed') return null;
  return loss === 'token_required' && mode === 'AllowMissing' ? null : loss;
}

function readsFrom({ tokenSources }: ProviderPlan, location: TokenLocation): boolean {
  return location.in === 'query'
    ? tokenSources.queryParams.includes(location.name)
    : tokenSources.headers.some(({ header }) => header === location.name);
}
