/**
 * How rules of all policies that apply combine into one decision: for HTTP requests, for MCP calls and
 * for the items of MCP lists alike.
 */

import type { AuthorizationPlan } from '../plan.ts';
import type { Assumption } from './assume-arguments.ts';
import type { Decision } from './authorizer.ts';
import type { RuleContext } from './context.ts';
import { compileRule } from './rule.ts';
import type { CompiledRule, RuleScope } from './rule.ts';

export type Denial = Exclude<Decision, { readonly allowed: true }>;

/** A rule together with the policy that it comes from. */
export interface PolicyRule {
  readonly policy: string;
  readonly rule: CompiledRule;
  /** What a log names it by: its text, unless that is to be concealed. */
  readonly shown: string;
}

/** Stands for the text of a rule that came from the environment. */
const CONCEALED = '[redacted]';

export interface RuleSet {
  readonly denies: readonly PolicyRule[];
  readonly requires: readonly PolicyRule[];
  readonly allows: readonly PolicyRule[];
  /** The first Allow policy: named where no Allow rule is true. `null` where there is none. */
  readonly allowPolicy: string | null;
}

/** What some rules of a set say already, before the others are asked. */
export interface Settled {
  readonly denial: Denial | null;
  /** An Allow rule is true. */
  readonly allowed: boolean;
  /** Why an Allow rule could not be evaluated, where one could not. */
  readonly failure: string | null;
}

const allowed: Decision = Object.freeze({ allowed: true });
const nothing: Settled = Object.freeze({ denial: null, allowed: false, failure: null });
const permitted: Settled = Object.freeze({ ...nothing, allowed: true });

/**
 * Decides, over the rules of all policies together: a Deny rule that is true, or can't be evaluated,
 * denies; every Require rule must be exactly true; then any true Allow rule allows; with Allow policies
 * but no true rule the request is denied; without Allow policies, and without any rule at all, it is
 * allowed.
 *
 * @param earlier what rules that are not in the set have said
 */
export function decide(rules: RuleSet, values: RuleContext, earlier = nothing): Decision {
  const denial = earlier.denial ?? refuse(rules, values);
  if (denial !== null) return denial;
  if (rules.allowPolicy === null || earlier.allowed) return allowed;
  const permission = permit(rules, values);
  if (permission === true) return allowed;
  const failure = earlier.failure ?? permission;
  const detail = `no Allow rule matched${failure === null ? '' : ` (${failure})`}`;
  return { allowed: false, policy: rules.allowPolicy, rule: null, detail };
}

/** Asks some of the rules, for {@link decide} to take into account later. */
export function settle(rules: RuleSet, values: RuleContext): Settled {
  const denial = refuse(rules, values);
  if (denial !== null) return { ...nothing, denial };
  const permission = permit(rules, values);
  if (permission === null) return nothing;
  return permission === true ? permitted : { ...nothing, failure: permission };
}

function refuse({ denies, requires }: RuleSet, values: RuleContext): Denial | null {
  for (const { policy, rule, shown } of denies) {
    const result = rule.evaluate(values);
    if (result === false) continue;
    const detail = result === true ? 'a Deny rule matched' : `Deny rule: ${result.failure}`;
    return { allowed: false, policy, rule: shown, detail };
  }
  for (const { policy, rule, shown } of requires) {
    const result = rule.evaluate(values);
    if (result === true) continue;
    const detail =
      result === false ? 'a Require rule is not true' : `Require rule: ${result.failure}`;
    return { allowed: false, policy, rule: shown, detail };
  }
  return null;
}

/** `true`, or why none is true: `null` where all are simply false. */
function permit({ allows }: RuleSet, values: RuleContext): true | string | null {
  let failure: string | null = null;
  for (const { rule } of allows) {
    const result = rule.evaluate(values);
    if (result === true) return true;
    if (result !== false) failure ??= result.failure;
  }
  return failure;
}

/**
 * Compiles policies into a set.
 *
 * @param plans checked before; an expression that does not compile after all never allows
 * @param argumentsOf for items of a list: the kind of object whose arguments are not known
 */
export function compileRuleSet(
  plans: readonly AuthorizationPlan[],
  scope: RuleScope,
  argumentsOf: Assumption['argumentsOf'] | null = null,
): RuleSet {
  const compileAction = (action: AuthorizationPlan['action']): PolicyRule[] => {
    const outcome = action === 'Deny' ? 'lowest' : 'highest';
    const assumption: Assumption | null = argumentsOf === null ? null : { argumentsOf, outcome };
    return plans
      .filter((plan) => plan.action === action)
      .flatMap(({ policy, expressions, concealed = [] }) =>
        expressions.map((expression, index) => ({
          policy,
          rule: compileOrFail(expression, scope, assumption),
          shown: concealed.includes(index) ? CONCEALED : expression,
        })),
      );
  };
  return {
    denies: compileAction('Deny'),
    requires: compileAction('Require'),
    allows: compileAction('Allow'),
    allowPolicy: plans.find((plan) => plan.action === 'Allow')?.policy ?? null,
  };
}

/** The part of a set whose rules pass a test. */
export function filterRules(rules: RuleSet, keep: (rule: CompiledRule) => boolean): RuleSet {
  return {
    denies: rules.denies.filter(({ rule }) => keep(rule)),
    requires: rules.requires.filter(({ rule }) => keep(rule)),
    allows: rules.allows.filter(({ rule }) => keep(rule)),
    allowPolicy: rules.allowPolicy,
  };
}

/** All rules of a set. */
export function rulesOf({ denies, requires, allows }: RuleSet): readonly CompiledRule[] {
  return [...denies, ...requires, ...allows].map(({ rule }) => rule);
}

/** A rule that does not compile fails every time: false for Allow and Require, a denial for Deny. */
function compileOrFail(
  expression: string,
  scope: RuleScope,
  assumption: Assumption | null,
): CompiledRule {
  const result = compileRule(expression, scope, assumption);
  if (result.ok) return result.rule;
  return {
    expression,
    reads: { roots: new Set(), requestMembers: new Set(), mcpInputs: new Set() },
    evaluate: () => ({ failure: `the rule does not compile: ${result.message}` }),
  };
}
