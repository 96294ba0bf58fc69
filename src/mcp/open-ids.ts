/** The sealed ids in a request other than the session's: what the upstream gets is its own. */

import { headerValue } from '../accept/request-head.ts';
import { Refusal } from '../errors.ts';
import type { Exchange, HeaderEdit } from '../exchange.ts';
import { jsonAnswer } from './fault.ts';
import { LAST_EVENT_ID_HEADER, openEventId } from './event-id.ts';
import type { McpMessage } from './message.ts';
import { encodeNameHeader } from './name-header.ts';
import { openTaskIds } from './open-task-ids.ts';
import type { SessionBackend } from './session.ts';
import { openTask } from './task-id.ts';

const INVALID_PARAMS = -32602;

/** Fields about the exact octets of a body, which are wrong once another one goes upstream. */
const ABOUT_BODY: readonly HeaderEdit[] = Object.freeze(
  ['content-digest', 'digest', 'repr-digest'].map((name) => ({ name, value: null })),
);

/**
 * Whether the callers of a request's route are told apart, so that ids belong to them. One that needs no token on
 * a route that knows tokens is the owner `anonymous`, besides the others.
 */
export function hasOwners({ rule }: Exchange): boolean {
  return rule !== null && rule.authenticators.length > 0;
}

/**
 * Opens `Last-Event-ID`; an empty one names no event.
 *
 * @returns `null` where there is nothing to say, with the upstream's id in `exchange.headerEdits`; SESSION_UNKNOWN
 *   where the id was not sealed here for this owner, backend and session
 */
export function openLastEventId(exchange: Exchange, mcp: SessionBackend): Refusal | null {
  const sealed = headerValue(exchange.head.headers, LAST_EVENT_ID_HEADER);
  if (sealed === undefined || sealed === '' || !hasOwners(exchange)) return null;
  const { owner, session } = exchange;
  const binding = { owner, backend: mcp.name, session: session?.upstreamId };
  const eventId = openEventId(mcp.sealer, binding, sealed);
  if (eventId === null) return new Refusal('SESSION_UNKNOWN', { detail: 'the event id' });
  editHeaders(exchange, [{ name: LAST_EVENT_ID_HEADER, value: octets(eventId) }]);
  return null;
}

/**
 * Opens the task ids in a message, and in the `Mcp-Name` that repeats one; the header was found to agree.
 *
 * @returns `null` where there is nothing to say, with the upstream's ids in `exchange.body`; TASK_UNKNOWN where an
 *   id was not sealed here for this owner and backend
 */
export function openTasks(
  exchange: Exchange,
  mcp: SessionBackend,
  message: McpMessage,
): Refusal | null {
  const { body, owner } = exchange;
  if (body === null || !hasOwners(exchange)) return null;
  const binding = { owner, backend: mcp.name };
  const opening = openTaskIds(
    body,
    message,
    (sealed) => openTask(mcp.sealer, binding, sealed)?.id ?? null,
  );
  switch (opening.kind) {
    case 'none':
      return null;
    case 'opened':
      replaceBody(exchange, opening.body, opening.taskId);
      return null;
    case 'unknown':
      return taskUnknown(message);
  }
}

/** Sends another body upstream than the client's, and another `Mcp-Name` if the client sent one. */
export function replaceBody(exchange: Exchange, body: Buffer, name: string | null): void {
  exchange.body = body;
  editHeaders(exchange, ABOUT_BODY);
  if (name !== null) editHeaders(exchange, [{ name: 'mcp-name', value: encodeNameHeader(name) }]);
}

export function editHeaders(exchange: Exchange, edits: readonly HeaderEdit[]): void {
  exchange.headerEdits = [...exchange.headerEdits, ...edits];
}

function taskUnknown(message: McpMessage): Refusal {
  const id = message.kind === 'request' ? { id: message.id } : {};
  const error = { code: INVALID_PARAMS, message: 'Task not found' };
  const { contentType, body } = jsonAnswer(404, { jsonrpc: '2.0', ...id, error });
  return new Refusal('TASK_UNKNOWN', { answer: { contentType, body } });
}

/** Header values are octets: text as UTF-8, one character for each. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1');
}
