import { isUtf8 } from 'node:buffer';
import { findValues, type ValueTree } from './find-values.ts';
import { MEMBER_TWICE, stringAt } from './json-octets.ts';
import { createOctetFinder } from './octet-finder.ts';
import { splice, type Edit } from './splice.ts';

/** What ties a message to a task (MCP 2025-11-25, Tasks). */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task';

const findTaskId = createOctetFinder('taskId');

const META: ValueTree = {
  members: { [RELATED_TASK]: { members: { taskId: { label: 'id' } } } },
};
const ANSWER: ValueTree = {
  members: {
    method: { label: 'method' },
    params: {
      members: {
        taskId: { label: 'id of params' },
        notifications: { members: { taskIds: { items: { label: 'id of filter' } } } },
        _meta: META,
      },
    },
    result: {
      members: {
        taskId: { label: 'id of result' },
        status: { label: 'status of result' },
        task: { members: { taskId: { label: 'id' } } },
        _meta: META,
      },
    },
  },
};

const STATUS_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/tasks/status',
  'notifications/tasks',
]);
const FILTER_NOTIFICATION = 'notifications/subscriptions/acknowledged';

/**
 * Puts sealed ids in place of the task ids in one message from a server: `task.taskId` of a result, `taskId` of a
 * result that has a `status` too, those of status notifications and of the acknowledgement of
 * `subscriptions/listen`, and that of `_meta["io.modelcontextprotocol/related-task"]` in any message. A server's
 * own `tasks/*` requests name tasks of the client, which stay.
 *
 * @param message one JSON text; one that is not JSON is left alone
 * @param seal returns `null` for an id that can't be sealed
 * @returns the new message, `null` where nothing changes, or why the message must not be handed on
 */
export function sealTaskIds(
  message: Buffer,
  seal: (taskId: string) => string | null,
): Buffer | null | 'a member occurs twice' | 'a task id is too long' {
  // An id under an escaped member name stays the upstream's, which opens nothing here.
  if (findTaskId(message) < 0 || !isUtf8(message)) return null;
  const found = findValues(message, ANSWER);
  if (typeof found === 'number') return found === MEMBER_TWICE ? 'a member occurs twice' : null;
  const methodAt = found.find(({ label }) => label === 'method');
  const method = methodAt === undefined ? null : stringAt(message, methodAt.start, methodAt.end);
  const isTask = found.some(({ label }) => label === 'status of result');
  const edits: Edit[] = [];
  for (const { label, start, end } of found) {
    const isId =
      label === 'id' ||
      (label === 'id of result' && isTask) ||
      (label === 'id of params' && method !== null && STATUS_NOTIFICATIONS.has(method)) ||
      (label === 'id of filter' && method === FILTER_NOTIFICATION);
    const taskId = isId ? stringAt(message, start, end) : null;
    if (taskId === null || taskId === '') continue;
    const sealed = seal(taskId);
    if (sealed === null) return 'a task id is too long';
    edits.push({ start, end, text: `"${sealed}"` });
  }
  return edits.length === 0 ? null : splice(message, edits);
}
