/** Counts of tokens that authentication judged or recognised. */

import type { RefusalCode } from '../errors.ts';
import type { Sample } from './metric-store.ts';

export type TokenOutcome = 'verified' | 'cached' | 'refused';

export interface TokenCounts {
  /**
   * @param provider `null` where none applies
   * @param code of the refusal, `null` otherwise
   */
  count(
    policy: string,
    provider: string | null,
    outcome: TokenOutcome,
    code: RefusalCode | null,
  ): void;
  readTotals(): Iterable<Sample>;
  /** How often one outcome came, by policy. */
  readByPolicy(outcome: TokenOutcome): Iterable<Sample>;
}

/** Names come from the configuration, but a long-lived process sees many of them. */
const maxEntries = 10_000;

interface Entry {
  readonly policy: string;
  readonly provider: string;
  verified: number;
  cached: number;
  readonly refused: Map<string, number>;
}

export function createTokenCounts(): TokenCounts {
  const byPolicy = new Map<string, Map<string | null, Entry>>();
  const entries: Entry[] = [];

  function entryOf(policy: string, provider: string | null): Entry {
    const found = byPolicy.get(policy)?.get(provider);
    if (found !== undefined) return found;
    if (entries.length > maxEntries && policy !== 'other') return entryOf('other', 'other');
    const created: Entry = {
      policy,
      provider: provider ?? '',
      verified: 0,
      cached: 0,
      refused: new Map(),
    };
    const ofPolicy = byPolicy.get(policy) ?? new Map<string | null, Entry>();
    byPolicy.set(policy, ofPolicy.set(provider, created));
    entries.push(created);
    return created;
  }

  return {
    count(policy, provider, outcome, code) {
      const entry = entryOf(policy, provider);
      if (outcome === 'refused') {
        const reason = code ?? '';
        entry.refused.set(reason, (entry.refused.get(reason) ?? 0) + 1);
      } else {
        entry[outcome] += 1;
      }
    },
    *readTotals() {
      for (const { policy, provider, verified, cached, refused } of entries) {
        if (verified > 0) {
          yield { labels: { policy, provider, outcome: 'verified', reason: '' }, value: verified };
        }
        if (cached > 0)
          yield { labels: { policy, provider, outcome: 'cached', reason: '' }, value: cached };
        for (const [reason, value] of refused) {
          yield { labels: { policy, provider, outcome: 'refused', reason }, value };
        }
      }
    },
    *readByPolicy(outcome) {
      for (const [policy, ofPolicy] of byPolicy) {
        let value = 0;
        for (const entry of ofPolicy.values()) {
          value +=
            outcome === 'refused'
              ? [...entry.refused.values()].reduce((sum, one) => sum + one, 0)
              : entry[outcome];
        }
        yield { labels: { policy }, value };
      }
    },
  };
}
