/** An authenticator with a clock that the test sets and signature checks that it can count. */

import { createAuthenticator } from '../../src/authenticate/authenticate.ts';
import type {
  AuthenticatorOptions,
  PolicyAuthenticator,
} from '../../src/authenticate/authenticate.ts';
import type { Authenticated } from '../../src/authenticate/authenticator.ts';
import type { FetchKeySet } from '../../src/authenticate/fetch-key-set.ts';
import { createKeySetStore } from '../../src/authenticate/key-set-store.ts';
import type { RemoteKeySetTiming } from '../../src/authenticate/remote-key-set.ts';
import { verifySignature } from '../../src/authenticate/verify-signature.ts';
import type { Refusal } from '../../src/errors.ts';
import { HeadFindings } from '../../src/head-findings.ts';
import type { AuthenticationPlan } from '../../src/plan.ts';
import { bearer, nowMs } from './token-issuer.ts';

export interface Harness {
  readonly authenticator: PolicyAuthenticator;
  readonly warnings: string[];
  /** `policy provider outcome code` of each verdict. */
  readonly verdicts: string[];
  nowMs: number;
  signatureChecks: number;
  present(token: string): Promise<Authenticated | Refusal>;
}

export function createHarness(
  plan: AuthenticationPlan,
  options: Partial<AuthenticatorOptions> & {
    readonly fetch?: FetchKeySet;
    readonly timing?: Partial<RemoteKeySetTiming>;
    /** Whether each token comes in a head that never came before. */
    readonly forgetsHeads?: boolean;
  } = {},
): Harness {
  const warnings: string[] = [];
  const verdicts: string[] = [];
  const heads = new Map<string, HeadFindings>();
  const clock = (): number => harness.nowMs;
  const onWarning = (warning: string): void => void warnings.push(warning);
  const { fetch = () => Promise.resolve({ jwks: null, problem: 'offline' }), timing = {} } =
    options;
  const authenticator = createAuthenticator(plan, {
    clock,
    verifySignature: (check) => {
      harness.signatureChecks += 1;
      return verifySignature(check);
    },
    keySets: createKeySetStore({ fetch, clock, random: () => 0, onWarning, timing }),
    onWarning,
    onVerdict: (policy, provider, outcome, code) =>
      void verdicts.push([policy, provider ?? '-', outcome, code ?? '-'].join(' ')),
    ...options,
  });
  const harness: Harness = {
    authenticator,
    warnings,
    verdicts,
    nowMs,
    signatureChecks: 0,
    present: async (token) => {
      const known = heads.get(token) ?? new HeadFindings();
      heads.set(token, known);
      const findings = options.forgetsHeads === true ? null : known;
      return authenticator.authenticate(bearer(token), harness.nowMs, findings);
    },
  };
  return harness;
}
