/** Combines all authorization policies that apply to one rule of one route into one decision. */

import type { AuthorizationPlan } from '../plan.ts';
import type { Authorizer, Decision, PolicySubject } from './authorizer.ts';
import { createRuleContext } from './context.ts';
import type { RuleContext } from './context.ts';
import { compileRule } from './rule.ts';
import type { CompiledRule, RuleScope } from './rule.ts';

const allowed: Decision = Object.freeze({ allowed: true });

/** A rule together with the policy that it comes from. */
interface PolicyRule {
  readonly policy: string;
  readonly rule: CompiledRule;
}

/**
 * Compiles policies into an authorizer.
 *
 * Decides, over the rules of all policies together: a Deny rule that is true, or can't be evaluated,
 * denies; every Require rule must be exactly true; then any true Allow rule allows; with Allow rules
 * but none true the request is denied; without Allow rules, and without any rule at all, it is allowed.
 *
 * @param plans checked before; an expression that does not compile after all never allows
 * @returns an authorizer whose `authorize` never throws: an error while deciding is a denial
 */
export function createAuthorizer(plans: readonly AuthorizationPlan[]): Authorizer {
  const denies = compileAction(plans, 'Deny');
  const requires = compileAction(plans, 'Require');
  const allows = compileAction(plans, 'Allow');
  const firstAllowPolicy = plans.find((plan) => plan.action === 'Allow')?.policy ?? null;
  const firstPolicy = plans[0]?.policy ?? '';
  const context = createRuleContext(
    [...denies, ...requires, ...allows].map(({ rule }) => rule.reads),
  );

  const decide = (values: RuleContext): Decision => {
    for (const { policy, rule } of denies) {
      const result = rule.evaluate(values);
      if (result === false) continue;
      const detail = result === true ? 'a Deny rule matched' : `Deny rule: ${result.failure}`;
      return { allowed: false, policy, rule: rule.expression, detail };
    }
    for (const { policy, rule } of requires) {
      const result = rule.evaluate(values);
      if (result === true) continue;
      const detail =
        result === false ? 'a Require rule is not true' : `Require rule: ${result.failure}`;
      return { allowed: false, policy, rule: rule.expression, detail };
    }
    if (firstAllowPolicy === null) return allowed;
    let failure: string | null = null;
    for (const { rule } of allows) {
      const result = rule.evaluate(values);
      if (result === true) return allowed;
      if (result !== false) failure ??= result.failure;
    }
    const detail = `no Allow rule matched${failure === null ? '' : ` (${failure})`}`;
    return { allowed: false, policy: firstAllowPolicy, rule: null, detail };
  };

  return {
    authorize(subject: PolicySubject): Decision {
      try {
        const problem = context.load(subject);
        if (problem !== null) {
          return { allowed: false, policy: firstPolicy, rule: null, detail: problem };
        }
        return decide(context.values);
      } catch {
        return { allowed: false, policy: firstPolicy, rule: null, detail: 'the rules failed' };
      } finally {
        context.clear();
      }
    },
  };
}

function compileAction(
  plans: readonly AuthorizationPlan[],
  action: AuthorizationPlan['action'],
): PolicyRule[] {
  return plans
    .filter((plan) => plan.action === action)
    .flatMap(({ policy, expressions }) =>
      expressions.map((expression) => ({ policy, rule: compileOrFail(expression, 'http') })),
    );
}

/** A rule that does not compile fails every time: false for Allow and Require, a denial for Deny. */
function compileOrFail(expression: string, scope: RuleScope): CompiledRule {
  const result = compileRule(expression, scope);
  if (result.ok) return result.rule;
  return {
    expression,
    reads: { roots: new Set(), requestMembers: new Set() },
    evaluate: () => ({ failure: `the rule does not compile: ${result.message}` }),
  };
}
