/** What rules can read of `mcp`, and which places of an expression read it. */

import type { ASTNode } from '@marcbachmann/cel-js';

/** What an MCP request acts on. Exactly one of them is present in an evaluation. */
export const mcpKinds = ['tool', 'prompt', 'resource'] as const;
export type McpKind = (typeof mcpKinds)[number];

const members: Readonly<Record<string, readonly string[] | null>> = {
  method: null,
  protocolVersion: null,
  tool: ['name', 'target', 'arguments'],
  prompt: ['name', 'target', 'arguments'],
  resource: ['name', 'target'],
  completion: ['argument'],
};

/** Parts of `mcp` that matter for when a decision can be remembered, or must be made without them. */
export const mcpInputs = [
  'method',
  'protocolVersion',
  'object',
  'tool.arguments',
  'prompt.arguments',
  'completion',
] as const;
export type McpInput = (typeof mcpInputs)[number];

/**
 * The names of a chain of accesses that starts at a variable: `mcp`, `tool`, `name` for both
 * `mcp.tool.name` and `mcp["tool"].?name`.
 *
 * @returns `null` for anything else, such as an index that is computed
 */
export function memberPath(node: ASTNode): string[] | null {
  const names: string[] = [];
  let at = node;
  while (at.op !== 'id') {
    if (at.op === '.' || at.op === '.?') names.push(at.args[1]);
    else if (at.op === '[]' || at.op === '[?]') {
      const key = at.args[1];
      if (key.op !== 'value' || typeof key.args !== 'string') return null;
      names.push(key.args);
    } else return null;
    at = at.args[0];
  }
  names.push(at.args);
  return names.reverse();
}

/**
 * What an access to `mcp` reads.
 *
 * @param path as from {@link memberPath}, `mcp` first; a map that is used as a whole is read whole
 * @returns the inputs, or one sentence about a member that does not exist
 */
export function readMcpPath(path: readonly string[]): readonly McpInput[] | string {
  const [, member, field] = path;
  if (member === undefined) return mcpInputs;
  const fields = Object.hasOwn(members, member) ? members[member] : undefined;
  if (fields === undefined) {
    return `mcp has no ${member}; it has ${Object.keys(members).join(', ')}`;
  }
  if (member === 'method' || member === 'protocolVersion' || member === 'completion') {
    const wrong = fields !== null && field !== undefined && !fields.includes(field);
    return wrong ? `mcp.${member} has no ${field}; it has ${fields.join(', ')}` : [member];
  }
  if (field !== undefined && fields?.includes(field) === false) {
    return `mcp.${member} has no ${field}; it has ${fields.join(', ')}`;
  }
  if (member === 'resource' || field === 'name' || field === 'target') return ['object'];
  const input = member === 'tool' ? 'tool.arguments' : 'prompt.arguments';
  return field === undefined ? ['object', input] : [input];
}

/**
 * What `has(mcp.tool)` and the like read: not what is in the map, but whether it is there, which follows
 * from the method.
 *
 * @param operand of `has`
 * @returns `null` where it is not a question about a direct member of `mcp`
 */
export function readMcpPresence(operand: ASTNode | undefined): readonly McpInput[] | null {
  const path = operand === undefined ? null : memberPath(operand);
  if (path?.[0] !== 'mcp' || path.length !== 2) return null;
  const [, member = ''] = path;
  if (member === 'completion') return ['method'];
  return mcpKinds.some((kind) => kind === member) ? ['object'] : null;
}
