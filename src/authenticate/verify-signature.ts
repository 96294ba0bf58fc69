import { compactVerify, errors, importJWK } from 'jose';
import type { CryptoKey } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Algorithm } from './algorithms.ts';
import type { PublicJwk } from './verification-key.ts';

/** One signature to check, as it travels to a thread. */
export interface SignatureCheck {
  /** The compact JWS. */
  readonly token: string;
  /** The only algorithm to accept, whatever the token's header says. */
  readonly algorithm: Algorithm;
  readonly jwk: PublicJwk;
  /** Of the key, RFC 7638; tells the imported keys apart. */
  readonly thumbprint: string;
}

/** `failed`: the check could not be made, which says nothing about the token. */
export type SignatureOutcome = 'valid' | 'invalid' | 'failed';

const maxImportedKeys = 1000;

// An imported key is bound to its algorithm, so the same RSA key may stand under several.
const importedKeys = new Map<Algorithm, LRUCache<string, CryptoKey>>();

/** Checks one signature (RFC 7515, 5.2) with the given key and algorithm. Never rejects. */
export async function verifySignature(check: SignatureCheck): Promise<SignatureOutcome> {
  let key: CryptoKey;
  try {
    key = await importKey(check);
  } catch {
    return 'failed';
  }
  try {
    await compactVerify(check.token, key, { algorithms: [check.algorithm] });
    return 'valid';
  } catch (error) {
    return error instanceof errors.JOSEError ? 'invalid' : 'failed';
  }
}

async function importKey(check: SignatureCheck): Promise<CryptoKey> {
  const { algorithm, jwk, thumbprint } = check;
  let keys = importedKeys.get(algorithm);
  if (keys === undefined) {
    keys = new LRUCache({ max: maxImportedKeys });
    importedKeys.set(algorithm, keys);
  }
  const known = keys.get(thumbprint);
  if (known !== undefined) return known;
  const key = await importJWK({ ...jwk }, algorithm);
  if (key instanceof Uint8Array) throw new TypeError('a public key was expected');
  keys.set(thumbprint, key);
  return key;
}
