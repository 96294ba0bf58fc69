/** One CEL expression of an authorization policy: compiled once, evaluated for every request. */

import type { ParseResult } from '@marcbachmann/cel-js';
import { assumeArguments } from './assume-arguments.ts';
import type { Assumption } from './assume-arguments.ts';
import { createRuleContext } from './context.ts';
import type { RuleContext } from './context.ts';
import { Decisions } from './decisions.ts';
import { effort } from './effort.ts';
import { environment, meteredEnvironment, replacements } from './environment.ts';
import { describeFailure, explain } from './explain.ts';
import { inspect } from './inspect.ts';
import type { Inspection, RuleReads } from './inspect.ts';
import { mcpKinds } from './mcp-members.ts';
import { meterLoops } from './meter-loops.ts';

/** Longest expression, in UTF-16 code units. */
export const maxExpressionLength = 16_384;

/** Where a rule applies: to HTTP requests, or to MCP methods (policies on a Backend). */
export type RuleScope = 'http' | 'mcp';

/** An evaluation that gave no bool: an error, or another type. The text is for the log alone. */
export interface RuleFailure {
  readonly failure: string;
}

export interface CompiledRule {
  readonly expression: string;
  readonly reads: RuleReads;
  /** Never throws. Only `true` itself allows; what a failure means is up to the action. */
  evaluate(context: RuleContext): boolean | RuleFailure;
}

export type RuleResult =
  | { readonly ok: true; readonly rule: CompiledRule }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles an expression: parsed, bounded, hardened, type-checked.
 *
 * @param expression CEL (google/cel-spec), at most {@link maxExpressionLength}
 * @returns the rule, or `line:column: what is wrong; what would be right` in one line. An expression
 *   whose type can't be bool is refused.
 * @param assumption for a rule about an item of a list: its outcome over all arguments
 */
export function compileRule(
  expression: string,
  scope: RuleScope,
  assumption: Assumption | null = null,
): RuleResult {
  const result = compile(expression, scope, assumption);
  return 'message' in result ? { ok: false, message: result.message } : { ok: true, rule: result };
}

/**
 * Checks an expression for the resource loader.
 *
 * @param action where it is known, so that a Deny rule that denies every caller without an optional
 *   claim can be warned about
 */
export function checkExpression(
  expression: string,
  scope: RuleScope,
  action: 'Allow' | 'Deny' | 'Require' | null = null,
): { problems: string[]; warnings: string[] } {
  const result = compile(expression, scope, null);
  if ('message' in result) return { problems: [result.message], warnings: [] };

  const warnings = result.inspection.suspicions.map((suspicion) => place(expression, suspicion));
  if (scope === 'http' && result.reads.roots.has('mcp')) {
    const consequence = action === 'Deny' ? 'always denies' : 'is never true';
    warnings.push(
      `mcp is available only to policies that target a Backend, so this rule ${consequence} here`,
    );
  } else if (action === 'Deny') {
    const failing = scope === 'http' ? failsWithoutClaims(result) : mcpFailures(expression);
    if (failing === true) {
      warnings.push(
        'this Deny rule fails, and so denies, when a claim or header that it reads is absent; ' +
          'guard it, for example with has(jwt.team) && ... or jwt.?team.orValue("")',
      );
    } else if (failing !== false) {
      warnings.push(
        `this Deny rule fails, and so denies, for every ${failing.join(' and ')}; ` +
          'guard it, for example with has(mcp.tool) && ...',
      );
    }
  }
  return { problems: [], warnings };
}

interface Compiled extends CompiledRule {
  readonly inspection: Inspection;
}

/** An expression that was parsed, bounded, hardened and type-checked, whatever its type is. */
export interface PreparedExpression {
  readonly run: ParseResult;
  readonly inspection: Inspection;
  /** As CEL names it; `dyn` where it is known only when it runs. */
  readonly type: string;
}

/** The part of {@link compileRule} that does not depend on the type that is wanted. */
export function prepareExpression(
  expression: string,
  scope: RuleScope,
  assumption: Assumption | null,
): PreparedExpression | { readonly message: string } {
  if (expression.length > maxExpressionLength) {
    return { message: `the expression is longer than ${maxExpressionLength} characters; split it` };
  }
  if (expression.trim() === '') return { message: '1:1: the expression is empty' };
  let run: ParseResult;
  let inspection: Inspection;
  try {
    run = environment.parse(expression);
    if (assumption !== null) run = assumeArguments(run, assumption);
    inspection = inspect(run.ast);
  } catch (error) {
    return { message: place(expression, explain(error, scope)) };
  }
  const [fault] = inspection.faults;
  if (fault !== undefined) return { message: place(expression, fault) };

  const checked = run.check();
  if (!checked.valid) return { message: place(expression, explain(checked.error, scope)) };
  return { run, inspection, type: checked.type ?? 'dyn' };
}

