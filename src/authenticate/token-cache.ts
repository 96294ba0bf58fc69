import { LRUCache } from 'lru-cache';
import type { Refusal } from '../errors.ts';
import type { Bytes, EpochMilliseconds, Milliseconds } from '../units.ts';
import type { Authenticated } from './authenticator.ts';
import type { ProviderGroup } from './find-token.ts';
import type { KeySet } from './key-set.ts';
import type { VerificationKey } from './verification-key.ts';

/** A token that was accepted, and under what it stays so. */
export interface AcceptedToken {
  readonly verdict: Authenticated;
  /** The providers that were asked. */
  readonly group: ProviderGroup;
  readonly keySet: KeySet;
  readonly key: VerificationKey;
  /** Generation of the key set in which the key was last seen; the cache moves it on. */
  generation: number;
  readonly validFromMs: EpochMilliseconds;
  readonly validUntilMs: EpochMilliseconds;
}

/** A token that was refused, and under what it stays so. */
export interface RefusedToken {
  readonly refusal: Refusal;
  readonly provider: string | null;
  readonly group: ProviderGroup;
  /** Sum of the generations of the group's key sets when the judgement began. */
  readonly generations: number;
  readonly finalUntilMs: EpochMilliseconds;
}

export interface TokenCacheLimits {
  readonly maxAccepted: number;
  readonly maxAcceptedBytes: Bytes;
  readonly maxRefused: number;
  readonly maxRefusedBytes: Bytes;
  /** How long a refusal is remembered at most. */
  readonly refusedForMs: Milliseconds;
}

export const defaultTokenCacheLimits: TokenCacheLimits = {
  maxAccepted: 10_000,
  maxAcceptedBytes: 64 * 1024 * 1024,
  maxRefused: 2_000,
  maxRefusedBytes: 8 * 1024 * 1024,
  refusedForMs: 10_000,
};

/** Verdicts on tokens of one authentication policy, bounded in number and in octets. */
export interface TokenCache {
  /** The verdict, if it holds at this moment for these providers. */
  findAccepted(
    token: string,
    group: ProviderGroup,
    nowMs: EpochMilliseconds,
  ): AcceptedToken | undefined;
  /** Whether a verdict that was found before holds at this moment too. */
  holds(entry: AcceptedToken, nowMs: EpochMilliseconds): boolean;
  findRefused(
    token: string,
    group: ProviderGroup,
    generations: number,
    nowMs: EpochMilliseconds,
  ): RefusedToken | undefined;
  addAccepted(token: string, entry: AcceptedToken): void;
  addRefused(token: string, entry: RefusedToken, nowMs: EpochMilliseconds): void;
  state(): TokenCacheState;
}

/** For metrics. */
export interface TokenCacheState {
  readonly accepted: number;
  readonly acceptedBytes: Bytes;
  readonly refused: number;
  readonly refusedBytes: Bytes;
}

/** What an entry weighs besides its token: objects, and the claims that are longer than their JSON. */
const entryBytes = 1024;

interface RememberedRefusal extends RefusedToken {
  readonly rememberedAtMs: EpochMilliseconds;
}

/** How much of a token's end serves to find its entry. */
const tailChars = 32;

interface Remembered<Entry> {
  readonly token: string;
  readonly entry: Entry;
}

/**
 * Makes an empty cache.
 *
 * An entry is found by the end of the token, 192 bits of its signature, and counts only if the whole token
 * is equal. V8 would hash a whole token in about 1 microsecond, as long as SHA-256 takes; the end costs a
 * tenth of that, and the comparison is exact where a digest is not. Two tokens with the same end would
 * just displace each other. The text that is kept is a copy: a slice would keep its whole header alive.
 */
export function createTokenCache(limits: TokenCacheLimits): TokenCache {
  const accepted = createStore<AcceptedToken>(limits.maxAccepted, limits.maxAcceptedBytes);
  const refused = createStore<RememberedRefusal>(limits.maxRefused, limits.maxRefusedBytes);

  return {
    findAccepted(token, group, nowMs) {
      const entry = find(accepted, token);
      if (entry?.group !== group) return undefined;
      const age = ageOf(entry, nowMs);
      if (age === 'over') accepted.delete(tailOf(token));
      return age === 'now' ? entry : undefined;
    },
    holds: (entry, nowMs) => ageOf(entry, nowMs) === 'now',
    findRefused(token, group, generations, nowMs) {
      const entry = find(refused, token);
      if (entry?.group !== group) return undefined;
      const { rememberedAtMs } = entry;
      // Where the clock was set back, the refusal may be of an hour that has not come yet.
      const isOfLater = nowMs < rememberedAtMs - limits.refusedForMs;
      if (entry.generations !== generations || nowMs >= entry.finalUntilMs || isOfLater) {
        refused.delete(tailOf(token));
        return undefined;
      }
      return entry;
    },
    addAccepted(token, entry) {
      remember(accepted, token, entry);
    },
    addRefused(token, entry, nowMs) {
      const finalUntilMs = Math.min(entry.finalUntilMs, nowMs + limits.refusedForMs);
      if (finalUntilMs <= nowMs) return;
      remember(refused, token, { rememberedAtMs: nowMs, ...entry, finalUntilMs });
    },
    state: () => ({
      accepted: accepted.size,
      acceptedBytes: accepted.calculatedSize,
      refused: refused.size,
      refusedBytes: refused.calculatedSize,
    }),
  };
}

/** When a verdict counts, by the clock and by the keys. */
function ageOf(entry: AcceptedToken, nowMs: EpochMilliseconds): 'early' | 'now' | 'over' {
  const { keySet } = entry;
  if (entry.generation !== keySet.generation) {
    // The set has changed. The same key object in it means that the verdict would be the same.
    if (!keySet.has(entry.key)) return 'over';
    entry.generation = keySet.generation;
  }
  if (nowMs >= entry.validUntilMs) return 'over';
  return nowMs < entry.validFromMs ? 'early' : 'now';
}

type Store<Entry> = LRUCache<string, Remembered<Entry>>;

function createStore<Entry>(max: number, maxSize: Bytes): Store<Entry> {
  return new LRUCache({
    max,
    maxSize,
    sizeCalculation: ({ token }: Remembered<Entry>) => token.length * 4 + entryBytes,
  });
}

function find<Entry>(store: Store<Entry>, token: string): Entry | undefined {
  const remembered = store.get(tailOf(token));
  return remembered?.token === token ? remembered.entry : undefined;
}

function remember<Entry>(store: Store<Entry>, token: string, entry: Entry): void {
  const copy = flatCopy(token);
  store.set(flatCopy(tailOf(token)), { token: copy, entry });
}

function tailOf(token: string): string {
  return token.slice(-tailChars);
}

function flatCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
