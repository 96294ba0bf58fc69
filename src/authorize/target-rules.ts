/** The rules that apply at one target of a Backend, grouped by what is asked. */

import type { AuthorizationPlan } from '../plan.ts';
import { compileRuleSet, filterRules, rulesOf } from './combine.ts';
import type { RuleSet } from './combine.ts';
import { createRuleContext } from './context.ts';
import { newGroup } from './decisions.ts';
import type { RuleContextHolder } from './context.ts';
import { decidedMethods } from './mcp-call.ts';
import type { DecidedMethod } from './mcp-call.ts';
import type { McpKind } from './mcp-members.ts';
import type { CompiledRule } from './rule.ts';

/** The rules for one method and one kind of object, split by whether their outcome can be remembered. */
export interface RuleGroup {
  /** Under which decisions are remembered. */
  readonly id: number;
  readonly method: DecidedMethod;
  /** Rules that look at the principal, the name, and at what is the same for the whole group. */
  readonly steady: RuleSet;
  readonly varying: RuleSet;
  /** No rule varies. */
  readonly isSteady: boolean;
  /** There is no rule at all. */
  readonly isEmpty: boolean;
  /** Named where deciding fails. */
  readonly firstPolicy: string;
  readonly context: RuleContextHolder;
}

type ByKind = Readonly<Record<McpKind, RuleGroup>>;

export interface TargetRules {
  readonly calls: Readonly<Record<DecidedMethod, ByKind>>;
  readonly lists: ByKind;
}

/**
 * Compiles policies for calls, and for items whose arguments are not known. Where no rule reads
 * arguments, lists and calls have one group of rules, and so remember the same decisions.
 *
 * @param plans all that apply at the target
 */
export function compileTarget(plans: readonly AuthorizationPlan[]): TargetRules {
  const whole = compileRuleSet(plans, 'mcp');
  const rulesFor = (kind: McpKind): RuleSet => {
    if (kind === 'resource') return whole;
    const reads = rulesOf(whole).some((rule) => readsArguments(rule, kind));
    return reads ? compileRuleSet(plans, 'mcp', kind) : whole;
  };
  const unknown = { tool: rulesFor('tool'), prompt: rulesFor('prompt'), resource: whole };
  const firstPolicy = plans[0]?.policy ?? '';

  const group = (method: DecidedMethod, kind: McpKind, rules: RuleSet): RuleGroup => {
    const steady = filterRules(rules, (rule) => isSteady(rule, kind));
    const varying = filterRules(rules, (rule) => !isSteady(rule, kind));
    const all = rulesOf(rules);
    return {
      id: newGroup(),
      method,
      steady,
      varying,
      isSteady: rulesOf(varying).length === 0,
      isEmpty: all.length === 0,
      firstPolicy,
      context: createRuleContext(all.map(({ reads }) => reads)),
    };
  };
  const callGroups = (method: DecidedMethod): ByKind => {
    const { tool, prompt, resource } =
      method === 'completion/complete' ? unknown : { tool: whole, prompt: whole, resource: whole };
    return {
      tool: group(method, 'tool', tool),
      prompt: group(method, 'prompt', prompt),
      resource: group(method, 'resource', resource),
    };
  };

  const calls = Object.fromEntries(
    decidedMethods.map((method) => [method, callGroups(method)]),
  ) as Record<DecidedMethod, ByKind>;
  const listGroup = (method: DecidedMethod, kind: McpKind): RuleGroup =>
    unknown[kind] === whole ? calls[method][kind] : group(method, kind, unknown[kind]);
  return {
    calls,
    lists: {
      tool: listGroup('tools/call', 'tool'),
      prompt: listGroup('prompts/get', 'prompt'),
      resource: listGroup('resources/read', 'resource'),
    },
  };
}

function isSteady(rule: CompiledRule, kind: McpKind): boolean {
  const { roots, mcpInputs } = rule.reads;
  return (
    !roots.has('request') &&
    !roots.has('source') &&
    !mcpInputs.has('protocolVersion') &&
    !mcpInputs.has('completion') &&
    !readsArguments(rule, kind)
  );
}

function readsArguments({ reads }: CompiledRule, kind: McpKind): boolean {
  return kind !== 'resource' && reads.mcpInputs.has(`${kind}.arguments`);
}
