/**
 * One pass over a parsed expression before it is checked: which inputs it reads, whether its loops are
 * nested within bounds, which functions it calls; and it puts the hardened functions in place.
 */

import type { ASTNode } from '@marcbachmann/cel-js';
import { compileRegularExpression } from '../re2.ts';
import { ConstantPattern, refusedFunctions, replacements, roots } from './environment.ts';
import type { Root } from './environment.ts';
import { memberPath, readMcpPath, readMcpPresence } from './mcp-members.ts';
import type { McpInput } from './mcp-members.ts';

/** Members of `request` that a rule can read. */
export const requestMembers = [
  'method',
  'path',
  'uri',
  'host',
  'scheme',
  'query',
  'headers',
  'time',
] as const;
export type RequestMember = (typeof requestMembers)[number];

/** Members of `source` that a rule can read. */
export const sourceMembers = ['address', 'port'] as const;

/** What an expression reads; the context is filled with no more than that. */
export interface RuleReads {
  readonly roots: ReadonlySet<Root>;
  /** All of them where the expression uses `request` as a whole or by a computed name. */
  readonly requestMembers: ReadonlySet<RequestMember>;
  readonly mcpInputs: ReadonlySet<McpInput>;
}

/** Something wrong at one place of an expression. */
export interface Fault {
  readonly message: string;
  /** UTF-16 code units from the start of the expression. */
  readonly offset: number;
}

export interface Inspection {
  readonly reads: RuleReads;
  /** What makes the expression unusable, in the order found. */
  readonly faults: readonly Fault[];
  /** What is probably not meant. */
  readonly suspicions: readonly Fault[];
}

/** How deep comprehensions, and how deep `cel.bind`, may be nested: the cost grows with the power. */
const maxNesting = 2;

const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

interface State {
  readonly roots: Set<Root>;
  readonly requestMembers: Set<RequestMember>;
  readonly mcpInputs: Set<McpInput>;
  readonly faults: Fault[];
  readonly suspicions: Fault[];
}

interface Nesting {
  readonly loops: number;
  readonly binds: number;
}

/**
 * Walks an expression and renames, in place, the calls that {@link replacements} lists. Must run before
 * the library's own check, which binds the names.
 */
export function inspect(ast: ASTNode): Inspection {
  const state: State = {
    roots: new Set(),
    requestMembers: new Set(),
    mcpInputs: new Set(),
    faults: [],
    suspicions: [],
  };
  walk(ast, state, { loops: 0, binds: 0 });
  return { reads: state, faults: state.faults, suspicions: state.suspicions };
}

function walk(node: ASTNode, state: State, nesting: Nesting): void {
  switch (node.op) {
    case 'value':
      return;
    case 'id':
      readWhole(node.args, state);
      return;
    case '.':
    case '.?':
      if (
        !readMcpMember(node, state) &&
        !readMember(node.args[0], node.args[1], node.start, state)
      ) {
        walk(node.args[0], state, nesting);
      }
      return;
    case '[]':
    case '[?]':
      if (!readMcpMember(node, state)) walkIndex(node.args[0], node.args[1], state, nesting);
      return;
    case 'call':
      walkCall(node.args, node.start, state, nesting);
      return;
    case 'rcall':
      walkMethod(node.args, node.start, state, nesting);
      return;
    case 'list':
      for (const element of node.args) walk(element, state, nesting);
      return;
    case 'map':
      for (const [key, value] of node.args) {
        walk(key, state, nesting);
        walk(value, state, nesting);
      }
      return;
    case '!_':
    case '-_':
      walk(node.args, state, nesting);
      return;
    case '?:':
    case '||':
    case '&&':
    case '!=':
    case '==':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      for (const operand of node.args) walk(operand, state, nesting);
      return;
  }
}

function walkIndex(map: ASTNode, key: ASTNode, state: State, nesting: Nesting): void {
  if (key.op === 'value' && typeof key.args === 'string') {
    if (isRequestHeaders(map) && key.args !== key.args.toLowerCase()) {
      state.suspicions.push({
        message: `header names are lower case in request.headers; write "${key.args.toLowerCase()}"`,
        offset: key.start,
      });
    }
    if (readMember(map, key.args, map.start, state)) return;
  }
  walk(map, state, nesting);
  walk(key, state, nesting);
}

