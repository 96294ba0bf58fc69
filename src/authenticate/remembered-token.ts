import type { Refusal } from '../errors.ts';
import type { CredentialSource } from './authenticator.ts';
import { findToken, type FoundToken, type TokenSources } from './find-token.ts';

/** The token in a head, as one policy looks for it. */
export interface RememberedToken {
  readonly sources: TokenSources;
  readonly found: FoundToken | Refusal;
}

/** Where a finding is kept for the next request with the same head. */
export interface TokenFindings {
  token: RememberedToken | null;
}

/**
 * {@link findToken}, which is spared where it was asked about the same head before: the token is then the very same
 * string too, whose hash is known, and which is found in the cache without being compared.
 *
 * @param findings of the head; `null` where nothing is remembered
 */
export function findTokenAgain(
  request: CredentialSource,
  sources: TokenSources,
  findings: TokenFindings | null,
): FoundToken | Refusal {
  const known = findings?.token ?? null;
  if (known !== null && known.sources === sources) return known.found;
  const found = findToken(request, sources);
  if (findings !== null) findings.token = { sources, found };
  return found;
}
