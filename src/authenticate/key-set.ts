import type { LocalKeysPlan } from '../plan.ts';
import type { EpochMilliseconds } from '../units.ts';
import { quoteUntrusted } from './quote-untrusted.ts';
import { isSameKey, readVerificationKey } from './verification-key.ts';
import type { VerificationKey } from './verification-key.ts';

/** The keys of one provider as they are now. */
export interface KeySet {
  /** 0 before there are any keys; grows by one whenever the keys change. */
  readonly generation: number;
  /**
   * The keys a token may be verified with.
   *
   * @param kid the token's, `null` where it has none
   */
  find(kid: string | null): readonly VerificationKey[];
  /** Whether this very key object is still part of the set. An unchanged key keeps its object. */
  has(key: VerificationKey): boolean;
  /**
   * Asks for newer keys because a `kid` is unknown.
   *
   * @returns a promise that settles within a bounded time and never rejects, or `null` where asking is
   * pointless or too early
   */
  refetch(): Promise<void> | null;
  /** Until when {@link refetch} will return `null` again, as far as is known now. */
  readonly refetchAllowedAtMs: EpochMilliseconds;
  state(): KeySetState;
}

/** For metrics and the admin port. Holds no key. */
export interface KeySetState {
  readonly source: 'local' | 'remote';
  readonly url: string | null;
  readonly generation: number;
  readonly keys: number;
  /** When the newest keys arrived, `null` before the first time; local keys never arrive. */
  readonly fetchedAtMs: EpochMilliseconds | null;
  /** Fetches begun since the start. */
  readonly fetches: number;
  /** Fetches that failed since the start. */
  readonly failures: number;
  readonly consecutiveFailures: number;
  readonly lastProblem: string | null;
}

/** An immutable list of keys with an index. */
export interface KeySetContent {
  readonly keys: ReadonlySet<VerificationKey>;
  readonly byKid: ReadonlyMap<string, readonly VerificationKey[]>;
}

/** How many members of one set are looked at. */
const maxKeys = 1000;

/** How many keys may share a `kid`; each costs a signature check. */
const maxKeysOfOneKid = 4;

export const emptyKeySetContent: KeySetContent = { keys: new Set(), byKid: new Map() };

/**
 * Reads the `keys` of a JWK Set (RFC 7517, section 5). A member that is not usable is left out with a
 * warning. Of several keys with one `kid`, those that differ in `kty` or `alg` are kept.
 *
 * @param previous the content this one replaces; its unchanged keys keep their objects
 */
export function readKeySet(
  jwks: readonly unknown[],
  previous: KeySetContent,
  onWarning: (warning: string) => void,
): KeySetContent {
  const keys = new Set<VerificationKey>();
  const byKid = new Map<string, VerificationKey[]>();
  if (jwks.length > maxKeys) onWarning(`keys after the first ${maxKeys} are left out`);
  jwks.slice(0, maxKeys).forEach((jwk, index) => {
    const read = readVerificationKey(jwk);
    if (typeof read === 'string') {
      onWarning(`key ${index}: ${read}`);
      return;
    }
    const sameKid = byKid.get(read.kid) ?? [];
    const isRepeated = sameKid.some(
      (other) => other.jwk.kty === read.jwk.kty && other.alg === read.alg,
    );
    if (isRepeated || sameKid.length >= maxKeysOfOneKid) {
      onWarning(`key ${index}: another key has the same kid ${quoteUntrusted(read.kid, 128)}`);
      return;
    }
    const known = previous.byKid.get(read.kid)?.find((other) => isSameKey(other, read));
    const key = known ?? Object.freeze(read);
    keys.add(key);
    sameKid.push(key);
    byKid.set(key.kid, sameKid);
  });
  return { keys, byKid };
}

/** Whether two contents hold the same key objects, in whatever order. */
export function isSameContent(a: KeySetContent, b: KeySetContent): boolean {
  return a.keys.size === b.keys.size && Array.from(a.keys).every((key) => b.keys.has(key));
}

/**
 * The key set that stands in the configuration itself.
 *
 * Where a single PEM key is all there is (`kidOptional`), nobody could know its `kid`, so the key is used
 * whatever the token says.
 */
export function createLocalKeySet(
  plan: LocalKeysPlan,
  onWarning: (warning: string) => void,
): KeySet {
  const content = readKeySet(plan.jwks, emptyKeySetContent, onWarning);
  const everyKey = Array.from(content.keys);
  return {
    generation: 1,
    refetchAllowedAtMs: Infinity,
    find(kid) {
      const named = kid === null ? [] : (content.byKid.get(kid) ?? []);
      return named.length === 0 && plan.kidOptional ? everyKey : named;
    },
    has: (key) => content.keys.has(key),
    refetch: () => null,
    state: () => ({
      source: 'local',
      url: null,
      generation: 1,
      keys: content.keys.size,
      fetchedAtMs: null,
      fetches: 0,
      failures: 0,
      consecutiveFailures: 0,
      lastProblem: null,
    }),
  };
}
