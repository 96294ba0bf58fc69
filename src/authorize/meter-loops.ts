/**
 * Makes the loops of an expression pay for what they look at (`effort.ts`): calls of the charging
 * functions are put around the range of each loop, and inside a loop around whatever is compared,
 * searched or given to a function. Outside of loops everything is evaluated once at most.
 */

import type { ASTNode } from '@marcbachmann/cel-js';
import { operandsOf } from './operands.ts';

/** The charging functions, as the environment registers them. */
export const chargingFunctions = Object.freeze({
  loop: 'chargeLoop',
  scan: 'chargeScan',
  work: 'chargeWork',
});
type Charge = keyof typeof chargingFunctions;

const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
/** Calls whose first operand is a name that they define, or a path that must stay one. */
const macros = new Set([...loops, 'has', 'bind', 'optMap', 'optFlatMap']);
const scans = new Set(['contains', 'startsWith', 'endsWith', 'indexOf', 'lastIndexOf']);

interface Insertion {
  readonly offset: number;
  readonly text: string;
}

export interface MeteredExpression {
  /** The expression with the charges. */
  readonly text: string;
  /** @returns the place in the expression as its author wrote it, for a place in `text` */
  readonly originalOffset: (offset: number) => number;
}

/**
 * @param ast as parsed from `expression`, unchanged
 * @returns `null` where there is no loop
 */
export function meterLoops(ast: ASTNode, expression: string): MeteredExpression | null {
  const insertions: Insertion[] = [];

  function wrap(node: ASTNode, charge: Charge, inLoop: boolean): void {
    if (node.op === 'value' || isNamespace(node)) return;
    insertions.push({ offset: node.start, text: `${chargingFunctions[charge]}(` });
    walk(node, inLoop);
    insertions.push({ offset: node.end, text: ')' });
  }

  function wrapAll(nodes: readonly ASTNode[], charge: Charge | null, inLoop: boolean): void {
    for (const node of nodes) {
      if (charge !== null && inLoop) wrap(node, charge, inLoop);
      else walk(node, inLoop);
    }
  }

  function walk(node: ASTNode, inLoop: boolean): void {
    if (node.op === 'rcall') {
      const [name, receiver, operands] = node.args;
      if (loops.has(name)) {
        wrap(receiver, 'loop', inLoop);
        for (const operand of operands.slice(1)) walk(operand, true);
      } else if (macros.has(name)) {
        walk(receiver, inLoop);
        for (const operand of operands.slice(1)) walk(operand, inLoop);
      } else wrapAll([receiver, ...operands], scans.has(name) ? 'scan' : 'work', inLoop);
    } else if (node.op === 'call') {
      const [name, operands] = node.args;
      if (!macros.has(name)) wrapAll(operands, scans.has(name) ? 'scan' : 'work', inLoop);
    } else wrapAll(operandsOf(node), isScan(node) ? 'scan' : null, inLoop);
  }

  walk(ast, false);
  return insertions.length > 0 ? insert(expression, insertions) : null;
}

/** `optional` in `optional.of(x)` is no value. */
function isNamespace(node: ASTNode): boolean {
  return node.op === 'id' && node.args === 'optional';
}

/** A comparison with a literal costs no more than the literal is long. */
function isScan(node: ASTNode): boolean {
  if (node.op === '==' || node.op === '!=') return node.args.every(({ op }) => op !== 'value');
  return node.op === 'in' || node.op === '+';
}

/** Insertions at one offset stay in their order, closing parentheses first. */
function insert(expression: string, insertions: readonly Insertion[]): MeteredExpression {
  const sorted = [...insertions].sort(
    (a, b) => a.offset - b.offset || Number(b.text === ')') - Number(a.text === ')'),
  );
  let text = '';
  let from = 0;
  for (const { offset, text: inserted } of sorted) {
    text += expression.slice(from, offset) + inserted;
    from = offset;
  }
  return {
    text: text + expression.slice(from),
    originalOffset(offset) {
      let added = 0;
      for (const insertion of sorted) {
        if (insertion.offset + added + insertion.text.length > offset) break;
        added += insertion.text.length;
      }
      return offset - added;
    },
  };
}
