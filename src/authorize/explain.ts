/** Turns the CEL library's errors into words: for the author of a rule, and for the access log. */

import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { Fault } from './inspect.ts';
import { limits } from './environment.ts';

const hints: Readonly<Record<string, string>> = {
  limit_exceeded: `a rule may have ${limits.maxAstNodes} nodes, ${limits.maxDepth} levels and lists of ${limits.maxListElements}; split it`,
  invalid_macro_argument:
    'has() takes a field such as jwt.org.team; for others write "name" in jwt',
  no_matching_overload: 'no function has that name and these argument types',
  no_such_overload: 'convert one side, for example with int(), double() or string()',
  invalid_logical_operand: 'compare it, for example with ==',
};

/**
 * Why an expression could not be compiled.
 *
 * @param error what the library threw or returned
 * @returns message with a hint at what would be right, and the place
 */
export function explain(error: unknown, scope: 'http' | 'mcp'): Fault {
  if (error instanceof RangeError) {
    return { message: 'the expression is nested too deeply; split it', offset: 0 };
  }
  if (!(error instanceof ParseError || error instanceof CelTypeError)) {
    return { message: error instanceof Error ? error.message : 'not valid CEL', offset: 0 };
  }
  const hint = hintFor(error.code, error.summary, scope);
  const message = hint === null ? error.summary : `${error.summary}; ${hint}`;
  return { message, offset: error.range?.start ?? 0 };
}

function hintFor(code: string, summary: string, scope: 'http' | 'mcp'): string | null {
  if (code === 'unknown_variable') {
    return `rules use jwt, request, source${scope === 'mcp' ? ', mcp' : ''}; text stands in quotes`;
  }
  if (code === 'unexpected_character' && summary.endsWith('=')) return 'write == to compare';
  return hints[code] ?? null;
}

/**
 * Why an evaluation failed, for the log. Only words of the rule's author and of the library are used:
 * the library's own messages can hold what the client sent, even a credential.
 *
 * @param originalOffset from a place in the text that was run to one in the rule
 */
export function describeFailure(
  error: unknown,
  originalOffset: (offset: number) => number,
): string {
  if (!(error instanceof EvaluationError || error instanceof CelTypeError)) {
    if (error instanceof RangeError) return 'evaluation failed: too deep or too large';
    return 'evaluation failed';
  }
  const what = error.code.replaceAll('_', ' ');
  const node = error.node;
  const named = node !== undefined && 'args' in node && (node.op === '.' || node.op === '.?');
  const field: unknown = named && Array.isArray(node.args) ? node.args[1] : undefined;
  const where =
    error.range === undefined ? '' : ` at character ${originalOffset(error.range.start) + 1}`;
  return `evaluation failed: ${what}${typeof field === 'string' ? ` ${field}` : ''}${where}`;
}
