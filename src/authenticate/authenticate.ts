import { Refusal } from '../errors.ts';
import type { RefusalCode } from '../errors.ts';
import type { AuthenticationPlan, ProviderPlan } from '../plan.ts';
import { waitForTurn } from '../timers/few-each-turn.ts';
import type { Bytes, Clock, EpochMilliseconds } from '../units.ts';
import type { Authenticated, Authenticator, TokenLocation } from './authenticator.ts';
import { refuseFor } from './challenge.ts';
import { validFromMs } from './check-claims.ts';
import { askProviders } from './ask-providers.ts';
import { compileTokenSources } from './find-token.ts';
import type { FoundToken, ProviderGroup } from './find-token.ts';
import { reconsider } from './hold.ts';
import type { KeySetState } from './key-set.ts';
import type { KeySetStore } from './key-set-store.ts';
import { makePrincipal } from './make-principal.ts';
import { openProviders } from './open-providers.ts';
import type { Acceptance, Provider } from './provider.ts';
import { defaultMaxTokenBytes, readToken } from './read-token.ts';
import type { ReadToken } from './read-token.ts';
import { findTokenAgain, type TokenFindings } from './remembered-token.ts';
import { createTokenCache, defaultTokenCacheLimits } from './token-cache.ts';
import type { AcceptedToken, TokenCacheLimits, TokenCacheState } from './token-cache.ts';
import { tokenDemands } from './token-demands.ts';
import type { VerifySignature } from './verify-pool.ts';

/** An {@link Authenticator} with what the composition root and the metrics need besides. */
export interface PolicyAuthenticator extends Authenticator {
  /** One for each provider, in the policy's order. */
  readonly keySets: readonly KeySetState[];
  readonly cache: TokenCacheState;
  /** Tokens that are being judged now. */
  readonly inFlight: number;
  /** Resolves once every remote set with `waitForFirstFetch` has been fetched. Never rejects. */
  readonly ready: Promise<void>;
  /** Gives the remote key sets back. Requests that still come are judged with the keys at hand. */
  close(): void;
}

/** Called once for each token that is judged or recognised. `provider` is null where none applies. */
export type OnVerdict = (
  policy: string,
  provider: string | null,
  outcome: 'verified' | 'cached' | 'refused',
  code: RefusalCode | null,
) => void;

export interface AuthenticatorOptions {
  readonly clock: Clock;
  /** Of the process's verify pool. */
  readonly verifySignature: VerifySignature;
  /** Whether it would refuse a check now. */
  readonly isVerifyQueueFull?: () => boolean;
  readonly keySets: KeySetStore;
  /** A sentence for the log. */
  readonly onWarning: (warning: string) => void;
  readonly onVerdict?: OnVerdict;
  /** Asked before a token that is not known is looked into; what it returns is the answer. */
  readonly refuseCold?: () => Refusal | null;
  readonly limits?: Partial<AuthenticatorLimits>;
}

export interface AuthenticatorLimits extends TokenCacheLimits {
  readonly maxTokenBytes: Bytes;
  /** How many different tokens may be in judgement at once. */
  readonly maxInFlight: number;
}

const defaultLimits: AuthenticatorLimits = {
  ...defaultTokenCacheLimits,
  maxTokenBytes: defaultMaxTokenBytes,
  maxInFlight: 10_000,
};

interface ProviderScope {
  readonly group: ProviderGroup;
  readonly providers: readonly Provider[];
  readonly kidRequired: boolean;
  readonly inFlight: Map<string, Promise<Judgement>>;
}

type Judgement = AcceptedToken | Rejected;

interface Rejected {
  readonly refusal: Refusal;
  readonly provider: string | null;
}

/**
 * Compiles one authentication policy.
 *
 * A token that was judged before is answered at once from the cache. A new one is read, judged by the
 * providers that look where it stood, and remembered; requests that bring the same token meanwhile wait
 * for the same judgement. Refusals carry the policy's name and its failure status.
 *
 * `AllowMissing` lets a request without a token pass. `AllowMissingOrFailed` lets a refused token pass too, but
 * tells its location, so that an unverified token does not go upstream. Several tokens are refused in
 * every mode: nobody could say which one the upstream would go by.
 */
