import type { JsonObject } from '../json/read-json.ts';
import type { CelMap } from './context.ts';
import type { DecidedMethod, McpCall, McpItem } from './mcp-call.ts';
import { visibleArguments } from './visible-arguments.ts';

const noArguments: JsonObject = Object.freeze({});

/**
 * The value of `mcp` in rules. Arguments are looked at when a rule does, and not before.
 *
 * @param call `null` for an item of a list; its arguments, like those of a completion's prompt, can't be
 *   read: an access is an error
 */
export function mcpRoot(method: DecidedMethod, item: McpItem, call: McpCall | null): CelMap {
  const { kind, name, target, protocolVersion } = item;
  const root: Record<string, unknown> = { method };
  if (protocolVersion !== null) root.protocolVersion = protocolVersion;
  const known = call === null || method === 'completion/complete' ? null : call;
  root[kind] = kind === 'resource' ? { name, target } : withArguments(name, target, known);
  if (call?.completion != null) {
    root.completion = {
      get argument() {
        const { name: argumentName, value } = call.completion ?? { name: '', value: '' };
        return visibleArguments({ name: argumentName, value });
      },
    };
  }
  return root;
}

function withArguments(name: string, target: string, call: McpCall | null): CelMap {
  let visible: CelMap | null = null;
  return {
    name,
    target,
    get arguments() {
      if (call === null) throw new RangeError('the arguments are not known');
      visible ??= visibleArguments(call.arguments ?? noArguments);
      return visible;
    },
  };
}
