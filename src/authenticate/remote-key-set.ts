import type { RemoteKeysPlan } from '../plan.ts';
import { shownUrl } from '../shown-url.ts';
import type { Clock, EpochMilliseconds, Milliseconds } from '../units.ts';
import type { FetchKeySet, KeySetAnswer } from './fetch-key-set.ts';
import { emptyKeySetContent, isSameContent, readKeySet } from './key-set.ts';
import type { KeySet } from './key-set.ts';
import { writeVerificationKey } from './verification-key.ts';

export interface RemoteKeySet extends KeySet {
  /** Resolves once keys have been fetched for the first time, or the set is closed. Never rejects. */
  readonly ready: Promise<void>;
  /** Stops the refreshing; a fetch under way is aborted. */
  close(): void;
}

/** What was fetched of a set: its usable keys, of them what is public. */
export interface FetchedKeys {
  readonly jwks: readonly Readonly<Record<string, string>>[];
  readonly fetchedAtMs: EpochMilliseconds;
}

export interface RemoteKeySetOptions {
  readonly fetch: FetchKeySet;
  readonly clock: Clock;
  /** A number from 0 up to 1; spreads the fetches of many processes. */
  readonly random: () => number;
  /** A sentence for the log: a failed fetch, or a key that was left out. */
  readonly onWarning: (warning: string) => void;
  /** Called with every fetch that brought other keys than the one before. */
  readonly onFetched?: (plan: RemoteKeysPlan, keys: FetchedKeys) => void;
  readonly timing?: Partial<RemoteKeySetTiming>;
}

export interface RemoteKeySetTiming {
  /** How long one fetch may take. */
  readonly fetchTimeoutMs: Milliseconds;
  /** The least time between two fetches that unknown `kid`s caused. */
  readonly unknownKidCooldownMs: Milliseconds;
  /** The wait after a first failure; it doubles with each further one. */
  readonly firstRetryMs: Milliseconds;
  readonly maxRetryMs: Milliseconds;
  /** The least time between two refreshes, however short the configured cacheDuration. */
  readonly minRefreshMs: Milliseconds;
}

const defaultTiming: RemoteKeySetTiming = {
  fetchTimeoutMs: 5_000,
  unknownKidCooldownMs: 30_000,
  firstRetryMs: 500,
  maxRetryMs: 30_000,
  minRefreshMs: 1_000,
};

/** The longest delay that setTimeout keeps. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * A key set behind a URL (RFC 7517, section 5): fetched at once, then again before each `cacheDuration`
 * ends, and once when a token names an unknown `kid` and the last such fetch is long enough ago. One fetch
 * at a time serves all who wait. The last good set stays while the endpoint is down; a failed fetch is
 * tried again with growing, randomly shortened waits. An answer that comes after a newer one is dropped.
 *
 * @param earlier what another worker has fetched of the set, which counts until the first fetch of its own succeeds
 */
export function createRemoteKeySet(
  plan: RemoteKeysPlan,
  options: RemoteKeySetOptions,
  earlier: FetchedKeys | null = null,
): RemoteKeySet {
  const timing = { ...defaultTiming, ...options.timing };
  const { clock, random } = options;
  const url = shownUrl(plan.url);
  const warn = (warning: string): void => options.onWarning(`key set ${url}: ${warning}`);

  let content = emptyKeySetContent;
  let generation = 0;
  let fetchedAtMs: EpochMilliseconds | null = null;
  let refetchAllowedAtMs: EpochMilliseconds = -Infinity;
  let fetches = 0;
  let newestApplied = 0;
  let failures = 0;
  let consecutiveFailures = 0;
  let lastProblem: string | null = null;
  let inFlight: { readonly done: Promise<void>; readonly abort: AbortController } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });

  function apply(sequence: number, jwks: readonly unknown[]): void {
    if (closed || sequence <= newestApplied) return;
    newestApplied = sequence;
    fetchedAtMs = clock();
    consecutiveFailures = 0;
    lastProblem = null;
    const next = readKeySet(jwks, content, warn);
    const isOther = generation === 0 || !isSameContent(next, content);
    content = next;
    markReady();
    if (!isOther) return;
    generation += 1;
    const publicKeys = Array.from(content.keys, writeVerificationKey);
    options.onFetched?.(plan, { jwks: publicKeys, fetchedAtMs });
  }

  function countFailure(problem: string): void {
    if (closed) return;
    failures += 1;
    consecutiveFailures += 1;
    lastProblem = problem;
    warn(problem);
  }

  function schedule(): void {
    if (closed) return;
    const { firstRetryMs, maxRetryMs, minRefreshMs } = timing;
    const delayMs =
      consecutiveFailures === 0
        ? Math.max(minRefreshMs, plan.cacheDurationMs * (1 - 0.1 * random()))
        : Math.min(maxRetryMs, firstRetryMs * 2 ** (consecutiveFailures - 1)) *
          (1 - 0.5 * random());
    timer = setTimeout(() => void fetchOnce(), Math.min(delayMs, maxTimerMs));
    timer.unref();
  }

  function fetchOnce(): Promise<void> {
    clearTimeout(timer);
    fetches += 1;
    const sequence = fetches;
    const abort = new AbortController();
    const done = new Promise<void>((resolve) => {
      let concluded = false;
      // May run twice: at the timeout, and when an answer comes after all.
      const conclude = (answer: KeySetAnswer): void => {
        if (answer.jwks !== null) apply(sequence, answer.jwks);
        if (concluded) return;
        concluded = true;
        clearTimeout(deadline);
        if (answer.jwks === null) countFailure(answer.problem);
        inFlight = null;
        schedule();
        resolve();
      };
      const deadline = setTimeout(() => {
        conclude({ jwks: null, problem: `no answer within ${timing.fetchTimeoutMs} ms` });
        abort.abort();
      }, timing.fetchTimeoutMs);
      options.fetch(plan, abort.signal).then(conclude, () => {
        conclude({ jwks: null, problem: 'the fetch failed unexpectedly' });
      });
    });
    inFlight = { done, abort };
    return done;
  }

  if (earlier !== null) {
    content = readKeySet(earlier.jwks, content, warn);
    ({ fetchedAtMs } = earlier);
    generation = 1;
    markReady();
  }
  void fetchOnce();

  return {
    ready,
    get generation() {
      return generation;
    },
    get refetchAllowedAtMs() {
      return refetchAllowedAtMs;
    },
    find: (kid) => (kid === null ? [] : (content.byKid.get(kid) ?? [])),
    has: (key) => content.keys.has(key),
    refetch() {
      if (closed) return null;
      if (inFlight !== null) return inFlight.done;
      // Before the first success the retries decide when to ask again.
      if (generation === 0) return null;
      const waitMs = refetchAllowedAtMs - clock();
      // A wait longer than the cooldown means that the clock was set back.
      if (waitMs > 0 && waitMs <= timing.unknownKidCooldownMs) return null;
      refetchAllowedAtMs = clock() + timing.unknownKidCooldownMs;
      return fetchOnce();
    },
    state: () => ({
      source: 'remote',
      url,
      generation,
      keys: content.keys.size,
      fetchedAtMs,
      fetches,
      failures,
      consecutiveFailures,
      lastProblem,
    }),
    close() {
      closed = true;
      clearTimeout(timer);
      inFlight?.abort.abort();
      markReady();
    },
  };
}
