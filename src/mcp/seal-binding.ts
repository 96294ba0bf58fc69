/** Whom and what a sealed id belongs to. */

import { createHash } from 'node:crypto';
import type { Principal } from '../authenticate/principal.ts';

/**
 * The owner of a sealed id.
 *
 * - `subject`: RFC 7519's `iss` and `sub`. Where a provider accepts tokens without `iss`, its name stands
 *   for the issuer.
 * - `token`: a verified token without `sub` does not say whom it speaks for, so what it opens is bound to
 *   exactly this set of claims, and ends when the token is renewed.
 * - `anonymous`: no policy asked for a token. All such callers are one owner.
 */
export type SealOwner =
  | { readonly kind: 'subject'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'provider-subject'; readonly provider: string; readonly subject: string }
  | { readonly kind: 'token'; readonly claimsHash: string }
  | { readonly kind: 'anonymous' };

export interface SealBinding {
  readonly owner: SealOwner;
  /** `namespace/name` of the Backend, as in the plan. */
  readonly backend: string;
  /** The upstream's id of the session besides, where the id means nothing outside of it. */
  readonly session?: string | undefined;
}

const anonymous: SealOwner = Object.freeze({ kind: 'anonymous' });

/**
 * The owner that a principal is.
 *
 * @param principal `null` where nobody was authenticated
 */
export function ownerOf(principal: Principal | null): SealOwner {
  if (principal === null) return anonymous;
  const { findings } = principal;
  findings.sealOwner ??= identify(principal);
  return findings.sealOwner;
}

function identify({ issuer, subject, provider, claims }: Principal): SealOwner {
  if (subject === null || subject === '') {
    const claimsHash = createHash('sha256').update(JSON.stringify(claims)).digest('base64url');
    return { kind: 'token', claimsHash };
  }
  if (issuer === null) return { kind: 'provider-subject', provider, subject };
  return { kind: 'subject', issuer, subject };
}

/**
 * One unambiguous octet string for a list of texts: each after its length, so that no two lists have the
 * same one. UTF-16, because a claim can hold lone surrogates, which UTF-8 can't tell apart.
 */
export function encodeFields(fields: readonly string[]): Buffer {
  let size = 0;
  for (const field of fields) size += 4 + 2 * field.length;
  const octets = Buffer.allocUnsafe(size);
  let at = 0;
  for (const field of fields) {
    octets.writeUInt32BE(field.length, at);
    octets.write(field, at + 4, 'utf16le');
    at += 4 + 2 * field.length;
  }
  return octets;
}

/**
 * The fields of a binding, those of each kind of owner under a name of their own. A kind has a number of fields
 * of its own too, so that a session behind them can't be taken for one of them.
 */
export function bindingFields(binding: SealBinding): readonly string[] {
  const fields = ownerFields(binding);
  return binding.session === undefined ? fields : [...fields, binding.session];
}

function ownerFields({ owner, backend }: SealBinding): readonly string[] {
  switch (owner.kind) {
    case 'subject':
      return [backend, owner.kind, owner.issuer, owner.subject];
    case 'provider-subject':
      return [backend, owner.kind, owner.provider, owner.subject];
    case 'token':
      return [backend, owner.kind, owner.claimsHash];
    case 'anonymous':
      return [backend, owner.kind];
  }
}
