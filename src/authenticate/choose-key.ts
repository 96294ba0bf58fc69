import { keyTypeByAlgorithm } from './algorithms.ts';
import type { Algorithm } from './algorithms.ts';
import type { VerificationKey } from './verification-key.ts';

/**
 * Whether a key may verify a signature made with an algorithm: its type and curve fit (RFC 7518, 3.1), its
 * own `alg`, where it has one, is the same (RFC 8725, 3.1), and `use` and `key_ops` allow it (RFC 7517,
 * 4.2 and 4.3).
 */
export function suitsAlgorithm(key: VerificationKey, algorithm: Algorithm): boolean {
  const type = keyTypeByAlgorithm.get(algorithm);
  const crv = key.jwk.kty === 'RSA' ? null : key.jwk.crv;
  if (key.jwk.kty !== type?.kty || crv !== type.crv) return false;
  return key.forSignatures && (key.alg === null || key.alg === algorithm);
}

/**
 * The keys to try, of those that a provider's set has for a token's `kid`. A key that stands in the set
 * under two names is tried once.
 */
export function chooseKeys(
  keys: readonly VerificationKey[],
  algorithm: Algorithm,
): readonly VerificationKey[] {
  return keys.filter(
    (key, index) =>
      suitsAlgorithm(key, algorithm) &&
      keys.findIndex(
        (other) => other.thumbprint === key.thumbprint && suitsAlgorithm(other, algorithm),
      ) === index,
  );
}
