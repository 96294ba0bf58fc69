/** The identities of a run: one RSA key that every subject trusts, and tokens under it and under another. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

export const ISSUER = 'https://bench.test';
export const AUDIENCE = 'bench';

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA';

export interface Identities {
  readonly jwks: string;
  readonly rsaPublicKeyPem: string;
  /** May. */
  readonly alice: string;
  /** Is known, and may not. */
  readonly bob: string;
  /** Says to be Alice, signed by another key under the same key id. */
  readonly forged: string;
  /** Tokens of Alice, no two alike; the same ones each time. */
  many(count: number, algorithm?: Algorithm): readonly string[];
}

export function createIdentities(): Identities {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const keys: Readonly<Record<Algorithm, KeyObject>> = {
    RS256: rsa.privateKey,
    ES256: ec.privateKey,
    EdDSA: ed.privateKey,
  };
  const jwk = (key: KeyObject, alg: Algorithm) => ({
    ...key.export({ format: 'jwk' }),
    kid: alg,
    alg,
    use: 'sig',
  });
  const made = new Map<string, readonly string[]>();
  return {
    jwks: JSON.stringify({
      keys: [jwk(rsa.publicKey, 'RS256'), jwk(ec.publicKey, 'ES256'), jwk(ed.publicKey, 'EdDSA')],
    }),
    rsaPublicKeyPem: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    alice: makeToken('RS256', rsa.privateKey, 'alice', 0),
    bob: makeToken('RS256', rsa.privateKey, 'bob', 0),
    forged: makeToken('RS256', other.privateKey, 'alice', 0),
    many(count, algorithm = 'RS256') {
      const key = `${algorithm} ${count}`;
      const existing = made.get(key);
      if (existing !== undefined) return existing;
      const tokens = Array.from({ length: count }, (_, index) =>
        makeToken(algorithm, keys[algorithm], 'alice', index + 1),
      );
      made.set(key, tokens);
      return tokens;
    },
  };
}

export function makeToken(alg: Algorithm, key: KeyObject, sub: string, index: number): string {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg, kid: alg, typ: 'JWT' })}.${part({
    iss: ISSUER,
    aud: AUDIENCE,
    sub,
    team: 'tools',
    jti: `bench-${index}`,
    iat: nowSeconds,
    exp: nowSeconds + 7200,
  })}`;
  const signature = sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), {
    key,
    dsaEncoding: 'ieee-p1363',
  });
  return `${text}.${signature.toString('base64url')}`;
}
