import type { Decision } from '../authorize/authorizer.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { ANSWERED, PASS, type Verdict } from '../verdict.ts';
import { answerTasksList } from './answer-tasks-list.ts';
import { askForNothing } from './ask-for-nothing.ts';
import { filterAnswer } from './filter-answer.ts';
import { callsOf, type Locate } from './calls-of.ts';
import type { LocatedObject } from './federation/names.ts';
import { checkContentHeaders } from './content-headers.ts';
import { checkHeaders } from './check-headers.ts';
import { denialAnswer, type OnDeny } from './denial-answer.ts';
import { renderFault, type MessageFault, type RenderedAnswer } from './fault.ts';
import type { FederatedRequest } from './federation/federation.ts';
import type { McpBackend } from './mcp-backend.ts';
import type { McpMessage, McpNotification, McpRequest } from './message.ts';
import { hasOwners, openLastEventId, openTasks } from './open-ids.ts';
import { readMessage } from './read-message.ts';
import { ownerOf } from './seal-binding.ts';
import { openSession } from './session.ts';

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
 * A backend of several targets is put into `exchange.upstream` as one.
 *
 * @returns PASS, with `exchange.answerFilter` set where the answer has to be filtered, and with
 *   `exchange.denial` where the upstream itself is to answer a denied request (on-deny `hide`); ANSWERED for
 *   `tasks/list`; METHOD_NOT_ALLOWED, SESSION_UNKNOWN, TASK_UNKNOWN, MESSAGE_INVALID with a JSON-RPC body, or
 *   AUTHORIZATION_DENIED in the words that the policy that denied, or else the on-deny option, asks for
 */
export function gateMessage(exchange: Exchange): Verdict | Promise<Verdict> {
  const mcp = exchange.backend?.mcp ?? null;
  if (mcp === null) return PASS;
  const { method, headers } = exchange.head;
  if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') {
    return new Refusal('METHOD_NOT_ALLOWED', { headers: ['allow', ALLOWED_METHODS] });
  }
  exchange.owner = ownerOf(exchange.principal);
  const session = exchange.carrier === null ? openSession(exchange, mcp) : exchange.carrier.session;
  if (session instanceof Refusal) return session;
  exchange.session = session;
  const eventUnknown = openLastEventId(exchange, mcp);
  if (eventUnknown !== null) return eventUnknown;
  if (method !== 'POST') {
    if (exchange.requestBody !== null) {
      return new Refusal('MESSAGE_INVALID', { detail: `${method} with a body` });
    }
    if (method === 'GET') filterAnswer(exchange, mcp, null);
    federate(exchange, mcp, null, locatorOf(exchange, mcp));
    return PASS;
  }

  const contentFault = checkContentHeaders(headers);
  if (contentFault !== null) return invalid(contentFault);
  const body = exchange.body ?? new Uint8Array();
  const message = readMessage(body);
  if (message.kind === 'fault') return invalid(message);
  exchange.message = message;
  const headerFault = checkHeaders(message, headers);
  if (headerFault !== null) return invalid(headerFault);

  const taskUnknown = openTasks(exchange, mcp, message);
  if (taskUnknown !== null) return taskUnknown;
  if (mcp.federation === null) return decideOn(exchange, mcp, message, body);
  const ready = exchange.carrier?.whenReady() ?? null;
  return ready === null
    ? learnAndDecide(exchange, mcp, message, body)
    : ready.then(() => learnAndDecide(exchange, mcp, message, body));
}

/** Asks the targets first what they have, where that has to be known and is not. */
function learnAndDecide(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage,
  body: Uint8Array,
): Verdict | Promise<Verdict> {
  const locate = locatorOf(exchange, mcp);
  federate(exchange, mcp, message, locate);
  const learning =
    mcp.federation?.learn(federatedRequest(exchange, mcp, message, locate), () =>
      mcp.requestFor(exchange),
    ) ?? null;
  return learning === null
    ? decideOn(exchange, mcp, message, body)
    : learning.then(() => decideOn(exchange, mcp, message, body));
}

/** @param body what the message was read from: ids and names in the exchange's own may have been replaced */
function decideOn(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage,
  body: Uint8Array,
): Verdict {
  const locate = locatorOf(exchange, mcp);
  const remembered = mcp.federation === null ? null : rememberLocated(locate);
  const denial = deniedBy(exchange, mcp, message, remembered?.locate ?? locate);
  if (denial !== null) {
    const onDeny = mcp.onDenyByPolicy.get(denial.policy) ?? mcp.onDeny;
    const refusal = denied(message, denial, onDeny);
    if (onDeny !== 'hide' || !askForNothing(exchange, mcp, message, refusal)) return refusal;
  } else if (message.kind === 'request' && message.method === 'tasks/list' && hasOwners(exchange)) {
    answerTasksList(exchange, message);
    return ANSWERED;
  }
  filterAnswer(exchange, mcp, message);
  if (remembered !== null) {
    // After all that may have changed: names once learned, and the body.
    const goesUp = exchange.body === body ? message : readMessage(exchange.body ?? body);
    const isDecided = mcp.authorizer !== null && denial === null;
    const goesTo = isDecided ? remembered.located : locate;
    federate(exchange, mcp, goesUp.kind === 'fault' ? message : goesUp, goesTo);
  }
  return PASS;
}

/** Names of targets may be learned until a message goes up: it goes where it was decided that it may. */
function rememberLocated(locate: Locate): { readonly locate: Locate; readonly located: Locate } {
  const found = new Map<string, LocatedObject | null>();
  return {
    locate(kind, name) {
      const at = locate(kind, name);
      found.set(`${kind} ${name}`, at);
      return at;
    },
    located: (kind, name) => found.get(`${kind} ${name}`) ?? null,
  };
}

/** Puts what stands for several targets in the place of the first one. */
function federate(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage | null,
  locate: Locate,
): void {
  const { federation } = mcp;
  if (federation === null) return;
  exchange.upstream = federation.upstreamFor(federatedRequest(exchange, mcp, message, locate));
}

/** @param message what goes up, where ids or names in it have been replaced */
function federatedRequest(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage | null,
  locate: Locate,
): FederatedRequest {
  return {
    owner: exchange.owner,
    message,
    sessionText: exchange.session?.upstreamId ?? null,
    locate,
    maySubscribe: (at) => maySubscribe(exchange, mcp, at),
    note: (text) => {
      exchange.note = text;
    },
  };
}

/** Asks the policies about a subscription that is to be made again. */
function maySubscribe(exchange: Exchange, mcp: McpBackend, at: LocatedObject): boolean {
  const params = { uri: at.name };
  const text = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'resources/subscribe', params });
  const message = readMessage(Buffer.from(text));
  // A stream may have outlived the rules that it began under.
  const now = exchange.backend?.mcp ?? mcp;
  return message.kind === 'request' && deniedBy(exchange, now, message, () => at) === null;
}

export type Denial = Extract<Decision, { allowed: false }>;

/**
 * What the policies of a backend say of a message, as they are now.
 *
 * @returns the denial, or `null` where it may pass
 */
export function deniedBy(
  exchange: Exchange,
  mcp: McpBackend,
  message: McpMessage,
  locate: Locate = locatorOf(exchange, mcp),
): Denial | null {
  const { authorizer } = mcp;
  if (authorizer === null || message.kind === 'response') return null;
  const calls = message.kind === 'request' ? callsOf(message, locate) : null;
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

function locatorOf({ owner }: Exchange, mcp: McpBackend): Locate {
  return (kind, name) => mcp.locate(owner, kind, name);
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
