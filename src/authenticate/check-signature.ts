import { constants, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Algorithm } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { readJsonObject } from './json-object.ts';

/** What node:crypto has to know of an algorithm (RFC 7518, 3.1; RFC 8037, 3.1). */
interface Scheme {
  /** `null` where the algorithm has its own. */
  readonly digest: string | null;
  readonly padding?: number;
  readonly saltLength?: number;
  readonly dsaEncoding?: 'ieee-p1363';
}

const pkcs1 = { padding: constants.RSA_PKCS1_PADDING };
/** The salt is as long as the digest, no other length is taken (RFC 7518, 3.5). */
const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
/** R and S side by side, of full length (RFC 7518, 3.4). */
const ecdsa = { dsaEncoding: 'ieee-p1363' } as const;

const schemes: Readonly<Record<Algorithm, Scheme>> = {
  RS256: { digest: 'sha256', ...pkcs1 },
  RS384: { digest: 'sha384', ...pkcs1 },
  RS512: { digest: 'sha512', ...pkcs1 },
  PS256: { digest: 'sha256', ...pss(32) },
  PS384: { digest: 'sha384', ...pss(48) },
  PS512: { digest: 'sha512', ...pss(64) },
  ES256: { digest: 'sha256', ...ecdsa },
  ES384: { digest: 'sha384', ...ecdsa },
  ES512: { digest: 'sha512', ...ecdsa },
  EdDSA: { digest: null },
  Ed25519: { digest: null },
};

const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/**
 * Checks the signature of a compact JWS (RFC 7515, 5.2), here and now: WebCrypto would do it on the threads that the
 * whole process shares for files and names, for about twice the CPU (`bench/micro/authenticate/check-signature.ts`).
 *
 * The header must name the algorithm, whatever was read of the token elsewhere, and ask for no extension.
 *
 * @param key public, and of the type that the algorithm needs
 * @returns whether the key made the signature
 */
export function isSigned(token: string, algorithm: Algorithm, key: KeyObject): boolean {
  const [, header, , signature] = COMPACT.exec(token) ?? [];
  if (header === undefined || signature === undefined) return false;
  const headerOctets = decodeBase64url(header);
  const signatureOctets = decodeBase64url(signature);
  if (headerOctets === null || signatureOctets === null) return false;
  const { members } = readJsonObject(headerOctets);
  if (members?.alg !== algorithm || members.crit !== undefined || members.b64 !== undefined) {
    return false;
  }
  // ASCII: the pattern lets nothing else through.
  const signed = Buffer.from(token.slice(0, token.length - signature.length - 1), 'latin1');
  const { digest, ...options } = schemes[algorithm];
  try {
    return verify(digest, signed, { key, ...options }, signatureOctets);
  } catch {
    // OpenSSL refuses some signatures with an error, such as those that are no number below the modulus.
    return false;
  }
}
