/**
 * The signature algorithms that a token may use (RFC 7518, 3.1; RFC 8037; RFC 9864), and the kind of key
 * each one needs. `none` and the HMAC family are absent on purpose: a public key must never serve as a
 * shared secret (RFC 8725, 3.1).
 */

export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519';

export interface KeyType {
  readonly kty: 'RSA' | 'EC' | 'OKP';
  /** `null` for RSA. */
  readonly crv: string | null;
}

const rsa: KeyType = { kty: 'RSA', crv: null };
const ed25519: KeyType = { kty: 'OKP', crv: 'Ed25519' };

export const keyTypeByAlgorithm: ReadonlyMap<string, KeyType> = new Map<Algorithm, KeyType>([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
]);

/**
 * Whether a token header's `alg` names an algorithm that is allowed at all. Names are case-sensitive
 * (RFC 7515, 4.1.1).
 */
export function isAlgorithm(name: string): name is Algorithm {
  return keyTypeByAlgorithm.has(name);
}