function walkCall(args: [string, ASTNode[]], offset: number, state: State, nesting: Nesting): void {
  const [name, operands] = args;
  args[0] = replacements.get(name) ?? name;
  if (name === 'matches') fixPattern(operands[1], state);
  const presence = name === 'has' ? readMcpPresence(operands[0]) : null;
  if (presence !== null) {
    readMcp(presence, state);
    return;
  }
  for (const operand of operands) walk(operand, state, nesting);
  if (refusedFunctions.has(name)) refuse(name, offset, state);
}

function walkMethod(
  args: [string, ASTNode, ASTNode[]],
  offset: number,
  state: State,
  nesting: Nesting,
): void {
  const [name, receiver, operands] = args;
  args[0] = replacements.get(name) ?? name;
  if (name === 'matches') fixPattern(operands[0], state);
  if (refusedFunctions.has(name)) refuse(name, offset, state);
  walk(receiver, state, nesting);

  const inner: Nesting = {
    loops: nesting.loops + (loops.has(name) ? 1 : 0),
    binds: nesting.binds + (name === 'bind' ? 1 : 0),
  };
  if (inner.loops > maxNesting || inner.binds > maxNesting) {
    const what = inner.loops > maxNesting ? 'loops (all, exists, map, ...)' : 'cel.bind';
    state.faults.push({ message: `${what} may be nested at most ${maxNesting} deep`, offset });
    return;
  }
  for (const operand of operands) walk(operand, state, inner);
}

/** Compiles a literal pattern now; a bad one is a fault of the rule, not of each request. */
function fixPattern(node: ASTNode | undefined, state: State): void {
  if (node?.op !== 'value' || typeof node.args !== 'string') return;
  const result = compileRegularExpression(node.args);
  if ('problem' in result) {
    state.faults.push({
      message: `bad regular expression (RE2 syntax): ${result.problem}`,
      offset: node.start,
    });
    return;
  }
  Object.assign(node, { args: new ConstantPattern(result) });
}

function refuse(name: string, offset: number, state: State): void {
  state.faults.push({ message: `${name}() is not available in rules`, offset });
}

function readWhole(name: string, state: State): void {
  const root = roots.find((known) => known === name);
  if (root === undefined) return;
  state.roots.add(root);
  if (root === 'mcp') readMcp(readMcpPath([root]), state);
  if (root !== 'request') return;
  for (const member of requestMembers) state.requestMembers.add(member);
}

function readMcpMember(node: ASTNode, state: State): boolean {
  const path = memberPath(node);
  if (path?.[0] !== 'mcp') return false;
  const inputs = readMcpPath(path);
  if (typeof inputs === 'string') state.faults.push({ message: inputs, offset: node.start });
  else readMcp(inputs, state);
  return true;
}

function readMcp(inputs: readonly McpInput[] | string, state: State): void {
  state.roots.add('mcp');
  if (typeof inputs === 'string') return;
  for (const input of inputs) state.mcpInputs.add(input);
}

function readMember(map: ASTNode, name: string, offset: number, state: State): boolean {
  if (map.op !== 'id' || (map.args !== 'request' && map.args !== 'source')) return false;
  state.roots.add(map.args);
  const members: readonly string[] = map.args === 'request' ? requestMembers : sourceMembers;
  if (!members.includes(name)) {
    state.faults.push({
      message: `${map.args} has no ${name}; it has ${members.join(', ')}`,
      offset,
    });
    return true;
  }
  const member = requestMembers.find((known) => known === name);
  if (map.args === 'request' && member !== undefined) state.requestMembers.add(member);
  return true;
}

function isRequestHeaders(node: ASTNode): boolean {
  return (
    node.op === '.' &&
    node.args[1] === 'headers' &&
    node.args[0].op === 'id' &&
    node.args[0].args === 'request'
  );
}
