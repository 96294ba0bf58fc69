import { randomUUID } from 'node:crypto';
import { isModernVersion } from '../protocol-version.ts';
import { askClient, readWantedInput, type WantedInput } from './eras/ask-client.ts';
import { inFlightKey } from './in-flight.ts';
import type { McpRequest } from '../message.ts';
import { denialAnswer } from '../denial-answer.ts';
import { AnswerRelay } from './answer-relay.ts';
import { CallScope } from './call-scope.ts';
import { errorMessage } from './answers.ts';
import { isFailed, type FederatedCall, type TargetSessions } from './federated-call.ts';
import type { FederationParts } from './federation-parts.ts';
import { treesFor } from './message-trees.ts';
import { readResponse } from './read-response.ts';
import { rewriteCall, type RewrittenCall } from './rewrite-call.ts';
import { sendToTarget } from './target-client.ts';
import type { Upstream } from '../../forward/upstream.ts';
import type { TargetSession } from './session-text.ts';
import { askTarget } from './ask-target.ts';
import { adaptCall } from './eras/adapt-call.ts';

/**
 * Sends a request that names an object to the target that has it, and its answer to the client as it comes. A session
 * that the target has forgotten is opened again, once, and the request sent again: it was not executed.
 *
 * What no target has is answered as what does not exist.
 */
export async function routeCall(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  request: McpRequest,
): Promise<void> {
  const { base, answer } = call;
  const { owner } = base;
  const rewritten =
    base.body === null ? null : rewriteCall(request, base.body, owner, parts.ids, call.locate);
  const upstream = parts.targets.find(({ targetName }) => targetName === rewritten?.target);
  if (rewritten === null || upstream === undefined) {
    const { status, contentType, body } = denialAnswer(request, 'hide');
    answer.send(status, ['content-type', contentType], Buffer.from(body));
    return;
  }
  const session = await sessions.get(call, upstream);
  if (isFailed(session)) {
    parts.onTargetFailed(parts.backend, upstream.targetName, session.reason);
    answer.fail('UPSTREAM_UNREACHABLE', session.reason);
    return;
  }
  if (isSubscription(request) && request.era === 'legacy' && isModernVersion(session.version)) {
    // The modern era knows a stream instead, which ends with its client's: none of these outlives this request.
    const text = `Method not found: the server of this resource knows no ${request.method}`;
    answer.respond(200, errorMessage(request.id, -32601, text));
    return;
  }
  const sent: SentCall = { parts, sessions, call, request, rewritten, upstream };
  sendCall(sent, session, { mayRenew: true, round: 0, input: '' });
}

function isSubscription({ method }: McpRequest): boolean {
  return method === 'resources/subscribe' || method === 'resources/unsubscribe';
}

/** For a session at the target that has to be opened again. */
function rememberSubscription(
  { parts, call, request, rewritten, upstream }: SentCall,
  response: Buffer,
): void {
  if (readResponse(response, request.id).kind !== 'result') return;
  const { settings, backend } = parts;
  const target = upstream.targetName;
  const { name } = rewritten;
  if (request.method === 'resources/unsubscribe') {
    settings.unsubscribe(backend, call, target, name);
  } else if (call.maySubscribe({ target, name })) {
    // Not what went up under a hidden name, since it was denied.
    settings.subscribe(backend, call, target, name);
  }
}

/** Which try this is. */
interface Attempt {
  readonly mayRenew: boolean;
  /** How often the target wanted to know something. */
  readonly round: number;
  /** What it was told, as members of the params. */
  readonly input: string;
}

const MAX_ROUNDS = 8;

interface SentCall {
  readonly parts: FederationParts;
  readonly sessions: TargetSessions;
  readonly call: FederatedCall;
  readonly request: McpRequest;
  readonly rewritten: RewrittenCall;
  readonly upstream: Upstream;
}

