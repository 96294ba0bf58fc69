import type { AuthenticationPlan } from '../plan.ts';
import { createLocalKeySet } from './key-set.ts';
import type { KeySetStore } from './key-set-store.ts';
import type { Provider } from './provider.ts';

/** The providers of one policy with their key sets. */
export interface OpenedProviders {
  readonly providers: readonly Provider[];
  /** Resolves once every remote set that is to be waited for was fetched. Never rejects. */
  readonly ready: Promise<void>;
  /** Gives the remote key sets back to the store; a second call does nothing. */
  release(): void;
}

/**
 * Reads the local key sets of a policy's providers and acquires the remote ones.
 *
 * @param onWarning gets a sentence for the log about each local key that is left out
 */
export function openProviders(
  plan: AuthenticationPlan,
  keySets: KeySetStore,
  onWarning: (warning: string) => void,
): OpenedProviders {
  const awaited: Promise<void>[] = [];
  const releases: (() => void)[] = [];
  const providers = plan.providers.map((provider): Provider => {
    const { keys } = provider;
    if (keys.source === 'local') {
      const warn = (warning: string): void =>
        onWarning(`${plan.policy}: provider ${provider.name}: ${warning}`);
      return { plan: provider, keySet: createLocalKeySet(keys, warn) };
    }
    const keySet = keySets.acquire(keys);
    releases.push(() => keySets.release(keys));
    if (keys.waitForFirstFetch) awaited.push(keySet.ready);
    return { plan: provider, keySet };
  });
  return {
    providers,
    ready: Promise.all(awaited).then(() => undefined),
    release() {
      for (const release of releases.splice(0)) release();
    },
  };
}
