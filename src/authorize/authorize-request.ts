import type { Exchange } from '../exchange.ts';
import { Refusal } from '../errors.ts';
import { PASS, type Verdict } from '../verdict.ts';

/**
 * The authorize stage: asks the rule's authorization policies, all levels together.
 *
 * @returns PASS, or AUTHORIZATION_DENIED naming the policy and the expression for the log
 */
export function authorizeRequest(exchange: Exchange): Verdict {
  const authorizer = exchange.rule?.authorizer ?? null;
  if (authorizer === null) return PASS;
  const decision = authorizer.authorize(exchange.policySubject());
  if (decision.allowed) return PASS;
  const { policy, rule, detail } = decision;
  return new Refusal('AUTHORIZATION_DENIED', {
    policy,
    detail,
    ...(rule === null ? {} : { rule }),
  });
}
