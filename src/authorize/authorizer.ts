import type { HeaderFields } from '../accept/request-head.ts';
import type { Claims } from '../authenticate/principal.ts';
import type { EpochMilliseconds } from '../units.ts';
import type { Decisions } from './decisions.ts';

/** Whom rules decide on, and what is remembered of that. */
export interface RulePrincipal {
  readonly claims: Claims;
  readonly findings: RuleFindings;
}

export interface RuleFindings {
  /** The claims as rules see them, `null` where they must not; `undefined` before a rule asked. */
  visibleClaims: Claims | null | undefined;
  readonly decisions: Decisions;
}

/** What a rule may look at. The fields are read only when a rule mentions them. */
export interface PolicySubject {
  /** `null` where nobody was authenticated: then `jwt` is an empty map. */
  readonly principal: RulePrincipal | null;
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
