import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

import { suitableAlgorithms, type PublicJwk } from './jwk.ts';
import type { LocalKeys } from './local-keys.ts';

const block = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;
const publicLabels: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE']);

/**
 * Reads PEM public keys (RFC 7468). PEM has no `kid`, so each key is listed under its thumbprint
 * (RFC 7638, SHA-256, base64url), without and with `=` padding, as both are met in tokens. A PEM key
 * has one algorithm: RS256, ES256/384/512 by curve, or EdDSA.
 *
 * @param text begins with `-----BEGIN`
 * @returns two entries per key; `kidOptional` where there is one key alone
 */
export function readPemKeys(text: string): LocalKeys {
  const jwks: PublicJwk[] = [];
  const problems: string[] = [];
  const blocks = [...text.matchAll(block)];
  if (blocks.length === 0) problems.push('the PEM block in it is not whole');

  for (const [index, [pem, label]] of blocks.entries()) {
    const place = blocks.length > 1 ? `PEM block ${index + 1}: ` : '';
    const read = readBlock(pem, label ?? '');
    if (typeof read === 'string') problems.push(place + read);
    else jwks.push(...read);
  }
  return {
    jwks: problems.length === 0 ? jwks : [],
    kidOptional: problems.length === 0 && blocks.length === 1,
    problems,
    warnings: [],
  };
}

/** SHA-256 thumbprint of a public key (RFC 7638), base64url without padding. */
export function jwkThumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const { crv, e, kty, n, x, y } = jwk;
  const members =
    kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

function readBlock(pem: string, label: string): readonly PublicJwk[] | string {
  if (label.includes('PRIVATE')) return 'it is a private key; give the public key alone';
  if (!publicLabels.has(label)) return 'it is not a PEM public key ("BEGIN PUBLIC KEY")';
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return 'the PEM public key in it does not parse';
  }
  const algorithms = suitableAlgorithms(key);
  if (typeof algorithms === 'string') return algorithms;

  const members = key.export({ format: 'jwk' });
  const unpadded = jwkThumbprint(members);
  const padded = unpadded.padEnd(Math.ceil(unpadded.length / 4) * 4, '=');
  return [unpadded, padded].map((kid) => ({ ...members, kid, use: 'sig', alg: algorithms[0] }));
}
