import type { SealOwner } from '../seal-binding.ts';
import { findValues, type ValueTree } from '../find-values.ts';
import { stringAt } from '../json-octets.ts';
import type { McpRequest } from '../message.ts';
import { splice, type Edit } from '../splice.ts';
import { objectKindOf } from './object-kind.ts';
import { RELATED_TASK } from './message-trees.ts';
import { splitName, type LocatedObject } from './names.ts';
import type { IdSealer } from './sealed-ids.ts';
import type { McpKind } from '../../authorize/mcp-members.ts';

/** A client's request as its target gets it. */
export interface RewrittenCall {
  readonly target: string;
  readonly body: Buffer;
  /** The object's own name at the target, for `Mcp-Name`. */
  readonly name: string;
}

const REQUEST: ValueTree = {
  members: {
    params: {
      members: {
        name: { label: 'name' },
        uri: { label: 'uri' },
        taskId: { label: 'taskId' },
        ref: { members: { name: { label: 'ref name' }, uri: { label: 'ref uri' } } },
        _meta: {
          members: {
            progressToken: { label: 'token' },
            [RELATED_TASK]: { members: { taskId: { label: 'related task' } } },
          },
        },
      },
    },
  },
};

/**
 * Finds the target of a request that names an object, and puts the object's own name in the place of the client's.
 * The progress token is sealed, so that no other target can report progress under it. All else stays octet by
 * octet; what is put in reads the same for every JSON parser.
 *
 * @param body what was strictly read: no member occurs twice
 * @returns `null` where no target has the object
 */
export function rewriteCall(
  request: McpRequest,
  body: Buffer,
  owner: SealOwner,
  ids: IdSealer,
  locate: (kind: McpKind, name: string) => LocatedObject | null,
): RewrittenCall | null {
  const label = nameLabel(request);
  const found = findValues(body, REQUEST);
  if (label === null || typeof found === 'number') return null;
  const named = found.find((value) => value.label === label);
  const text = named === undefined ? null : stringAt(body, named.start, named.end);
  if (named === undefined || text === null) return null;
  const located =
    label === 'taskId' ? splitName('resource', text) : locate(objectKindOf(request), text);
  if (located === null) return null;
  const { target, name } = located;
  const edits: Edit[] = [{ start: named.start, end: named.end, text: JSON.stringify(name) }];
  for (const { label: other, start, end } of found) {
    if (other === 'token') {
      const token = ids.seal(owner, 'client-token', {
        target,
        raw: body.toString('utf8', start, end),
      });
      if (token === null) return null;
      edits.push({ start, end, text: `"${token}"` });
    } else if (other === 'related task') {
      const task = splitName('resource', stringAt(body, start, end) ?? '');
      if (task?.target !== target) return null;
      edits.push({ start, end, text: JSON.stringify(task.name) });
    }
  }
  return { target, name, body: splice(body, edits) };
}

function nameLabel({ object }: McpRequest): string | null {
  switch (object?.type) {
    case 'tool':
    case 'prompt':
      return 'name';
    case 'resource':
      return 'uri';
    case 'completion':
      return object.ref.type === 'prompt' ? 'ref name' : 'ref uri';
    case 'task':
      return 'taskId';
    case 'resources':
    case undefined:
      return null;
  }
}
