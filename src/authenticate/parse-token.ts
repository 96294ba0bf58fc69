import { Refusal } from '../errors.ts';
import { decodeBase64url } from './base64url.ts';
import { readJsonObject } from './json-object.ts';

/** A token taken apart. Nothing in it is verified. */
export interface ParsedToken {
  /** The token as it was sent. */
  readonly compact: string;
  /** The header's `alg`, any string. */
  readonly alg: string;
  /** The header's `kid`, `null` where it has none. */
  readonly kid: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Takes a compact JWS (RFC 7515, 3.1) with a JWT payload (RFC 7519) apart, strictly: three parts, each in
 * the one base64url form of its octets, so that no two spellings of one token exist; header and payload are
 * JSON objects without repeated members. Extensions (`crit`, `b64`; RFC 7797) are refused, since none is
 * supported. Header members that offer a key (`jwk`, `jku`, `x5u`, `x5c`) and `zip` are never looked at.
 *
 * @returns the parts, or a refusal: TOKEN_MALFORMED, TOKEN_CLAIMS_MALFORMED for the payload,
 * TOKEN_SIGNATURE_INVALID for a signature that is not base64url
 */
export function parseToken(compact: string): ParsedToken | Refusal {
  const parts = compact.split('.', 6);
  if (parts.length === 5) return malformed('an encrypted token (JWE) is not supported');
  const [header, payload, signature] = parts;
  if (
    parts.length !== 3 ||
    header === undefined ||
    payload === undefined ||
    signature === undefined ||
    header === '' ||
    payload === '' ||
    signature === ''
  ) {
    return malformed('not three parts');
  }

  const headerOctets = decodeBase64url(header);
  if (headerOctets === null) return malformed('the header is not base64url');
  const headerReading = readJsonObject(headerOctets);
  if (headerReading.members === null) return malformed(`the header is ${headerReading.problem}`);
  const { alg, kid, crit, b64 } = headerReading.members;
  if (crit !== undefined || b64 !== undefined) {
    return malformed('the header asks for an extension (crit, b64)');
  }
  if (typeof alg !== 'string') return malformed('the header has no alg');
  if (kid !== undefined && typeof kid !== 'string') return malformed('kid is not a string');

  const payloadOctets = decodeBase64url(payload);
  if (payloadOctets === null) return malformedClaims('not base64url');
  const payloadReading = readJsonObject(payloadOctets);
  if (payloadReading.members === null) return malformedClaims(payloadReading.problem);

  if (decodeBase64url(signature) === null) {
    return new Refusal('TOKEN_SIGNATURE_INVALID', { detail: 'the signature is not base64url' });
  }
  return {
    compact,
    alg,
    kid: kid === undefined || kid === '' ? null : kid,
    payload: payloadReading.members,
  };
}

function malformed(detail: string): Refusal {
  return new Refusal('TOKEN_MALFORMED', { detail });
}

function malformedClaims(problem: string): Refusal {
  return new Refusal('TOKEN_CLAIMS_MALFORMED', { detail: `the payload is ${problem}` });
}
