import type { HeaderFields } from '../accept/request-head.ts';
import type { Refusal } from '../errors.ts';
import type { EpochMilliseconds } from '../units.ts';
import type { Hold, HoldLoss } from './hold.ts';
import type { Principal } from './principal.ts';
import type { TokenFindings } from './remembered-token.ts';
import type { TokenDemands } from './token-demands.ts';

/** What authentication looks at. */
export interface CredentialSource {
  readonly headers: HeaderFields;
  readonly query: string | null;
}

/** Where the token stood, so that it can be removed before the request goes up. */
export type TokenLocation =
  | { readonly in: 'header'; readonly name: string }
  | { readonly in: 'query'; readonly name: string };

/**
 * An accepted request. `principal` is `null` where the mode lets a missing or bad token pass; `location` is
 * `null` only where there was no token.
 */
export interface Authenticated {
  readonly principal: Principal | null;
  readonly location: TokenLocation | null;
}

/** The compiled form of one authentication policy. */
export interface Authenticator {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  /**
   * Lower-case names of the header fields that this policy sets from claims. A client's own copies of
   * them are removed from every request, whether or not the token has the claim.
   */
  readonly reservedHeaders: readonly string[];
  /** What a valid token must meet besides; depends on the request, so no verdict remembers it. */
  readonly demands: TokenDemands | null;
  /** Whether a token that is refused counts as none (AllowMissingOrFailed). */
  readonly ignoresRefusals: boolean;
  /**
   * Decides whether the request's token is acceptable. A token that was seen before is answered
   * at once, without a promise.
   *
   * @param findings of the request's head, where they are remembered
   * @returns the principal, or a refusal whose status is the policy's failure status
   */
  authenticate(
    request: CredentialSource,
    nowMs: EpochMilliseconds,
    findings?: TokenFindings | null,
  ): Authenticated | Refusal | Promise<Authenticated | Refusal>;
  /**
   * Decides again on a request that was accepted earlier, maybe by another policy, and is still being answered.
   *
   * @param earlier what the tokens of the request rested on
   * @returns what the acceptance rests on now, `null` where it needs no token, or why it is none any more
   */
  reconsider(earlier: readonly Hold[]): Hold | null | HoldLoss;
}
