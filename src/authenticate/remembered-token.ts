import type { Refusal } from '../errors.ts';
import type { CredentialSource } from './authenticator.ts';
import { findToken, type FoundToken, type TokenSources } from './find-token.ts';
import type { AcceptedToken } from './token-cache.ts';

/** The token in a head, as one policy looks for it, and its verdict. */
export interface RememberedToken {
  readonly sources: TokenSources;
  readonly found: FoundToken | Refusal;
  /** `null` before the token was accepted. */
  accepted: AcceptedToken | null;
}

/** Where findings are kept for the next request with the same head. */
export interface TokenFindings {
  token: RememberedToken | null;
}

/**
 * {@link findToken}, which is spared where it was asked about the same head before.
 *
 * @param findings of the head; `null` where nothing is remembered
 */
export function findTokenAgain(
  request: CredentialSource,
  sources: TokenSources,
  findings: TokenFindings | null,
): RememberedToken {
  const known = findings?.token ?? null;
  if (known !== null && known.sources === sources) return known;
  const token = { sources, found: findToken(request, sources), accepted: null };
  if (findings !== null) findings.token = token;
  return token;
}
