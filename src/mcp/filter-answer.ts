import type { PolicySubject } from '../authorize/authorizer.ts';
import type { McpItem } from '../authorize/mcp-call.ts';
import type { Exchange } from '../exchange.ts';
import { isJsonObject } from '../json/read-json.ts';
import { createAnswerFilter, type AnswerHold } from './answer-filter.ts';
import { AnswerIds } from './answer-ids.ts';
import { completionVisibility } from './filter-completion.ts';
import type { IsVisible } from './list-kind.ts';
import type { McpBackend } from './mcp-backend.ts';
import type { McpMessage, McpRequest } from './message.ts';
import { hasOwners } from './open-ids.ts';
import { CLIENT_CAPABILITIES } from './protocol-version.ts';
import { createToolListObserver } from './tool-list-observer.ts';

/** Largest answer that is held back to be filtered, and largest event of a stream, in octets. */
const MAX_FILTERED_BYTES = 8 * 1024 * 1024;
/** The same where nothing but ids is looked for. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/** Of a modern client that takes a task for a result (the tasks extension, SEP-2663). */
const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/**
 * Sets the filter that an exchange's answer goes through: none where there are no policies and no owners of ids. The
 * names in an answer to `tools/list` are learned by the filter, or by an observer where it reads no messages.
 *
 * Where there are policies every answer and stream is filtered, not those of lists alone: servers find the stream
 * of an answer by the request's id, and an id that is used twice can bring a list on another request's.
 *
 * @param eventIds who goes on reading with them when the stream has broken
 */
export function filterAnswer(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage | null,
  eventIds: 'for the client' | 'for the gate' = 'for the client',
): void {
  const sealsIds = hasOwners(exchange);
  const { authorizer, sealer } = mcp;
  const request = message?.kind === 'request' ? message : null;
  const onTools = request?.method === 'tools/list' ? learnerOfTools(exchange, mcp) : null;
  if (authorizer === null) {
    if (onTools !== null) exchange.answerObserver = createToolListObserver(onTools);
    if (!sealsIds) return;
  }
  const ids = new AnswerIds({
    sealer,
    owner: exchange.owner,
    backend: mcp.name,
    session: exchange.session?.upstreamId ?? null,
    sealsIds,
    sealsEvents: sealsIds && eventIds === 'for the client',
    restoresNames: authorizer !== null && mcp.mayHide,
    hiddenName: exchange.hiddenName,
  });
  const isVisible = authorizer === null ? null : visibility(exchange, request);
  exchange.answerFilter = createAnswerFilter({
    request,
    isVisible,
    isCompletionVisible:
      request === null || isVisible === null ? null : completionVisibility(request, isVisible),
    onTools,
    ids,
    holds: holdsOf(mcp, request),
    maxBytes: authorizer === null ? MAX_READ_BYTES : MAX_FILTERED_BYTES,
  });
}

/** `null` for a federation, which tells of the tools of its targets itself. */
function learnerOfTools(
  exchange: Exchange,
  { federation, name, target, onTools }: McpBackend,
): ((names: readonly string[]) => void) | null {
  if (federation !== null) return null;
  const targetName = exchange.upstream?.targetName ?? target;
  return (names) => onTools(name, targetName, names);
}

function visibility(exchange: Exchange, request: McpRequest | null): IsVisible {
  const { owner } = exchange;
  const protocolVersion = request?.protocolVersion ?? null;
  // Most answers list nothing.
  let subject: PolicySubject | null = null;
  return (listKind, name) => {
    // A reload during a long answer puts the backend with the new rules into the exchange.
    const mcp = exchange.backend?.mcp ?? null;
    const kind = listKind === 'tools' ? 'tool' : listKind === 'prompts' ? 'prompt' : 'resource';
    const at = mcp?.locate(owner, kind, name) ?? null;
    if (at === null) return false;
    subject ??= exchange.policySubject();
    // Written out: to spread an object and add to it takes the engine longer than all else that becomes of an item
    // (bench/micro/mcp/filter-list.ts).
    const { target, name: ownName } = at;
    const item: McpItem = { kind, name: ownName, target, protocolVersion };
    return mcp?.authorizer?.decideListed(subject, item).allowed === true;
  };
}

function holdsOf({ authorizer, mayHide }: McpBackend, request: McpRequest | null): AnswerHold {
  if (authorizer !== null) {
    return mayHide && request?.object != null ? 'all' : 'results';
  }
  return request !== null && mayBringTask(request) ? 'results' : 'none';
}

/** Whether the answer may name a task; others are handed on as they come. */
function mayBringTask({ method, meta, asksForTask, era }: McpRequest): boolean {
  if (method.startsWith('tasks/') || asksForTask) return true;
  if (era === 'legacy' || meta === null) return false;
  const capabilities = meta[CLIENT_CAPABILITIES];
  const extensions = isJsonObject(capabilities) ? capabilities.extensions : undefined;
  return isJsonObject(extensions) && Object.hasOwn(extensions, TASKS_EXTENSION);
}