function compile(
  expression: string,
  scope: RuleScope,
  assumption: Assumption | null,
): Compiled | { readonly message: string } {
  const prepared = prepareExpression(expression, scope, assumption);
  if ('message' in prepared) return prepared;
  const { run, inspection, type } = prepared;
  if (type !== 'bool' && type !== 'dyn' && type !== 'dyn<bool>') {
    return {
      message: `1:1: the type of the expression is ${type}, not bool; compare it with ==, in, or the like`,
    };
  }
  const metered = meter(expression, assumption);
  if (metered === 'too large') {
    return { message: '1:1: the expression and its loops are too large; split it' };
  }
  const runnable = metered ?? { run, originalOffset: (offset: number) => offset };
  return { expression, reads: inspection.reads, inspection, evaluate: evaluator(runnable) };
}

interface Runnable {
  readonly run: ParseResult;
  /** From a place in the text that is run to one in the text that the author wrote. */
  readonly originalOffset: (offset: number) => number;
}

/** An accepted expression with the charges of its loops; `null` where it has none. */
function meter(expression: string, assumption: Assumption | null): Runnable | null | 'too large' {
  const metered = meterLoops(environment.parse(expression).ast, expression);
  if (metered === null) return null;
  try {
    let run = meteredEnvironment.parse(metered.text);
    if (assumption !== null) run = assumeArguments(run, assumption);
    inspect(run.ast);
    return run.check().valid ? { run, originalOffset: metered.originalOffset } : 'too large';
  } catch {
    return 'too large';
  }
}

function evaluator({ run, originalOffset }: Runnable): CompiledRule['evaluate'] {
  return (context) => {
    // A missing claim is an ordinary thing and an Error's stack is most of its cost.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      const result: unknown = run(context);
      // A loop may have swallowed the refusal, as errors beside a true condition are.
      if (effort.isSpent()) return { failure: 'the rules would take too long for this request' };
      if (result === true || result === false) return result;
      return { failure: 'the result is not a bool' };
    } catch (error) {
      return { failure: describeFailure(error, originalOffset) };
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

function failsWithoutClaims(rule: CompiledRule, mcp?: RuleContext['mcp']): boolean {
  const context = createRuleContext([rule.reads]);
  context.load({
    principal: {
      claims: { iss: '', sub: '', aud: [], exp: 0 },
      findings: { visibleClaims: undefined, decisions: new Decisions() },
    },
    method: 'POST',
    scheme: 'https',
    host: 'localhost',
    path: '/',
    query: null,
    headers: [],
    remoteAddress: '127.0.0.1',
    remotePort: 1024,
    startedAtMs: 0,
  });
  context.values.mcp = mcp;
  return typeof rule.evaluate(context.values) === 'object';
}

/** For which kinds of objects a rule fails whatever the arguments are: `true` for all kinds. */
function mcpFailures(expression: string): boolean | string[] {
  const kinds = mcpKinds.filter((kind) => {
    const argumentsOf = kind === 'resource' ? null : kind;
    const assumption = argumentsOf && ({ argumentsOf, outcome: 'lowest' } as const);
    const rule = compile(expression, 'mcp', assumption);
    const mcp = { method: '', protocolVersion: '', [kind]: { name: '', target: '' } };
    return 'message' in rule || failsWithoutClaims(rule, mcp);
  });
  return kinds.length === mcpKinds.length || (kinds.length > 0 && kinds);
}

/** Puts `line:column: ` in front; the message becomes one line in the words of the author. */
function place(
  expression: string,
  { message, offset }: { readonly message: string; readonly offset: number },
): string {
  const before = expression.slice(0, offset).split('\n');
  const line = before.length;
  const column = (before.at(-1) ?? '').length + 1;
  let text = message.replaceAll(/\s+/g, ' ');
  for (const [name, replacement] of replacements) text = text.replaceAll(replacement, name);
  return `${line}:${column}: ${text}`;
}
