/** A CEL expression that gives a text, such as the key that requests are counted under. */

import type { PolicySubject } from './authorizer.ts';
import { createRuleContext } from './context.ts';
import type { McpCall } from './mcp-call.ts';
import { mcpRoot } from './mcp-root.ts';
import { prepareExpression, type RuleScope } from './rule.ts';

/** Never throws. */
export interface TextExpression {
  /**
   * @param call what the MCP message asks for, or `null`: then `mcp` does not exist
   * @returns the text, or `null` where the expression fails or gives anything else
   */
  evaluate(subject: PolicySubject, call: McpCall | null): string | null;
}

/**
 * Compiles an expression, with the hardening and the limits of rules.
 *
 * @param scope `mcp` exists in `mcp` alone
 * @returns the expression, or `line:column: what is wrong`; one whose type can't be string is refused
 */
export function compileTextExpression(
  expression: string,
  scope: RuleScope,
): TextExpression | { readonly message: string } {
  const prepared = prepareExpression(expression, scope, null);
  if ('message' in prepared) return prepared;
  const { run, inspection, type } = prepared;
  if (type !== 'string' && type !== 'dyn' && type !== 'dyn<string>') {
    return { message: `1:1: the type of the expression is ${type}, not string; use string(...)` };
  }
  if (scope === 'http' && inspection.reads.roots.has('mcp')) {
    return { message: '1:1: mcp is available only to policies that target a Backend' };
  }
  const context = createRuleContext([inspection.reads]);
  const readsMcp = inspection.reads.roots.has('mcp');
  return {
    evaluate(subject, call) {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 0;
      try {
        if (context.load(subject) !== null) return null;
        if (readsMcp && call !== null) context.values.mcp = mcpRoot(call.method, call, call);
        const result: unknown = run(context.values);
        return typeof result === 'string' ? result : null;
      } catch {
        return null;
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
        context.clear();
      }
    },
  };
}

/** For the resource loader: what makes an expression unusable. */
export function checkTextExpression(expression: string, scope: RuleScope): readonly string[] {
  const result = compileTextExpression(expression, scope);
  return 'message' in result ? [result.message] : [];
}
