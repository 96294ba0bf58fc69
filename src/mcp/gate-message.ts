import type { Decision } from '../authorize/authorizer.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { PASS, type Verdict } from '../verdict.ts';
import { createAnswerFilter } from './answer-filter.ts';
import { callsOf, type Locate } from './calls-of.ts';
import { checkContentHeaders } from './content-headers.ts';
import { checkHeaders } from './check-headers.ts';
import { denialAnswer } from './denial-answer.ts';
import { renderFault, type MessageFault, type RenderedAnswer } from './fault.ts';
import type { FederatedRequest } from './federation/federation.ts';
import type { IsVisible } from './list-kind.ts';
import type { McpBackend } from './mcp-backend.ts';
import type { McpMessage } from './message.ts';
import { readMessage } from './read-message.ts';
import { ownerOf } from './seal-binding.ts';
import { openSession } from './session.ts';

/** Largest answer that is held back to be filtered, and largest event of a stream, in octets. */
const MAX_FILTERED_BYTES = 8 * 1024 * 1024;

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
 * In order: HTTP method; the session's owner; content type and coding; the message; the headers that repeat
 * it; the policies that target the backend. Without such policies every well-formed message passes. With them,
 * methods that name no object pass only if the gate knows that they need none, lists are filtered by the
 * rules that decide on calls, and client notifications and answers pass.
 *
 * A backend of several targets is put into `exchange.upstream` as one.
 *
 * @returns PASS, with `exchange.answerFilter` set where the answer has to be filtered; METHOD_NOT_ALLOWED,
 *   SESSION_UNKNOWN, MESSAGE_INVALID with a JSON-RPC body, or AUTHORIZATION_DENIED in the words that the
 *   on-deny option asks for
 */
export function gateMessage(exchange: Exchange): Verdict | Promise<Verdict> {
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
  if (method !== 'POST') {
    if (exchange.requestBody !== null) {
      return new Refusal('MESSAGE_INVALID', { detail: `${method} with a body` });
    }
    if (method === 'GET') filterAnswer(exchange, mcp, null);
    federate(exchange, mcp, null);
    return PASS;
  }

  const contentFault = checkContentHeaders(headers);
  if (contentFault !== null) return invalid(contentFault);
  const message = readMessage(exchange.body ?? new Uint8Array());
  if (message.kind === 'fault') return invalid(message);
  exchange.message = message;
  const headerFault = checkHeaders(message, headers);
  if (headerFault !== null) return invalid(headerFault);

  federate(exchange, mcp, message);
  const learning =
    mcp.federation?.learn(federatedRequest(exchange, message), () => mcp.requestFor(exchange)) ??
    null;
  if (learning !== null) {
    return learning.then(() => {
      federate(exchange, mcp, message);
      return decideOn(exchange, mcp, message);
    });
  }
  return decideOn(exchange, mcp, message);
}

function decideOn(exchange: Exchange, mcp: McpBackend, message: McpMessage): Verdict {
  const denial = deniedBy(exchange, mcp, message);
  if (denial !== null) return denied(mcp, message, denial);
  filterAnswer(exchange, mcp, message);
  return PASS;
}

/** Puts what stands for several targets in the place of the first one. */
function federate(exchange: Exchange, mcp: McpBackend, message: McpMessage | null): void {
  const { federation } = mcp;
  if (federation === null) return;
  exchange.upstream = federation.upstreamFor(federatedRequest(exchange, message));
}

function federatedRequest(exchange: Exchange, message: McpMessage | null): FederatedRequest {
  return {
    owner: exchange.owner,
    message,
    sessionText: exchange.session?.upstreamId ?? null,
    note: (text) => {
      exchange.note = text;
    },
  };
}

type Denial = Extract<Decision, { allowed: false }>;

function deniedBy(exchange: Exchange, mcp: McpBackend, message: McpMessage): Denial | null {
  const { authorizer } = mcp;
  if (authorizer === null || message.kind === 'response') return null;
  const calls = message.kind === 'request' ? callsOf(message, locatorOf(exchange, mcp)) : null;
  if (calls === null) {
    if (NO_OBJECT_NEEDED.has(message.method)) return null;
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

/**
 * Where there are policies every answer and stream is filtered, not those of lists alone: servers find the stream
 * of an answer by the request's id, and an id that is used twice can bring a list on another request's.
 */
function filterAnswer(exchange: Exchange, mcp: McpBackend, message: McpMessage | null): void {
  const { authorizer } = mcp;
  if (authorizer === null) return;
  const locate = locatorOf(exchange, mcp);
  const request = message?.kind === 'request' ? message : null;
  const subject = exchange.policySubject();
  const protocolVersion = request?.protocolVersion ?? null;
  const isVisible: IsVisible = (listKind, name) => {
    const kind = listKind === 'tools' ? 'tool' : listKind === 'prompts' ? 'prompt' : 'resource';
    const at = locate(kind, name);
    return (
      at !== null && authorizer.decideListed(subject, { ...at, kind, protocolVersion }).allowed
    );
  };
  exchange.answerFilter = createAnswerFilter({
    request,
    isVisible,
    maxBytes: MAX_FILTERED_BYTES,
  });
}

function locatorOf({ owner }: Exchange, mcp: McpBackend): Locate {
  return (kind, name) => mcp.locate(owner, kind, name);
}

function invalid(fault: MessageFault): Refusal {
  return new Refusal('MESSAGE_INVALID', answered(renderFault(fault), fault.message));
}

function denied(mcp: McpBackend, message: McpMessage, { policy, rule, detail }: Denial): Refusal {
  const answer = denialAnswer(message, mcp.onDeny);
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
