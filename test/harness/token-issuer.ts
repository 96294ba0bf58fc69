/** Makes keys, publishes their public halves as JWKs and signs tokens with them. */
import { createPrivateKey, sign } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

export interface TokenIssuer {
  readonly issuer: string;
  readonly kid: string;
  readonly alg: string;
  /** The public key, with kid, alg and use. */
  readonly jwk: JWK;
  /**
   * Signs a token. `iss` is the issuer's and `exp` is in an hour, unless the claims say otherwise; a claim
   * given as `undefined` is left out.
   */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  /** Signs any text, as if it were a header and a payload. */
  signText(text: string): Promise<string>;
}

/** The signature algorithms that the gate supports (RFC 7518, 3.1; RFC 8037). */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export async function createIssuer(
  options: { issuer?: string; kid?: string; alg?: string } = {},
): Promise<TokenIssuer> {
  const { issuer = 'https://issuer.test', kid = 'key-1', alg = 'ES256' } = options;
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    issuer,
    kid,
    alg,
    jwk,
    sign(claims = {}, header = {}) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer, exp: nowSeconds + 3600, ...claims };
      return new SignJWT(payload)
        .setProtectedHeader({ alg, kid, typ: 'JWT', ...header })
        .sign(privateKey);
    },
    async signText(text) {
      const key = await exportJWK(privateKey);
      const signer = createPrivateKey({ key: key, format: 'jwk' });
      const signature = sign('sha256', Buffer.from(text), signer);
      return `${text}.${signature.toString('base64url')}`;
    },
  };
}
