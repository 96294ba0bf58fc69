import { Refusal } from '../errors.ts';
import type { Bytes } from '../units.ts';
import { isAlgorithm } from './algorithms.ts';
import type { Algorithm } from './algorithms.ts';
import { readClaims } from './check-claims.ts';
import type { RegisteredClaims } from './check-claims.ts';
import { parseToken } from './parse-token.ts';
import { quoteUntrusted } from './quote-untrusted.ts';

/** The longest token that is looked at, unless an option says otherwise. */
export const defaultMaxTokenBytes: Bytes = 16 * 1024;

/** A token that says everything a provider needs to judge it. Nothing in it is verified. */
export interface ReadToken {
  readonly compact: string;
  readonly algorithm: Algorithm;
  readonly kid: string | null;
  readonly claims: RegisteredClaims;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Reads a compact token as far as that is possible without a key, in this order: form, `alg`, `kid`,
 * types of the registered claims and presence of `exp`.
 *
 * @param kidRequired false where a provider has a single key and needs no `kid`
 * @returns the token, or a refusal: those of {@link parseToken} and {@link readClaims},
 * TOKEN_ALGORITHM_REFUSED or TOKEN_WITHOUT_KID
 */
export function readToken(compact: string, kidRequired: boolean): ReadToken | Refusal {
  const parsed = parseToken(compact);
  if (parsed instanceof Refusal) return parsed;
  const { alg, kid, payload } = parsed;
  if (!isAlgorithm(alg)) {
    const detail = `alg ${quoteUntrusted(alg, 32)} is not allowed`;
    return new Refusal('TOKEN_ALGORITHM_REFUSED', { detail });
  }
  if (kid === null && kidRequired) return new Refusal('TOKEN_WITHOUT_KID');
  const claims = readClaims(payload);
  if (claims instanceof Refusal) return claims;
  return { compact, algorithm: alg, kid, claims, payload };
}
