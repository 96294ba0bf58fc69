import type { JsonObject } from '../json/read-json.ts';
import { parseUrl } from '../parse-url.ts';
import type { AuthorizationServerPlan } from '../plan.ts';
import type { Clock, EpochMilliseconds, Milliseconds } from '../units.ts';
import type { FetchedMetadata, FetchMetadata } from './fetch-metadata.ts';

/** The metadata document as JSON text; that there is none; or that it can't be had now. */
export type ServedMetadata =
  | { readonly outcome: 'found'; readonly document: string }
  | { readonly outcome: 'absent' | 'unavailable' };

/** The authorization server of a protected resource, as far as its metadata goes. */
export interface AuthorizationServer {
  /** The metadata, from memory where it is young enough. Never rejects. */
  metadata(): ServedMetadata | Promise<ServedMetadata>;
  /** A fetch under way is aborted. */
  close(): void;
}

export interface AuthorizationServerOptions {
  readonly fetch: FetchMetadata;
  readonly clock: Clock;
  /** A sentence for the log. */
  readonly onWarning: (warning: string) => void;
  readonly timing?: Partial<AuthorizationServerTiming>;
}

export interface AuthorizationServerTiming {
  /** How long a document is served without asking again. */
  readonly freshMs: Milliseconds;
  /** How long it is served while the issuer can't be reached. */
  readonly staleMs: Milliseconds;
  /** The least time from one fetch that brought nothing to the next. */
  readonly cooldownMs: Milliseconds;
  /** How long all requests of one fetch may take together. */
  readonly fetchTimeoutMs: Milliseconds;
}

const defaultTiming: AuthorizationServerTiming = {
  freshMs: 300_000,
  staleMs: 86_400_000,
  cooldownMs: 10_000,
  fetchTimeoutMs: 5_000,
};

/**
 * Mirrors the metadata of one issuer (RFC 8414). It is fetched when a client first asks, by one fetch for all
 * who ask meanwhile; the last good document stays while the issuer is down, up to a bound.
 */
export function createAuthorizationServer(
  plan: AuthorizationServerPlan,
  { fetch, clock, onWarning, timing: given }: AuthorizationServerOptions,
): AuthorizationServer {
  const timing = { ...defaultTiming, ...given };
  const abort = new AbortController();
  let last: { readonly document: string; readonly atMs: EpochMilliseconds } | null = null;
  let failed: {
    readonly outcome: 'absent' | 'unavailable';
    readonly atMs: EpochMilliseconds;
  } | null = null;
  let inFlight: Promise<ServedMetadata> | null = null;

  /** Whether less than that time has passed; a clock that was set back counts as more. */
  function isWithin(atMs: EpochMilliseconds, lengthMs: Milliseconds): boolean {
    const ageMs = clock() - atMs;
    return ageMs >= 0 && ageMs < lengthMs;
  }

  function fromMemory(): ServedMetadata | null {
    if (last !== null && isWithin(last.atMs, timing.freshMs)) {
      return { outcome: 'found', document: last.document };
    }
    return failed !== null && isWithin(failed.atMs, timing.cooldownMs) ? withoutNews() : null;
  }

  function withoutNews(): ServedMetadata {
    if (last !== null && isWithin(last.atMs, timing.staleMs)) {
      return { outcome: 'found', document: last.document };
    }
    return { outcome: failed?.outcome ?? 'unavailable' };
  }

  async function refresh(): Promise<ServedMetadata> {
    const deadline = AbortSignal.timeout(timing.fetchTimeoutMs);
    const fetched = await settled(fetch(plan, AbortSignal.any([abort.signal, deadline])));
    inFlight = null;
    if (fetched.outcome === 'found') {
      failed = null;
      last = { document: render(plan, fetched.members), atMs: clock() };
      return { outcome: 'found', document: last.document };
    }
    failed = {
      outcome: fetched.outcome === 'absent' ? 'absent' : 'unavailable',
      atMs: clock(),
    };
    const problem = fetched.outcome === 'failed' ? fetched.problem : 'the issuer has none';
    if (!abort.signal.aborted) onWarning(`metadata of ${plan.issuer}: ${problem}`);
    return withoutNews();
  }

  return {
    metadata: () => fromMemory() ?? (inFlight ??= refresh()),
    close: () => abort.abort(),
  };
}

async function settled(fetching: Promise<FetchedMetadata>): Promise<FetchedMetadata> {
  try {
    return await fetching;
  } catch {
    return { outcome: 'failed', problem: 'the fetch failed unexpectedly' };
  }
}

/** The document to serve: the issuer's own, but for what its provider needs besides. */
function render({ audience }: AuthorizationServerPlan, members: JsonObject): string {
  const { authorization_endpoint: endpoint } = members;
  const url = typeof endpoint === 'string' ? parseUrl(endpoint) : null;
  if (audience === null || url === null) return JSON.stringify(members);
  url.searchParams.set('audience', audience);
  return JSON.stringify({ ...members, authorization_endpoint: url.href });
}
