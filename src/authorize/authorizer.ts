import type { HeaderFields } from '../accept/request-head.ts';
import type { ClaimValue } from '../authenticate/principal.ts';
import type { EpochMilliseconds } from '../units.ts';

/** What a rule may look at. The fields are read only when a rule mentions them. */
export interface PolicySubject {
  /** Verified claims, or `null` where nobody was authenticated: then `jwt` is an empty map. */
  readonly claims: Readonly<Record<string, ClaimValue>> | null;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host without port, lower case. */
  readonly host: string;
  readonly path: string;
  readonly query: string | null;
  readonly headers: HeaderFields;
  readonly remoteAddress: string;
  readonly remotePort: number | null;
  readonly startedAtMs: EpochMilliseconds;
}

export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** `namespace/name` of the policy that denied; of the first Allow policy where none matched. */
      readonly policy: string;
      /** The expression that denied, or `null` where no Allow rule was true. */
      readonly rule: string | null;
      /** For the log: for example `no Allow rule matched`, or the evaluation error's summary. */
      readonly detail: string;
    };

/** The compiled form of all authorization policies that apply to one rule of one route. */
export interface Authorizer {
  authorize(subject: PolicySubject): Decision;
}
