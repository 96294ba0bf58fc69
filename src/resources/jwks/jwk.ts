import { createPublicKey, type KeyObject } from 'node:crypto';

/** Public members of a JWK (RFC 7517), canonical, always with a `kid`. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kid: string };

export type ReadJwk =
  | { readonly jwk: PublicJwk }
  /** The key is of a kind that can't be used here; others in its set may be. */
  | { readonly unusable: string }
  /** The key must not stand in a resource at all, or has no name. */
  | { readonly refused: string };

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;
const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const ecAlgorithms: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
};
const minRsaModulusBits = 2048;

/**
 * Checks one JWK for use as a verification key (RFC 7517, RFC 7518 section 6, RFC 8037).
 *
 * @returns its public members in canonical form, so that a modulus with leading zero octets (RFC 7518,
 * 6.3.1.1 forbids them, yet they are met) is stored without them
 */
export function readJwk(jwk: Readonly<Record<string, unknown>>): ReadJwk {
  const refused = refusal(jwk);
  if (refused !== null) return { refused };
  const { kid } = jwk;
  if (typeof kid !== 'string' || kid === '') {
    return { refused: 'the key is missing the `kid` attribute' };
  }

  const { use, key_ops: keyOperations, alg } = jwk;
  if (use !== undefined && use !== 'sig') {
    return { unusable: 'its `use` is not "sig"' };
  }
  if (keyOperations !== undefined) {
    if (!Array.isArray(keyOperations) || !keyOperations.includes('verify')) {
      return { unusable: 'its `key_ops` do not include "verify"' };
    }
  }

  const key = importPublicKey(jwk);
  if (typeof key === 'string') return { unusable: key };
  const algorithms = suitableAlgorithms(key);
  if (typeof algorithms === 'string') return { unusable: algorithms };
  if (alg !== undefined && (typeof alg !== 'string' || !algorithms.includes(alg))) {
    return { unusable: `its \`alg\` is none of ${algorithms.join(', ')}, which suit the key` };
  }

  return {
    jwk: {
      ...key.export({ format: 'jwk' }),
      kid,
      ...(use === undefined ? {} : { use }),
      ...(alg === undefined ? {} : { alg }),
    },
  };
}

/** The signature algorithms that suit a public key (RFC 7518, 3.1; RFC 8037), or why there is none. */
export function suitableAlgorithms(key: KeyObject): readonly string[] | string {
  const details = key.asymmetricKeyDetails ?? {};
  const { asymmetricKeyType: type } = key;
  if (type === 'rsa') {
    if ((details.modulusLength ?? 0) < minRsaModulusBits) {
      return `an RSA key needs at least ${minRsaModulusBits} bits`;
    }
    const exponent = details.publicExponent ?? 0n;
    // With an exponent of 1 the signature is the message: anybody could sign.
    if (exponent < 3n || exponent % 2n === 0n) return 'its RSA exponent is not safe';
    return rsaAlgorithms;
  }
  if (type === 'ec') {
    const algorithm = ecAlgorithms[key.export({ format: 'jwk' }).crv ?? ''];
    return algorithm === undefined ? 'its curve is none of P-256, P-384, P-521' : [algorithm];
  }
  if (type === 'ed25519') return ['EdDSA', 'Ed25519'];
  return 'it is not an RSA, EC or Ed25519 key';
}

function refusal(jwk: Readonly<Record<string, unknown>>): string | null {
  const { kty, alg } = jwk;
  if (kty === 'oct' || 'k' in jwk) {
    return 'a symmetric key must not be used: everybody who verifies with it could sign too';
  }
  if (privateMembers.some((member) => member in jwk)) {
    return 'it is a private key; give the public key alone';
  }
  if (typeof alg === 'string' && /^(?:none|HS[0-9]+)$/i.test(alg)) {
    return 'its `alg` must be that of a public key signature, neither none nor HMAC';
  }
  return null;
}

function importPublicKey(jwk: Readonly<Record<string, unknown>>): KeyObject | string {
  const { kty, crv, n, e, x, y } = jwk;
  switch (kty) {
    case 'RSA':
    case 'EC':
    case 'OKP':
      break;
    default:
      return 'its `kty` is none of RSA, EC, OKP';
  }
  const members = { kty, crv, n, e, x, y };
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    if (typeof value !== 'string') return `its member \`${name}\` is not a string`;
    present[name] = value;
  }
  try {
    return createPublicKey({ key: present, format: 'jwk' });
  } catch {
    return 'its members do not make a public key';
  }
}
