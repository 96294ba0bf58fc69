import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isJsonObject } from './json-object.ts';

/** The members of a public JWK (RFC 7517, RFC 7518 section 6, RFC 8037) and nothing else. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly e: string; readonly n: string }
  | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: string; readonly x: string };

/** One key of a provider's set. Two readings of the same JWK give two objects; see {@link isSameKey}. */
export interface VerificationKey {
  readonly kid: string;
  readonly jwk: PublicJwk;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
  /** The only algorithm the key is for, `null` where the JWK does not say. */
  readonly alg: string | null;
  /** False where `use` or `key_ops` reserve the key for something else than signatures. */
  readonly forSignatures: boolean;
}

const minRsaBits = 2048;
const maxRsaBits = 8192;

/**
 * Reads one member of a key set and makes sure that it can verify signatures.
 *
 * @returns the key, or why it is not usable, in words that hold nothing of the key
 */
export function readVerificationKey(jwk: unknown): VerificationKey | string {
  if (!isJsonObject(jwk)) return 'the key is not a JSON object';
  const { kid, use, alg, key_ops: keyOps } = jwk;
  if (typeof kid !== 'string' || kid === '') return 'the key is missing the `kid` attribute';
  if (jwk.kty === 'oct') return 'a symmetric key can not verify tokens';
  if (jwk.d !== undefined) return 'the key is private; only its public members belong here';
  if (use !== undefined && typeof use !== 'string') return '`use` is not a string';
  if (alg !== undefined && typeof alg !== 'string') return '`alg` is not a string';
  if (keyOps !== undefined && !Array.isArray(keyOps)) return '`key_ops` is not a list';

  const publicJwk = readPublicJwk(jwk);
  if (typeof publicJwk === 'string') return publicJwk;
  const problem = findKeyProblem(publicJwk);
  if (problem !== null) return problem;
  return {
    kid,
    jwk: publicJwk,
    thumbprint: thumbprint(publicJwk),
    alg: alg ?? null,
    forSignatures:
      (use === undefined || use === 'sig') && (keyOps === undefined || keyOps.includes('verify')),
  };
}

/** The key as a member of a set (RFC 7517, section 4) that {@link readVerificationKey} makes the same key of. */
export function writeVerificationKey({
  kid,
  jwk,
  alg,
  forSignatures,
}: VerificationKey): Readonly<Record<string, string>> {
  return { kid, ...jwk, ...(alg !== null && { alg }), use: forSignatures ? 'sig' : 'enc' };
}

/** Whether two keys are interchangeable: whatever one accepts, the other accepts. */
export function isSameKey(a: VerificationKey, b: VerificationKey): boolean {
  return (
    a.kid === b.kid &&
    a.thumbprint === b.thumbprint &&
    a.alg === b.alg &&
    a.forSignatures === b.forSignatures
  );
}

function readPublicJwk(jwk: Readonly<Record<string, unknown>>): PublicJwk | string {
  const { kty, crv, n, e, x, y } = jwk;
  if (kty === 'RSA') {
    if (typeof n !== 'string' || typeof e !== 'string') return '`n` or `e` is missing';
    return { kty, e, n };
  }
  if (kty === 'EC') {
    if (crv !== 'P-256' && crv !== 'P-384' && crv !== 'P-521') return 'the curve is not supported';
    if (typeof x !== 'string' || typeof y !== 'string') return '`x` or `y` is missing';
    return { kty, crv, x, y };
  }
  if (kty === 'OKP') {
    if (crv !== 'Ed25519') return 'the curve is not supported';
    if (typeof x !== 'string') return '`x` is missing';
    return { kty, crv, x };
  }
  return 'the key type is not supported';
}

function findKeyProblem(jwk: PublicJwk): string | null {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return 'its members do not form a valid public key';
  }
  if (jwk.kty !== 'RSA') return null;
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < minRsaBits || modulusLength > maxRsaBits) {
    return `an RSA key must have ${minRsaBits} to ${maxRsaBits} bits`;
  }
  // With the exponent 1 every message is its own signature.
  return publicExponent < 3n || publicExponent % 2n === 0n
    ? 'the RSA exponent is not usable'
    : null;
}

/** RFC 7638, section 3: the required members in the order of their names. */
function thumbprint(jwk: PublicJwk): string {
  const canonical =
    jwk.kty === 'RSA'
      ? { e: jwk.e, kty: jwk.kty, n: jwk.n }
      : jwk.kty === 'EC'
        ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
        : { crv: jwk.crv, kty: jwk.kty, x: jwk.x };
  return createHash('sha256').update(JSON.stringify(canonical)).digest('base64url');
}