export function createAuthenticator(
  plan: AuthenticationPlan,
  options: AuthenticatorOptions,
): PolicyAuthenticator {
  const limits = { ...defaultLimits, ...options.limits };
  const { clock, onVerdict = () => undefined } = options;
  const opened = openProviders(plan, options.keySets, options.onWarning);
  const { providers, ready } = opened;
  const sources = compileTokenSources(plan.providers.map((provider) => provider.tokenSources));
  const cache = createTokenCache(limits);
  const scopes = new Map<ProviderGroup, ProviderScope>(
    sources.groups.map((group) => [group, scopeOf(group, providers)]),
  );
  let inFlight = 0;

  function authenticate(
    request: Parameters<Authenticator['authenticate']>[0],
    nowMs: EpochMilliseconds,
    findings: TokenFindings | null = null,
  ): Authenticated | Refusal | Promise<Authenticated | Refusal> {
    const token = findTokenAgain(request, sources, findings);
    const { found, accepted } = token;
    if (found instanceof Refusal) return withoutToken(found);
    if (accepted !== null && cache.holds(accepted, nowMs)) {
      return accept(accepted, found.location, 'cached');
    }
    if (found.token.length > limits.maxTokenBytes) {
      const refusal = refuseFor(plan, new Refusal('TOKEN_TOO_LARGE'));
      return refuse({ refusal, provider: null }, found.location);
    }
    const entry = cache.findAccepted(found.token, found.group, nowMs);
    if (entry === undefined) return authenticateNew(found, nowMs);
    token.accepted = entry;
    return accept(entry, found.location, 'cached');
  }

  function authenticateNew(
    found: FoundToken,
    nowMs: EpochMilliseconds,
  ): Authenticated | Refusal | Promise<Authenticated | Refusal> {
    const { token, group, location } = found;
    const scope = scopes.get(group) ?? scopeOf(group, providers);
    const generations = generationsOf(scope);
    const refused = cache.findRefused(token, group, generations, nowMs);
    if (refused !== undefined) return refuse(refused, location);

    const known = scope.inFlight.get(token);
    if (known !== undefined) return known.then((verdict) => answer(verdict, location, 'cached'));
    // Before anything of the token is read: what comes of a flood beyond what the threads can do costs little.
    if (inFlight >= limits.maxInFlight || options.isVerifyQueueFull?.() === true) {
      const refusal = refuseFor(plan, new Refusal('VERIFICATION_OVERLOADED'));
      return refuse({ refusal, provider: null }, location);
    }

    const overloaded = options.refuseCold?.() ?? null;
    // Not by way of refuse(): a token that nobody looked into must not pass, whatever the mode.
    if (overloaded !== null) return overloaded;

    const turn = waitForTurn();
    const begun =
      turn === null
        ? judgeNew(found, scope, generations)
        : turn.then(() => judgeNew(found, scope, generations));
    if (!(begun instanceof Promise)) return refuse(begun, location);
    const judgement = begun.finally(() => {
      inFlight -= 1;
      scope.inFlight.delete(token);
    });
    inFlight += 1;
    scope.inFlight.set(token, judgement);
    return judgement.then((verdict) => answer(verdict, location, 'verified'));
  }

  /** Reads a new token and has it judged; one that can't be read is refused without a wait. */
  function judgeNew(
    found: FoundToken,
    scope: ProviderScope,
    generations: number,
  ): Rejected | Promise<Judgement> {
    const { group } = scope;
    const read = readToken(found.token, scope.kidRequired);
    if (!(read instanceof Refusal)) return judge(read, scope, found, generations);
    const refusal = refuseFor(plan, read);
    const rejected = { refusal, provider: null, group, generations, finalUntilMs: Infinity };
    cache.addRefused(found.token, rejected, clock());
    return rejected;
  }

  /** Never rejects: a mistake of ours becomes VERIFICATION_FAILED. */
  async function judge(
    token: ReadToken,
    scope: ProviderScope,
    found: FoundToken,
    generations: number,
  ): Promise<Judgement> {
    const { group } = scope;
    try {
      const verdict = await askProviders(token, scope.providers, options);
      if (verdict.accepted) {
        const entry = acceptedToken(token, verdict, found);
        cache.addAccepted(found.token, entry);
        return entry;
      }
      const { provider, finalUntilMs } = verdict;
      const refusal = refuseFor(plan, verdict.refusal);
      const { name } = provider.plan;
      const rejected = { refusal, provider: name, group, generations, finalUntilMs };
      if (refusal.kind.status < 500) cache.addRefused(found.token, rejected, clock());
      return rejected;
    } catch (error) {
      const detail = error instanceof Error ? error.name : 'unknown error';
      return {
        refusal: refuseFor(plan, new Refusal('VERIFICATION_FAILED', { detail })),
        provider: null,
      };
    }
  }

  function answer(
    verdict: Judgement,
    location: TokenLocation,
    outcome: 'verified' | 'cached',
  ): Authenticated | Refusal {
    return 'refusal' in verdict ? refuse(verdict, location) : accept(verdict, location, outcome);
  }

  function accept(
    entry: AcceptedToken,
    location: TokenLocation,
    outcome: 'verified' | 'cached',
  ): Authenticated {
    const { verdict } = entry;
    onVerdict(plan.policy, verdict.principal?.provider ?? null, outcome, null);
    // The same token may come from another of the policy's places.
    return verdict.location === location ? verdict : { principal: verdict.principal, location };
  }

  function refuse(rejected: Rejected, location: TokenLocation): Authenticated | Refusal {
    const { refusal, provider } = rejected;
    onVerdict(plan.policy, provider, 'refused', refusal.kind.code);
    return plan.mode === 'AllowMissingOrFailed' ? { principal: null, location } : refusal;
  }

  function withoutToken(refusal: Refusal): Authenticated | Refusal {
    const { code } = refusal.kind;
    if (code === 'TOKEN_MISSING' && plan.mode !== 'RequireValid') return anonymous;
    onVerdict(plan.policy, null, 'refused', code);
    return refuseFor(plan, refusal);
  }

  return {
    policy: plan.policy,
    reservedHeaders: reservedHeadersOf(plan.providers),
    demands: tokenDemands(plan),
    ignoresRefusals: plan.mode === 'AllowMissingOrFailed',
    authenticate,
    reconsider: (earlier) => reconsider(plan, providers, earlier),
    ready,
    get keySets() {
      return providers.map(({ keySet }) => keySet.state());
    },
    get cache() {
      return cache.state();
    },
    get inFlight() {
      return inFlight;
    },
    close: () => opened.release(),
  };
}

