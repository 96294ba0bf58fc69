import { findValues, type ValueTree } from './find-values.ts';
import { stringAt } from './json-octets.ts';
import type { McpMessage } from './message.ts';
import { looksLasting } from './seal.ts';
import { RELATED_TASK } from './seal-task-ids.ts';
import { splice, type Edit } from './splice.ts';

/**
 * What became of the task ids of a client's message: there is none; they were replaced; or one of them is not
 * the caller's.
 */
export type TaskOpening =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'opened';
      readonly body: Buffer;
      /** The upstream's id of the task that the request is about; `null` where it is about none. */
      readonly taskId: string | null;
    }
  | { readonly kind: 'unknown' };

const NONE: TaskOpening = Object.freeze({ kind: 'none' });
const UNKNOWN: TaskOpening = Object.freeze({ kind: 'unknown' });

const META: ValueTree = {
  members: { [RELATED_TASK]: { members: { taskId: { label: 'related' } } } },
};
const PARAMS: ValueTree = {
  members: {
    taskId: { label: 'task' },
    notifications: { members: { taskIds: { items: { label: 'listened' } } } },
    _meta: META,
  },
};
const TASK_REQUEST: ValueTree = { members: { params: PARAMS } };
const OTHER_CALL: ValueTree = { members: { params: { members: { _meta: META } } } };
const RESPONSE: ValueTree = { members: { result: { members: { _meta: META } } } };

/**
 * Puts the upstream's task ids in place of the sealed ones in a message from a client: `taskId` of `tasks/get`,
 * `result`, `update` and `cancel`, `notifications.taskIds` of `subscriptions/listen`, and that of
 * `_meta["io.modelcontextprotocol/related-task"]` in any message. All else stays octet by octet.
 *
 * In client notifications and responses a related task may be one of the client's own (sampling, elicitation):
 * an id that has not the form of a sealed one passes there, since it opens nothing.
 *
 * @param body what `message` was read from: JSON without repeated members
 * @param open returns the upstream's id, or `null` for one that is not the caller's
 */
export function openTaskIds(
  body: Buffer,
  message: McpMessage,
  open: (sealed: string) => string | null,
): TaskOpening {
  const tree = treeFor(body, message);
  const found = tree === null ? [] : findValues(body, tree);
  if (typeof found === 'number') return UNKNOWN;
  if (found.length === 0) return NONE;
  const mayBeOwn = message.kind !== 'request';
  let taskId: string | null = null;
  const edits: Edit[] = [];
  for (const { label, start, end } of found) {
    const sealed = stringAt(body, start, end);
    const upstreamId = sealed === null ? null : open(sealed);
    if (upstreamId === null) {
      if (mayBeOwn && (sealed === null || !looksLasting(sealed))) continue;
      return UNKNOWN;
    }
    if (label === 'task') taskId = upstreamId;
    edits.push({ start, end, text: JSON.stringify(upstreamId) });
  }
  return edits.length === 0 ? NONE : { kind: 'opened', body: splice(body, edits), taskId };
}

/** Where ids may stand; `null` for most messages, whose octets need not be looked at again. */
function treeFor(body: Buffer, message: McpMessage): ValueTree | null {
  if (message.kind === 'response') {
    return body.includes('related-task') || body.includes('\\') ? RESPONSE : null;
  }
  const { meta, object } = message;
  if (object?.type === 'task' || object?.type === 'resources') return TASK_REQUEST;
  return meta !== null && Object.hasOwn(meta, RELATED_TASK) ? OTHER_CALL : null;
}
