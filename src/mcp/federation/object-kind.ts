import type { McpKind } from '../../authorize/mcp-members.ts';
import type { McpObject, McpRequest } from '../message.ts';

/** What the name in a request is the name of; a task has none of its own and counts as a resource. */
export function objectKindOf({ object }: McpRequest): McpKind {
  if (object?.type === 'tool' || object?.type === 'prompt') return object.type;
  return object?.type === 'completion' ? object.ref.type : 'resource';
}

/** The name that a client uses for it; `null` for tasks, and for several resources at once. */
export function nameOf(object: McpObject): string | null {
  switch (object.type) {
    case 'tool':
    case 'prompt':
      return object.name;
    case 'resource':
      return object.uri;
    case 'completion':
      return object.ref.type === 'prompt' ? object.ref.name : object.ref.uri;
    case 'resources':
    case 'task':
      return null;
  }
}
