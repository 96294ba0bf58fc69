/** Authorization of HTTP requests: all policies that apply to one rule of one route. */

import type { AuthorizationPlan } from '../plan.ts';
import type { Authorizer, Decision, PolicySubject } from './authorizer.ts';
import { compileRuleSet, decide, filterRules, rulesOf, settle } from './combine.ts';
import { createRuleContext } from './context.ts';
import type { DecisionMemo } from './decision-memo.ts';
import { Decisions, newGroup } from './decisions.ts';
import type { RuleReads } from './inspect.ts';

/**
 * Compiles policies into an authorizer. {@link decide} says how they combine.
 *
 * Where no rule looks at more than the claims, what was decided for a principal is remembered with it: they do not
 * change, and all of its requests share them.
 *
 * @param plans checked before; an expression that does not compile after all never allows
 * @returns an authorizer whose `authorize` never throws: an error while deciding is a denial
 */
export function createAuthorizer(
  plans: readonly AuthorizationPlan[],
  memo: DecisionMemo,
): Authorizer {
  const rules = compileRuleSet(plans, 'http');
  const none = filterRules(rules, () => false);
  const firstPolicy = plans[0]?.policy ?? '';
  const reads = rulesOf(rules).map((rule) => rule.reads);
  const context = createRuleContext(reads);
  const isRemembered = reads.every(isSteady);
  const group = newGroup();
  /** For all callers whom nobody authenticated. */
  const nobodys = new Decisions();

  function ask(subject: PolicySubject): Decision {
    try {
      const problem = context.load(subject);
      if (problem !== null) return deny(firstPolicy, problem);
      if (!isRemembered) return decide(rules, context.values);
      const settled = settle(rules, context.values);
      memo.remember(decisionsOf(subject), group, '', settled);
      return decide(none, context.values, settled);
    } catch {
      return deny(firstPolicy, 'the rules failed');
    } finally {
      context.clear();
    }
  }

  function decisionsOf({ principal }: PolicySubject): Decisions {
    return principal === null ? nobodys : principal.findings.decisions;
  }

  return {
    authorize(subject) {
      const settled = isRemembered ? decisionsOf(subject).find(group, '') : undefined;
      return settled === undefined ? ask(subject) : decide(none, context.values, settled);
    },
  };
}

/** Whether a rule looks at nothing but the claims; CEL has no clock and no chance. */
function isSteady({ roots }: RuleReads): boolean {
  return !roots.has('request') && !roots.has('source');
}

function deny(policy: string, detail: string): Decision {
  return { allowed: false, policy, rule: null, detail };
}
