/** Authorization of HTTP requests: all policies that apply to one rule of one route. */

import type { AuthorizationPlan } from '../plan.ts';
import type { Authorizer, Decision, PolicySubject } from './authorizer.ts';
import { compileRuleSet, decide, rulesOf } from './combine.ts';
import { createRuleContext } from './context.ts';
import type { RuleReads } from './inspect.ts';

/** Stands for all callers whom nobody authenticated. */
const nobody: object = Object.freeze({});

/**
 * Compiles policies into an authorizer. {@link decide} says how they combine.
 *
 * Where no rule looks at more than the claims, what was decided for a principal is remembered for as long as its
 * claims are there: they do not change, and all of its requests share them.
 *
 * @param plans checked before; an expression that does not compile after all never allows
 * @returns an authorizer whose `authorize` never throws: an error while deciding is a denial
 */
export function createAuthorizer(plans: readonly AuthorizationPlan[]): Authorizer {
  const rules = compileRuleSet(plans, 'http');
  const firstPolicy = plans[0]?.policy ?? '';
  const reads = rulesOf(rules).map((rule) => rule.reads);
  const context = createRuleContext(reads);
  const remembered = reads.every(isSteady) ? new WeakMap<object, Decision>() : null;

  function ask(subject: PolicySubject): Decision {
    try {
      const problem = context.load(subject);
      const decision =
        problem === null ? decide(rules, context.values) : deny(firstPolicy, problem);
      remembered?.set(subject.claims ?? nobody, decision);
      return decision;
    } catch {
      return deny(firstPolicy, 'the rules failed');
    } finally {
      context.clear();
    }
  }

  return {
    authorize: (subject) => remembered?.get(subject.claims ?? nobody) ?? ask(subject),
  };
}

/** Whether a rule looks at nothing but the claims; CEL has no clock and no chance. */
function isSteady({ roots }: RuleReads): boolean {
  return !roots.has('request') && !roots.has('source');
}

function deny(policy: string, detail: string): Decision {
  return { allowed: false, policy, rule: null, detail };
}