function sendCall(sent: SentCall, session: TargetSession, attempt: Attempt): void {
  const { parts, sessions, call, request, rewritten, upstream } = sent;
  const { scope, base, answer } = call;
  if (scope.isOver) return;
  const own = new CallScope();
  const abort = own.abort.bind(own);
  scope.onOver(abort);
  const { mayRenew, round, input } = attempt;
  const ownId = round === 0 ? sessions.ownId(session) : `postern-${randomUUID()}`;
  const adapted = adaptCall(request, rewritten, session, ownId, call.client, input);
  const flightKey = request.era === 'legacy' ? inFlightKey(parts.backend, call, request.id) : null;
  if (flightKey !== null) {
    const cancel = (): void => {
      abort();
      if (answer.isStream) answer.end();
      else answer.send(202, [], null);
    };
    parts.inFlight.set(flightKey, {
      target: upstream.targetName,
      cancel: isModernVersion(session.version) ? cancel : null,
    });
  }
  const relay = new AnswerRelay({
    client: answer,
    context: {
      target: upstream.targetName,
      owner: base.owner,
      ids: parts.ids,
      isPrefixed: parts.isPrefixed,
      names: parts.names,
      expected: adapted.expected,
      trees: treesFor(request.method),
      passesRequests: request.era === 'legacy',
    },
    mayBeExpired: session.id !== null,
    onExpired() {
      if (mayRenew) void renew(sent, session, attempt);
      else answer.fail('UPSTREAM_UNREACHABLE', 'its session expired twice');
    },
    onRefusedRequest: (id, method) => refuse(sent, session, id, method),
    onResponse(message) {
      const wanted =
        request.era === 'legacy' && isModernVersion(session.version)
          ? readWantedInput(message)
          : null;
      if (wanted === null) {
        const response = adapted.readResponse(message);
        if (isSubscription(request) && response !== null) rememberSubscription(sent, response);
        return response;
      }
      void giveInput(sent, session, attempt, wanted);
      return null;
    },
    onOver() {
      if (flightKey !== null) parts.inFlight.delete(flightKey);
    },
    abort,
  });
  sendToTarget(
    own,
    upstream,
    base,
    {
      method: 'POST',
      body: adapted.body,
      sessionId: session.id,
      version: session.version,
      mcpMethod: request.method,
      mcpName: rewritten.name,
    },
    relay,
    null,
  );
}

async function renew(sent: SentCall, stale: TargetSession, attempt: Attempt): Promise<void> {
  const { parts, sessions, call, upstream } = sent;
  const session = await sessions.renew(call, upstream, stale);
  if (!isFailed(session)) {
    sendCall(sent, session, { ...attempt, mayRenew: false });
    return;
  }
  parts.onTargetFailed(parts.backend, upstream.targetName, session.reason);
  call.answer.fail('UPSTREAM_UNREACHABLE', session.reason);
}

/** Asks the client what the target wants to know, and sends the request again with its answers. */
async function giveInput(
  sent: SentCall,
  session: TargetSession,
  attempt: Attempt,
  wanted: WantedInput | 'unreadable',
): Promise<void> {
  const { parts, call, request, upstream } = sent;
  const round = attempt.round + 1;
  const input =
    wanted === 'unreadable' || round > MAX_ROUNDS
      ? null
      : await askClient(parts, call, upstream.targetName, wanted);
  if (input === null) {
    const text = 'Internal error: the server wants to know what the client does not tell';
    call.answer.respond(200, errorMessage(request.id, -32603, text));
  } else {
    sendCall(sent, session, { ...attempt, round, input });
  }
}

/** A modern client has no way to answer a server's request; the server is told so at once. */
function refuse(sent: SentCall, session: TargetSession, rawId: string, method: string): void {
  const { call, upstream, parts } = sent;
  const isPing = method === 'ping';
  const body = isPing
    ? `{"jsonrpc":"2.0","id":${rawId},"result":{}}`
    : `{"jsonrpc":"2.0","id":${rawId},"error":{"code":-32601,"message":"Method not found"}}`;
  void askTarget(
    call.scope,
    upstream,
    call.base,
    {
      method: 'POST',
      body: Buffer.from(body),
      sessionId: session.id,
      version: session.version,
      mcpMethod: null,
      mcpName: null,
    },
    null,
    parts.timeoutMs,
  );
}

/** Answers a request of a method that can't be shared out. */
export function refuseMethod(call: FederatedCall, request: McpRequest): void {
  const status = request.era === 'modern' ? 404 : 200;
  call.answer.respond(status, errorMessage(request.id, -32601, 'Method not found'));
}
