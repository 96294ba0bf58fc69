import { normalisePath } from '../accept/request-path.ts';
import type { MatchPlan, RulePlan } from '../plan.ts';
import type { RuleRuntime } from '../runtime.ts';
import { compileConditions, type Conditions } from './match-conditions.ts';
import type { RouteMatch } from './route-table.ts';

/** One match of one rule, as the route table keeps it. */
export interface Candidate {
  readonly result: RouteMatch;
  readonly conditions: Conditions;
  /** The value in the spelling of `normalisePath`; of a PathPrefix without its trailing slash. */
  readonly path: MatchPlan['path'];
  readonly createdAtMs: number;
  readonly route: string;
  readonly ruleIndex: number;
  readonly matchIndex: number;
}

/**
 * Prepares one match of one rule.
 *
 * @param matchIndex the match's place in the rule
 * @throws Error when a regular expression can't be compiled, which the check of the resources has ruled out
 */
export function createCandidate(
  plan: RulePlan,
  rule: RuleRuntime,
  match: MatchPlan,
  matchIndex: number,
): Candidate {
  const path = { type: match.path.type, value: pathValue(match.path) };
  const createdAtMs = Date.parse(plan.createdAt);
  return {
    result: { rule, matchedPrefixLength: path.type === 'PathPrefix' ? path.value.length : 0 },
    conditions: compileConditions(match),
    path,
    createdAtMs: Number.isNaN(createdAtMs) ? Number.MAX_VALUE : createdAtMs,
    route: plan.route,
    ruleIndex: plan.index,
    matchIndex,
  };
}

function pathValue({ type, value }: MatchPlan['path']): string {
  if (type === 'RegularExpression') return value;
  const normalised = normalisePath(value);
  const path = normalised.ok ? normalised.path : value;
  return type === 'PathPrefix' && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * Orders candidates of one hostname and one type of path for sorting, the one that wins first (Gateway
 * API, HTTPRouteRule.matches): longest path value, a method, most headers, most query parameters, oldest
 * route, route by name, order of rules, order of matches.
 *
 * @returns below 0 where `a` wins
 */
export function comparePrecedence(a: Candidate, b: Candidate): number {
  return (
    b.path.value.length - a.path.value.length ||
    Number(b.conditions.method !== null) - Number(a.conditions.method !== null) ||
    b.conditions.headers.length - a.conditions.headers.length ||
    b.conditions.queryParams.length - a.conditions.queryParams.length ||
    a.createdAtMs - b.createdAtMs ||
    compareCodeUnits(a.route, b.route) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

function compareCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
