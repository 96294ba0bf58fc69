import { randomUUID } from 'node:crypto';
import { findValues } from '../find-values.ts';
import type { McpRequest } from '../message.ts';
import { isModernVersion } from '../protocol-version.ts';
import { splice } from '../splice.ts';
import { errorMessage, resultMessage, unavailable } from './answers.ts';
import type { Upstream } from '../../forward/upstream.ts';
import { askTarget, type TargetAnswer } from './ask-target.ts';
import { isExpired } from './expired-session.ts';
import { fanOut } from './fan-out.ts';
import { isFailed, type FederatedCall, type TargetSessions } from './federated-call.ts';
import { failsWhole, type FederationParts } from './federation-parts.ts';
import type { FailedTarget } from './open-target.ts';
import { offerLetters, type TargetSession } from './session-text.ts';

const ID = { members: { id: { label: 'id' } } };

/** Sets the log level (`logging/setLevel`) at every target that offers logs. */
export async function routeLogLevel(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  request: McpRequest,
): Promise<void> {
  const { base, answer } = call;
  const body = base.body ?? Buffer.alloc(0);
  const found = findValues(body, ID);
  const [value] = typeof found === 'number' ? [] : found;
  // The modern era knows no such method: there each request says what it wants to be told.
  const offering = parts.targets.filter((upstream) => {
    const session = sessions.peek(call, upstream);
    return (
      session?.offers.includes(offerLetters.logging) === true && !isModernVersion(session.version)
    );
  });
  if (offering.length === 0 || value === undefined) {
    answer.respond(200, errorMessage(request.id, -32601, 'Method not found'));
    return;
  }
  const setAt = (upstream: Upstream, session: TargetSession): Promise<TargetAnswer> => {
    const id = `postern-${randomUUID()}`;
    const request = {
      method: 'POST' as const,
      body: splice(body, [{ start: value.start, end: value.end, text: `"${id}"` }]),
      sessionId: session.id,
      version: session.version,
      mcpMethod: null,
      mcpName: null,
    };
    return askTarget(call.scope, upstream, base, request, id, parts.timeoutMs);
  };
  const results = await fanOut(offering, async (upstream) => {
    const target = upstream.targetName;
    const session = await sessions.get(call, upstream);
    if (isFailed(session)) return { target, answered: failureOf(session) };
    const answered = await setAt(upstream, session);
    if (!isExpired(session, answered)) return { target, answered };
    const renewed = await sessions.renew(call, upstream, session);
    if (isFailed(renewed)) return { target, answered: failureOf(renewed) };
    return { target, answered: await setAt(upstream, renewed) };
  });
  if (call.scope.isOver) return;
  const failures = results.flatMap(({ target, answered }) => {
    if (answered.kind === 'failure') return [{ target, reason: answered.reason }];
    const { response, status } = answered;
    if (response.kind === 'result') return [];
    const reason = response.kind === 'error' ? `JSON-RPC error ${response.code}` : `HTTP ${status}`;
    return [{ target, reason }];
  });
  if (failsWhole(parts, call, failures, offering.length)) {
    answer.respond(200, errorMessage(request.id, unavailable.code, unavailable.message));
    return;
  }
  const { level } = request.params;
  // Targets that come back, or come late, are told then.
  if (typeof level === 'string') parts.settings.setLogLevel(parts.backend, call, level);
  answer.respond(200, resultMessage(request.id, '{}'));
}

function failureOf({ reason }: FailedTarget): TargetAnswer {
  return { kind: 'failure', reason };
}
