import { KeyObject } from 'node:crypto';
import { importJWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Algorithm } from './algorithms.ts';
import { isSigned } from './check-signature.ts';
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
/** RFC 7518, 3.3 and 3.5. */
const minRsaBits = 2048;

// An imported key was found to suit its algorithm, so the same RSA key may stand under several.
const importedKeys = new Map<Algorithm, LRUCache<string, KeyObject>>();

/** Checks one signature (RFC 7515, 5.2) with the given key and algorithm. Never rejects. */
export async function verifySignature(check: SignatureCheck): Promise<SignatureOutcome> {
  try {
    const key =
      importedKeys.get(check.algorithm)?.get(check.thumbprint) ?? (await importKey(check));
    return isSigned(check.token, check.algorithm, key) ? 'valid' : 'invalid';
  } catch {
    return 'failed';
  }
}

/** @throws where the key is not a public one of the type and curve that the algorithm needs, or too short */
async function importKey({ algorithm, jwk, thumbprint }: SignatureCheck): Promise<KeyObject> {
  const imported = await importJWK({ ...jwk }, algorithm);
  if (imported instanceof Uint8Array) throw new TypeError('a public key was expected');
  const key = KeyObject.from(imported);
  if (key.type !== 'public') throw new TypeError('a public key was expected');
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (jwk.kty === 'RSA' && (bits === undefined || bits < minRsaBits)) {
    throw new TypeError('the RSA key is too short');
  }
  let keys = importedKeys.get(algorithm);
  if (keys === undefined) {
    keys = new LRUCache({ max: maxImportedKeys });
    importedKeys.set(algorithm, keys);
  }
  keys.set(thumbprint, key);
  return key;
}
