import { Refusal } from '../errors.ts';
import type { EpochMilliseconds } from '../units.ts';

/** The registered claims (RFC 7519, 4.1) that decide, with their types checked. */
export interface RegisteredClaims {
  readonly issuer: string | null;
  readonly subject: string | null;
  /** `null` where the token has no `aud`. */
  readonly audiences: readonly string[] | null;
  readonly expiresAtSeconds: number;
  readonly notBeforeSeconds: number | null;
}

/** What a provider demands of the claims. */
export interface ClaimRules {
  /** `null`: not checked. */
  readonly issuer: string | null;
  /** `null`: not checked. */
  readonly audiences: readonly string[] | null;
  readonly clockSkewSeconds: number;
}

/**
 * Reads the registered claims of a payload. `iat` and `jti` are not read: RFC 7519 gives them no meaning
 * for acceptance.
 *
 * @returns the claims, or a refusal: TOKEN_CLAIMS_MALFORMED for a claim of a wrong type,
 * TOKEN_WITHOUT_EXP
 */
export function readClaims(payload: Readonly<Record<string, unknown>>): RegisteredClaims | Refusal {
  const { iss, sub, aud, exp, nbf } = payload;
  if (iss !== undefined && typeof iss !== 'string') return malformed('iss is not a string');
  if (sub !== undefined && typeof sub !== 'string') return malformed('sub is not a string');
  const audiences = typeof aud === 'string' ? [aud] : aud;
  if (audiences !== undefined && !isStringList(audiences)) {
    return malformed('aud is neither a string nor a list of strings');
  }
  if (nbf !== undefined && !isFiniteNumber(nbf)) return malformed('nbf is not a number');
  if (exp === undefined) return new Refusal('TOKEN_WITHOUT_EXP');
  if (!isFiniteNumber(exp)) return malformed('exp is not a number');
  return {
    issuer: iss ?? null,
    subject: sub ?? null,
    audiences: audiences ?? null,
    expiresAtSeconds: exp,
    notBeforeSeconds: nbf ?? null,
  };
}

/**
 * Checks claims against one provider's rules, in this order: `exp`, `nbf`, `iss`, `aud`. A missing `iss` or
 * `aud` is a mismatch where the provider names one. A token is valid until just before `exp` plus the
 * clock skew, and from `nbf` minus the clock skew (RFC 7519, 4.1.4 and 4.1.5).
 *
 * @returns `null` when all hold, else TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, TOKEN_ISSUER_MISMATCH or
 * TOKEN_AUDIENCE_MISMATCH
 */
export function checkClaims(
  claims: RegisteredClaims,
  rules: ClaimRules,
  nowMs: EpochMilliseconds,
): Refusal | null {
  if (nowMs >= validUntilMs(claims, rules)) return expired;
  if (nowMs < validFromMs(claims, rules)) return notYetValid;
  return checkAddressee(claims, rules);
}

/**
 * The part of {@link checkClaims} that time does not change: `iss` and `aud`.
 *
 * @returns `null` when both hold, else TOKEN_ISSUER_MISMATCH or TOKEN_AUDIENCE_MISMATCH
 */
export function checkAddressee(
  claims: RegisteredClaims,
  rules: Pick<ClaimRules, 'issuer' | 'audiences'>,
): Refusal | null {
  if (rules.issuer !== null && claims.issuer !== rules.issuer) return issuerMismatch;
  if (rules.audiences !== null && !intersects(claims.audiences ?? [], rules.audiences)) {
    return audienceMismatch;
  }
  return null;
}

/** The first moment at which the token is no longer valid, clock skew included. */
export function validUntilMs(claims: RegisteredClaims, rules: ClaimRules): EpochMilliseconds {
  const untilMs = (claims.expiresAtSeconds + rules.clockSkewSeconds) * 1000;
  return Math.min(untilMs, Number.MAX_SAFE_INTEGER);
}

/** The first moment at which the token is valid, clock skew included; minus infinity without `nbf`. */
export function validFromMs(claims: RegisteredClaims, rules: ClaimRules): EpochMilliseconds {
  if (claims.notBeforeSeconds === null) return -Infinity;
  return (claims.notBeforeSeconds - rules.clockSkewSeconds) * 1000;
}

const expired = new Refusal('TOKEN_EXPIRED');
const notYetValid = new Refusal('TOKEN_NOT_YET_VALID');
const issuerMismatch = new Refusal('TOKEN_ISSUER_MISMATCH');
const audienceMismatch = new Refusal('TOKEN_AUDIENCE_MISMATCH');

function malformed(detail: string): Refusal {
  return new Refusal('TOKEN_CLAIMS_MALFORMED', { detail });
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function intersects(a: readonly string[], b: readonly string[]): boolean {
  return a.some((value) => b.includes(value));
}
