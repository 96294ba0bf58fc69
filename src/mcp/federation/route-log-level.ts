import { randomUUID } from 'node:crypto';
import { findValues } from '../find-values.ts';
import type { McpRequest } from '../message.ts';
import { isModernVersion } from '../protocol-version.ts';
import { splice } from '../splice.ts';
import { errorMessage, resultMessage, unavailable } from './answers.ts';
import { askTarget } from './ask-target.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import { failsWhole, type FederationParts } from './federation-parts.ts';
import { offerLetters } from './session-text.ts';

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
  const results = await fanOut(offering, async (upstream) => {
    const session = sessions.peek(call, upstream);
    const id = `postern-${randomUUID()}`;
    const answered = await askTarget(
      call.scope,
      upstream,
      base,
      {
        method: 'POST',
        body: splice(body, [{ start: value.start, end: value.end, text: `"${id}"` }]),
        sessionId: session?.id ?? null,
        version: session?.version ?? null,
        mcpMethod: request.method,
        mcpName: null,
      },
      id,
      parts.timeoutMs,
    );
    return { target: upstream.targetName, answered };
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
  } else {
    answer.respond(200, resultMessage(request.id, '{}'));
  }
}
