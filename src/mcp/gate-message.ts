import type { Decision } from '../authorize/authorizer.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { ANSWERED, PASS, type Verdict } from '../verdict.ts';
import { answerTasksList } from './answer-tasks-list.ts';
import { askForNothing } from './ask-for-nothing.ts';
import { filterAnswer } from './filter-answer.ts';
import { callsOf } from './calls-of.ts';
import { checkContentHeaders } from './content-headers.ts';
import { checkHeaders } from './check-headers.ts';
import { denialAnswer, type OnDeny } from './denial-answer.ts';
import { renderFault, type MessageFault, type RenderedAnswer } from './fault.ts';
import type { McpBackend } from './mcp-backend.ts';
import type { McpMessage, McpNotification, McpRequest } from './message.ts';
import { hasOwners, openLastEventId, openTasks } from './open-ids.ts';
import { readMessage } from './read-message.ts';
import { ownerOf } from './seal-binding.ts';
import { openSession } from './session.ts';
import { createToolListObserver } from './tool-list-observer.ts';

const ALLOWED_METHODS = 'GET, POST, DELETE';

/** Where the gate has no policy for a method it does not know, the upstream may. */
const NO_OBJECT_NEEDED: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'logging/setLevel',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

/**
 * The mcp stage: reads what a request to an MCP backend says, in its body alone, and decides whether the
 * caller may say it. Requests to other backends pass.
 *
 * In order: HTTP method; the owner of the session and of the last event; content type and coding; the message;
 * the headers that repeat it; the owner of its tasks; the policies that target the backend. Without such policies
 * every well-formed message passes. With them, methods that name no object pass only if the gate knows that they
 * need none, lists are filtered by the rules that decide on calls, and client notifications and answers pass. A
 * task is its owner's: the rules decided on the call that made it.
 *
 * @returns PASS, with `exchange.answerFilter` set where the answer has to be filtered, and with
 *   `exchange.denial` where the upstream itself is to answer a denied request (on-deny `hide`); ANSWERED for
 *   `tasks/list`; METHOD_NOT_ALLOWED, SESSION_UNKNOWN, TASK_UNKNOWN, MESSAGE_INVALID with a JSON-RPC body, or
 *   AUTHORIZATION_DENIED in the words that the policy that denied, or else the on-deny option, asks for
 */
export function gateMessage(exchange: Exchange): Verdict {
  const mcp = exchange.backend?.mcp ?? null;
  if (mcp === null) return PASS;
  const { method, headers } = exchange.head;
  if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
    return new Refusal('METHOD_NOT_ALLOWED', { headers: ['allow', ALLOWED_METHODS] });
  }
  exchange.owner = ownerOf(exchange.principal);
  const session = openSession(exchange, mcp);
  if (session instanceof Refusal) return session;
  exchange.session = session;
  const eventUnknown = openLastEventId(exchange, mcp);
  if (eventUnknown !== null) return eventUnknown;
  if (method !== 'POST') {
    if (exchange.requestBody !== null) {
      return new Refusal('MESSAGE_INVALID', { detail: `${method} with a body` });
    }
    if (method === 'GET') filterAnswer(exchange, mcp, null);
    return PASS;
  }

  const contentFault = checkContentHeaders(headers);
  if (contentFault !== null) return invalid(contentFault);
  const message = readMessage(exchange.body ?? new Uint8Array());
  if (message.kind === 'fault') return invalid(message);
  exchange.message = message;
  const headerFault = checkHeaders(message, headers);
  if (headerFault !== null) return invalid(headerFault);

  const taskUnknown = openTasks(exchange, mcp, message);
  if (taskUnknown !== null) return taskUnknown;
  const denial = deniedBy(exchange, mcp, message);
  if (denial !== null) {
    const onDeny = mcp.onDenyByPolicy.get(denial.policy) ?? mcp.onDeny;
    const refusal = denied(message, denial, onDeny);
    if (onDeny !== 'hide' || !askForNothing(exchange, mcp, message, refusal)) return refusal;
  } else if (message.kind === 'request' && message.method === 'tasks/list' && hasOwners(exchange)) {
    answerTasksList(exchange, message);
    return ANSWERED;
  }
  filterAnswer(exchange, mcp, message);
  if (message.kind === 'request' && message.method === 'tools/list') observeTools(exchange, mcp);
  return PASS;
}

function observeTools(exchange: Exchange, { name, target, onTools }: McpBackend): void {
  const targetName = exchange.upstream?.targetName ?? target;
  exchange.answerObserver = createToolListObserver((names) => onTools(name, targetName, names));
}

export type Denial = Extract<Decision, { allowed: false }>;

/**
 * What the policies of a backend say of a message, as they are now.
 *
 * @returns the denial, or `null` where it may pass
 */
export function deniedBy(exchange: Exchange, mcp: McpBackend, message: McpMessage): Denial | null {
  const { authorizer, target } = mcp;
  if (authorizer === null || message.kind === 'response') return null;
  const calls = message.kind === 'request' ? callsOf(message, target) : null;
  if (calls === null) {
    if (NO_OBJECT_NEEDED.has(message.method)) return null;
    if (isOfTasks(message) && exchange.principal !== null && hasOwners(exchange)) return null;
    if (message.kind === 'notification' && message.method.startsWith('notifications/')) return null;
    const detail = 'the rules of this backend say nothing about the method';
    return { allowed: false, policy: mcp.firstPolicy, rule: null, detail };
  }
  const subject = exchange.policySubject();
  for (const call of calls) {
    const decision = authorizer.decide(subject, call);
    if (!decision.allowed) return decision;
  }
  return null;
}

function isOfTasks({ object, method }: McpRequest | McpNotification): boolean {
  return object?.type === 'task' || method === 'tasks/list';
}

function invalid(fault: MessageFault): Refusal {
  return new Refusal('MESSAGE_INVALID', answered(renderFault(fault), fault.message));
}

function denied(message: McpMessage, { policy, rule, detail }: Denial, onDeny: OnDeny): Refusal {
  const answer = denialAnswer(message, onDeny);
  return new Refusal('AUTHORIZATION_DENIED', {
    status: answer.status,
    answer: { contentType: answer.contentType, body: answer.body },
    policy,
    detail,
    ...(rule === null ? {} : { rule }),
  });
}

function answered(answer: RenderedAnswer, detail: string) {
  const { status, contentType, body } = answer;
  return { status, answer: { contentType, body }, detail };
}
