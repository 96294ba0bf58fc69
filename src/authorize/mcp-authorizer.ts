/** Authorization of MCP requests: the policies that target one Backend, or one of its targets. */

import type { AuthorizationPlan } from '../plan.ts';
import type { Decision, PolicySubject } from './authorizer.ts';
import { decide, settle } from './combine.ts';
import type { DecisionMemo } from './decision-memo.ts';
import { Decisions } from './decisions.ts';
import type { McpCall, McpItem } from './mcp-call.ts';
import { mcpRoot } from './mcp-root.ts';
import { compileTarget } from './target-rules.ts';
import type { RuleGroup, TargetRules } from './target-rules.ts';

/** A policy, and the target (sectionName) it is narrowed to; `null` for all targets. */
export interface McpPolicy {
  readonly plan: AuthorizationPlan;
  readonly target: string | null;
}

/** Neither method throws: an error while deciding is a denial. */
export interface McpAuthorizer {
  /** Decides on one request; of `subscriptions/listen` on one of its URIs. */
  decide(subject: PolicySubject, call: McpCall): Decision;
  /** Whether an item belongs into the caller's list. */
  decideListed(subject: PolicySubject, item: McpItem): Decision;
}

/** Targets come from the resources; this is far more than a Backend has. */
const maxTargets = 1024;

/**
 * Compiles the policies of a Backend. They combine as {@link decide} says, whatever is asked.
 *
 * Rules see `mcp.method`, `mcp.protocolVersion` and exactly one of `mcp.tool`, `mcp.prompt` and
 * `mcp.resource`, besides what HTTP rules see. Access to one of the others, or to an argument that the
 * request does not have, is an error: it denies in a Deny rule, and is false in an Allow or Require rule.
 *
 * An item is listed exactly when a call of it with some arguments would be allowed, `mcp.method` being
 * the method of the call (`resources/read` for resources): rules that do not read arguments are
 * evaluated as they are; of the others the outcome over all arguments is found (`assume-arguments.ts`). Such rules can make it list a little too much, never too little.
 *
 * `completion/complete` is a use of the prompt or resource that it refers to: it is decided like a
 * list's item, with `mcp.completion.argument` present in addition.
 *
 * @param policies the plans are checked before; an expression that does not compile never allows
 */
export function createMcpAuthorizer(
  policies: readonly McpPolicy[],
  memo: DecisionMemo,
): McpAuthorizer {
  /** For all callers whom nobody authenticated. */
  const nobodys = new Decisions();
  const byTarget = new Map<string, TargetRules>();

  function rulesFor(target: string): TargetRules {
    const known = byTarget.get(target);
    if (known !== undefined) return known;
    const plans = policies
      .filter((policy) => policy.target === null || policy.target === target)
      .map(({ plan }) => plan);
    const rules = compileTarget(plans);
    if (byTarget.size < maxTargets) byTarget.set(target, rules);
    return rules;
  }

  function ask(
    group: RuleGroup,
    subject: PolicySubject,
    item: McpItem,
    call: McpCall | null,
  ): Decision {
    const { id, context, steady, varying } = group;
    if (group.isEmpty) return decide(varying, context.values);
    const decisions = subject.principal?.findings.decisions ?? nobodys;
    let settled = decisions.find(id, item.name);
    if (settled !== undefined && group.isSteady) return decide(varying, context.values, settled);
    try {
      const problem = context.load(subject);
      if (problem !== null) return deny(group, problem);
      context.values.mcp = mcpRoot(group.method, item, call);
      if (settled === undefined) {
        settled = settle(steady, context.values);
        memo.remember(decisions, id, item.name, settled);
      }
      return decide(varying, context.values, settled);
    } catch {
      return deny(group, 'the rules failed');
    } finally {
      context.clear();
    }
  }

  return {
    decide(subject, call) {
      return ask(rulesFor(call.target).calls[call.method][call.kind], subject, call, call);
    },
    decideListed(subject, item) {
      return ask(rulesFor(item.target).lists[item.kind], subject, item, null);
    },
  };
}

function deny({ firstPolicy }: RuleGroup, detail: string): Decision {
  return { allowed: false, policy: firstPolicy, rule: null, detail };
}
