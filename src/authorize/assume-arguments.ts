/**
 * Rules about an item of a list, whose arguments are not known yet.
 *
 * CEL's `&&`, `||` and `!` are the minimum, the maximum and the reversal on the order false < error <
 * true. So the highest outcome that an expression can have, whatever the arguments are, is found by
 * putting the highest outcome in the place of every condition on them (the lowest below a `!`), and the
 * lowest likewise. What is left does not read arguments. Conditions are taken to be independent: of a
 * rule such as `arguments.a == 1 && arguments.a == 2` the highest outcome is taken to be true, although
 * no call makes it true.
 */

import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { environment } from './environment.ts';
import { memberPath, readMcpPath, readMcpPresence } from './mcp-members.ts';
import { operandsOf } from './operands.ts';

/** Which outcome of an expression is asked for, over all arguments that a call may have. */
export interface Assumption {
  readonly argumentsOf: 'tool' | 'prompt';
  readonly outcome: 'highest' | 'lowest';
}

/** Methods whose operands are not all evaluated: only the receiver surely is. */
const lazyMethods = new Set([
  ...['all', 'exists', 'exists_one', 'map', 'filter'],
  ...['or', 'orValue', 'optMap', 'optFlatMap'],
]);

/**
 * Makes the expression that tells an item's highest or lowest outcome.
 *
 * @param parsed fresh from the parser, not checked or inspected; its tree is changed
 * @returns the parse result to use instead; `parsed` itself where it does not read the arguments
 */
export function assumeArguments(parsed: ParseResult, assumption: Assumption): ParseResult {
  const { ast } = parsed;
  if (!touches(ast, assumption)) return parsed;
  const highest = assumption.outcome === 'highest';
  if (rewriteInside(ast, highest, assumption)) return parsed;
  return replacement(ast, highest, assumption);
}

/** @returns the node to stand in the place of `node`, which may be itself with other operands */
function rewrite(node: ASTNode, highest: boolean, assumption: Assumption): ASTNode {
  if (!touches(node, assumption) || rewriteInside(node, highest, assumption)) return node;
  return replacement(node, highest, assumption).ast;
}

/** Rewrites the operands of a node that combines conditions; `false` where the node is one itself. */
function rewriteInside(node: ASTNode, highest: boolean, assumption: Assumption): boolean {
  if (node.op === '&&' || node.op === '||') {
    node.args[0] = rewrite(node.args[0], highest, assumption);
    node.args[1] = rewrite(node.args[1], highest, assumption);
    return true;
  }
  if (node.op === '!_') {
    Object.assign(node, { args: rewrite(node.args, !highest, assumption) });
    return true;
  }
  if (node.op === '?:' && !touches(node.args[0], assumption)) {
    node.args[1] = rewrite(node.args[1], highest, assumption);
    node.args[2] = rewrite(node.args[2], highest, assumption);
    return true;
  }
  return node.op === 'rcall' && rewriteMacro(node.args, highest, assumption);
}

/**
 * `all` and `exists` are chains of `&&` and `||`, and the body of `cel.bind` stands for the whole. The
 * library holds on to the body's own node, so only its operands can be exchanged.
 */
function rewriteMacro(
  [name, receiver, operands]: [string, ASTNode, ASTNode[]],
  highest: boolean,
  assumption: Assumption,
): boolean {
  const isBind = name === 'bind' && receiver.op === 'id' && receiver.args === 'cel';
  if (!isBind && name !== 'all' && name !== 'exists') return false;
  const body = operands.at(-1);
  const outer = isBind ? operands[1] : receiver;
  if (body === undefined || outer === undefined || touches(outer, assumption)) return false;
  return rewriteInside(body, highest, assumption);
}

function replacement(node: ASTNode, highest: boolean, assumption: Assumption): ParseResult {
  if (node.op === '?:') {
    const either = environment.parse(highest ? 'true || true' : 'true && true');
    if (either.ast.op === '||' || either.ast.op === '&&') {
      either.ast.args[0] = rewrite(node.args[1], highest, assumption);
      either.ast.args[1] = rewrite(node.args[2], highest, assumption);
    }
    return either;
  }
  const certain = certainParts(node, assumption);
  if (certain.length === 0) return environment.parse(String(highest));
  // Fails where one of the parts fails, as the condition would, whatever the arguments.
  const unlessFailing = environment.parse(highest ? '[true] != []' : '[true] == []');
  if (unlessFailing.ast.op === '!=' || unlessFailing.ast.op === '==') {
    Object.assign(unlessFailing.ast.args[0], { args: certain });
  }
  return unlessFailing;
}

/** Operands that are evaluated in any case and do not read the arguments, as large as possible. */
function certainParts(node: ASTNode, assumption: Assumption): ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return [];
  if (!touches(node, assumption)) return [node];
  if (node.op === '&&' || node.op === '||') return [];
  if (node.op === '?:') return certainParts(node.args[0], assumption);
  if (node.op === 'call' && node.args[0] === 'has') return [];
  if (node.op === 'rcall') {
    const [name, receiver, operands] = node.args;
    if (lazyMethods.has(name)) return certainParts(receiver, assumption);
    if (receiver.op === 'id' && receiver.args === 'cel') {
      return operands[1] === undefined ? [] : certainParts(operands[1], assumption);
    }
  }
  return operandsOf(node).flatMap((operand) => certainParts(operand, assumption));
}

function touches(node: ASTNode, assumption: Assumption): boolean {
  const path = memberPath(node);
  if (path?.[0] === 'mcp') {
    const reads = readMcpPath(path);
    return typeof reads !== 'string' && reads.includes(`${assumption.argumentsOf}.arguments`);
  }
  if (node.op === 'call' && node.args[0] === 'has' && readMcpPresence(node.args[1][0]) !== null) {
    return false;
  }
  return operandsOf(node).some((operand) => touches(operand, assumption));
}
