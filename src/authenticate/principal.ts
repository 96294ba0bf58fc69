import type { PrincipalFindings } from '../principal-findings.ts';
import type { EpochMilliseconds } from '../units.ts';

/** A JSON value as a verified token carries it. */
export type ClaimValue =
  | string
  | number
  | boolean
  | null
  | readonly ClaimValue[]
  | { readonly [name: string]: ClaimValue };

/** The members of a verified token's payload. */
export type Claims = Readonly<Record<string, ClaimValue>>;

/** Whom a verified token speaks for. Frozen and shared by all requests with that token. */
export interface Principal {
  /** Name of the provider that accepted the token, as the policy spells it. */
  readonly provider: string;
  readonly issuer: string | null;
  readonly subject: string | null;
  /** All verified claims, without members named `constructor` at any depth (see `cel.md`). */
  readonly claims: Claims;
  /** When the token stops being valid, clock skew included. */
  readonly expiresAtMs: EpochMilliseconds;
  /** Whether the token goes to the upstream. */
  readonly keepToken: boolean;
  /** Header fields to set upstream from claims (claimsToHeaders), name and value in turn. */
  readonly headersToSet: readonly string[];
  /** Header fields to append upstream from claims (`append: true`), name and value in turn. */
  readonly headersToAppend: readonly string[];
  /** What stages remember of it: the one thing in here that changes. */
  readonly findings: PrincipalFindings;
}
