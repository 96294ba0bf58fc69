import type { McpKind } from '../../authorize/mcp-members.ts';
import type { McpRequest } from '../message.ts';

/** What the name in a request is the name of; a task has none of its own and counts as a resource. */
export function objectKindOf({ object }: McpRequest): McpKind {
  switch (object?.type) {
    case 'tool':
    case 'prompt':
      return object.type;
    case 'completion':
      return object.ref.type;
    default:
      return 'resource';
  }
}
