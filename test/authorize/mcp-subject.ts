import type { McpCall } from '../../src/authorize/mcp-call.ts';
import { createDecisionMemo } from '../../src/authorize/decision-memo.ts';
import { createMcpAuthorizer } from '../../src/authorize/mcp-authorizer.ts';
import type { McpAuthorizer } from '../../src/authorize/mcp-authorizer.ts';
import type { AuthorizationPlan } from '../../src/plan.ts';

/** A call of the tool `echo`, with what a test changes. */
export function toolCall(changes: Partial<McpCall> = {}): McpCall {
  return {
    method: 'tools/call',
    kind: 'tool',
    name: 'echo',
    target: 'main',
    arguments: null,
    completion: null,
    protocolVersion: '2025-11-25',
    ...changes,
  };
}

export function plan(
  action: AuthorizationPlan['action'],
  ...expressions: string[]
): AuthorizationPlan {
  const policy = `default/${action.toLowerCase()}`;
  return { policy, policyKind: 'AgentgatewayPolicy', action, onDeny: null, expressions };
}

/** An authorizer of policies that apply to every target. */
export function authorizerOf(...plans: AuthorizationPlan[]): McpAuthorizer {
  return createMcpAuthorizer(
    plans.map((each) => ({ plan: each, target: null })),
    createDecisionMemo(10_000),
  );
}
