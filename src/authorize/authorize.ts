/** Authorization of HTTP requests: all policies that apply to one rule of one route. */

import type { AuthorizationPlan } from '../plan.ts';
import type { Authorizer, Decision, PolicySubject } from './authorizer.ts';
import { compileRuleSet, decide, rulesOf } from './combine.ts';
import { createRuleContext } from './context.ts';

/**
 * Compiles policies into an authorizer. {@link decide} says how they combine.
 *
 * @param plans checked before; an expression that does not compile after all never allows
 * @returns an authorizer whose `authorize` never throws: an error while deciding is a denial
 */
export function createAuthorizer(plans: readonly AuthorizationPlan[]): Authorizer {
  const rules = compileRuleSet(plans, 'http');
  const firstPolicy = plans[0]?.policy ?? '';
  const context = createRuleContext(rulesOf(rules).map(({ reads }) => reads));

  return {
    authorize(subject: PolicySubject): Decision {
      try {
        const problem = context.load(subject);
        if (problem !== null) {
          return { allowed: false, policy: firstPolicy, rule: null, detail: problem };
        }
        return decide(rules, context.values);
      } catch {
        return { allowed: false, policy: firstPolicy, rule: null, detail: 'the rules failed' };
      } finally {
        context.clear();
      }
    },
  };
}