const anonymous: Authenticated = Object.freeze({ principal: null, location: null });

function acceptedToken(token: ReadToken, acceptance: Acceptance, found: FoundToken): AcceptedToken {
  const { provider, key, generation } = acceptance;
  const principal = makePrincipal(token, provider.plan);
  const { keySet } = provider;
  const { location } = found;
  principal.findings.hold = { claims: token.claims, location, keySet, key, generation };
  return {
    verdict: Object.freeze({ principal, location: found.location }),
    group: found.group,
    keySet: provider.keySet,
    key,
    generation,
    validFromMs: validFromMs(token.claims, provider.plan),
    validUntilMs: principal.expiresAtMs,
  };
}

function scopeOf(group: ProviderGroup, providers: readonly Provider[]): ProviderScope {
  const chosen = providers.filter((_provider, index) => group.providers.includes(index));
  return {
    group,
    providers: chosen,
    kidRequired: !chosen.some(({ plan }) => plan.keys.source === 'local' && plan.keys.kidOptional),
    inFlight: new Map(),
  };
}

function generationsOf(scope: ProviderScope): number {
  return scope.providers.reduce((sum, { keySet }) => sum + keySet.generation, 0);
}

function reservedHeadersOf(providers: readonly ProviderPlan[]): readonly string[] {
  const names = providers.flatMap((provider) =>
    provider.claimsToHeaders.map(({ header }) => header.toLowerCase()),
  );
  return Array.from(new Set(names));
}
