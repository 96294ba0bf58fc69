/** Real keys and tokens for the tests, and the plans that trust them. */

import { createHmac } from 'node:crypto';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import type { CredentialSource } from '../../src/authenticate/authenticator.ts';
import type { AuthenticationPlan, ProviderPlan } from '../../src/plan.ts';

/** 2026-01-01T00:00:00Z. */
export const nowMs = 1_767_225_600_000;
export const nowSeconds = nowMs / 1000;

export interface TestKey {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: JWK;
  readonly privateKey: CryptoKey;
  readonly publicPem: string;
}

export async function makeKey(alg: string, kid: string, members: JWK = {}): Promise<TestKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig', ...members };
  return { kid, alg, jwk, privateKey, publicPem: await exportSPKI(publicKey) };
}

export const goodClaims = {
  iss: 'https://issuer.test',
  sub: 'alice',
  aud: 'postern',
  exp: nowSeconds + 3600,
};

/** Signs claims, or a payload given as text, with the key's algorithm. */
export async function sign(
  key: TestKey,
  claims: Readonly<Record<string, unknown>> | string = goodClaims,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims);
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}

export function base64url(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.from(text).toString('base64url');
}

/** A token of any header and payload, with a signature that is at best an accident. */
export function forge(header: unknown, payload: unknown = goodClaims, signature = 'AAAA'): string {
  return `${base64url(header)}.${base64url(payload)}.${signature}`;
}

/** A token signed with HMAC-SHA-256. */
export function signHmac(header: unknown, secret: string | Buffer): string {
  const input = `${base64url(header)}.${base64url(goodClaims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export const bearerSources: ProviderPlan['tokenSources'] = {
  headers: [{ header: 'authorization', prefix: 'Bearer ' }],
  queryParams: ['access_token'],
};

export function providerPlan(
  jwks: readonly JWK[],
  members: Partial<ProviderPlan> = {},
): ProviderPlan {
  return {
    name: 'main',
    issuer: null,
    audiences: null,
    clockSkewSeconds: 60,
    keepToken: false,
    tokenSources: bearerSources,
    claimsToHeaders: [],
    keys: { source: 'local', jwks, kidOptional: false },
    ...members,
  };
}

export function policyPlan(
  providers: readonly ProviderPlan[],
  members: Partial<AuthenticationPlan> = {},
): AuthenticationPlan {
  return {
    policy: 'ns/jwt',
    policyKind: 'GlooTrafficPolicy',
    mode: 'RequireValid',
    failureStatus: 403,
    providers,
    ...members,
  };
}

export function bearer(token: string): CredentialSource {
  return { headers: ['authorization', `Bearer ${token}`], query: null };
}
