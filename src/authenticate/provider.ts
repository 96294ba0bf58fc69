import { Refusal } from '../errors.ts';
import type { ProviderPlan } from '../plan.ts';
import type { Clock, EpochMilliseconds } from '../units.ts';
import { checkClaims, validFromMs } from './check-claims.ts';
import { chooseKeys } from './choose-key.ts';
import type { KeySet } from './key-set.ts';
import { quoteUntrusted } from './quote-untrusted.ts';
import type { ReadToken } from './read-token.ts';
import type { VerificationKey } from './verification-key.ts';
import type { VerifySignature } from './verify-pool.ts';

/** One provider of a policy with its keys. */
export interface Provider {
  readonly plan: ProviderPlan;
  readonly keySet: KeySet;
}

export interface Acceptance {
  readonly accepted: true;
  readonly provider: Provider;
  readonly key: VerificationKey;
  /** Generation of the key set in which the key was found. */
  readonly generation: number;
}

export interface Rejection {
  readonly accepted: false;
  readonly provider: Provider;
  readonly refusal: Refusal;
  /** From when on a new judgement could come out differently though no key changed. */
  readonly finalUntilMs: EpochMilliseconds;
}

export interface JudgeOptions {
  readonly verifySignature: VerifySignature;
  readonly clock: Clock;
}

/** Whether the provider has no key for this token at the moment. */
export function lacksKey(token: ReadToken, provider: Provider): boolean {
  return provider.keySet.find(token.kid).length === 0;
}

/**
 * Judges a token by one provider, cheapest check first: claims (`exp`, `nbf`, `iss`, `aud`), then the key
 * by `kid` within this provider's set, then the key's fitness for the algorithm, then the signature. So a
 * token that is out of date costs neither a fetch nor a signature check. Claims decide only to refuse until
 * the signature is verified.
 *
 * Waits for a fetch where the set has no keys yet or does not know the `kid`; the wait is bounded.
 */
export async function judgeToken(
  token: ReadToken,
  provider: Provider,
  options: JudgeOptions,
): Promise<Acceptance | Rejection> {
  const { plan, keySet } = provider;
  const { clock, verifySignature } = options;
  const reject = (refusal: Refusal, finalUntilMs: EpochMilliseconds = Infinity): Rejection => ({
    accepted: false,
    provider,
    refusal,
    finalUntilMs,
  });
  const claimsRefusal = checkClaims(token.claims, plan, clock());
  if (claimsRefusal !== null) return reject(claimsRefusal, validFromOrNever(token, plan, clock()));

  let keys = keySet.find(token.kid);
  // A fetch that was under way before may miss a key that is newer than it; then ask once more.
  const mayAsk = token.kid !== null;
  for (let attempt = 0; mayAsk && keys.length === 0 && attempt < 2; attempt += 1) {
    const refetch = keySet.refetch();
    if (refetch === null) break;
    await refetch;
    keys = keySet.find(token.kid);
  }
  if (keys.length === 0) {
    if (token.kid === null) return reject(new Refusal('TOKEN_WITHOUT_KID'));
    if (keySet.generation === 0) return reject(new Refusal('KEYS_UNAVAILABLE'));
    return reject(unknownKey(token.kid), keySet.refetchAllowedAtMs);
  }

  const { generation } = keySet;
  const suitable = chooseKeys(keys, token.algorithm);
  if (suitable.length === 0) {
    const detail = `no key of this kid is for ${token.algorithm}`;
    return reject(new Refusal('TOKEN_ALGORITHM_REFUSED', { detail }));
  }

  for (const key of suitable) {
    const outcome = await verifySignature({
      token: token.compact,
      algorithm: token.algorithm,
      jwk: key.jwk,
      thumbprint: key.thumbprint,
    });
    if (outcome === 'overloaded') return reject(new Refusal('VERIFICATION_OVERLOADED'));
    if (outcome === 'failed') return reject(new Refusal('VERIFICATION_FAILED'));
    if (outcome === 'invalid') continue;
    // Time has passed: the token may have expired, and the key may be gone.
    const lateRefusal = checkClaims(token.claims, plan, clock());
    if (lateRefusal !== null) return reject(lateRefusal);
    if (!keySet.has(key)) return reject(unknownKey(key.kid));
    return { accepted: true, provider, key, generation };
  }
  return reject(new Refusal('TOKEN_SIGNATURE_INVALID'));
}

function validFromOrNever(
  token: ReadToken,
  plan: ProviderPlan,
  nowMs: EpochMilliseconds,
): EpochMilliseconds {
  const fromMs = validFromMs(token.claims, plan);
  return nowMs < fromMs ? fromMs : Infinity;
}

function unknownKey(kid: string): Refusal {
  const quoted = quoteUntrusted(kid, 128);
  return new Refusal('TOKEN_KEY_UNKNOWN', {
    text: `authentication failure: token uses the unknown key ${quoted}`,
  });
}
