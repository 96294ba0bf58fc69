import { findValues } from '../find-values.ts';
import { scalarAt, stringAt } from '../json-octets.ts';
import type { McpNotification } from '../message.ts';
import { isModernVersion } from '../protocol-version.ts';
import { splice } from '../splice.ts';
import { askTarget, type TargetAnswer } from './ask-target.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import type { FederationParts } from './federation-parts.ts';
import { inFlightKey } from './in-flight.ts';
import type { Upstream } from '../../forward/upstream.ts';

const PARAMS = {
  members: {
    params: { members: { progressToken: { label: 'token' }, requestId: { label: 'id' } } },
  },
};

/**
 * Hands a client's notification on: progress to the server that asked for it, cancellation to the one that has the
 * request (to all of the session where another worker has it in hand), the others to all.
 *
 * The answer is 202 as soon as one target has taken it, or where it is for nobody.
 */
export async function routeNotification(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  notification: McpNotification,
): Promise<void> {
  const { base, answer } = call;
  const body = base.body ?? Buffer.alloc(0);
  const found = findValues(body, PARAMS);
  const values = typeof found === 'number' ? [] : found;
  let targets = parts.targets;
  let text = body;
  if (notification.method === 'notifications/progress') {
    const token = values.find(({ label }) => label === 'token');
    const sealed = token === undefined ? null : stringAt(body, token.start, token.end);
    const opened = sealed === null ? null : parts.ids.open(base.owner, 'server-token', sealed);
    if (token === undefined || opened === null) {
      call.note('progress under a token of nobody');
      answer.send(202, [], null);
      return;
    }
    targets = parts.targets.filter(({ targetName }) => targetName === opened.target);
    text = splice(body, [{ start: token.start, end: token.end, text: opened.raw }]);
  } else if (notification.method === 'notifications/cancelled') {
    const value = values.find(({ label }) => label === 'id');
    const id = value === undefined ? null : scalarAt(body, value.start, value.end);
    const running =
      typeof id === 'string' || typeof id === 'number'
        ? parts.inFlight.get(inFlightKey(parts.backend, call, id))
        : undefined;
    running?.cancel?.();
    if (running !== undefined) {
      targets = parts.targets.filter(({ targetName }) => targetName === running.target);
    }
  }
  // Targets of the modern era take no notifications from clients.
  const open = targets.filter((upstream) => {
    const session = sessions.peek(call, upstream);
    return session !== null && !isModernVersion(session.version);
  });
  const answers = await fanOut(open, (upstream) => notify(parts, sessions, call, upstream, text));
  const isTaken = answers.some(({ kind }) => kind === 'answer');
  for (const [index, one] of answers.entries()) {
    if (one.kind === 'answer') continue;
    parts.onTargetFailed(parts.backend, open[index]?.targetName ?? '', one.reason);
    call.note(`${open[index]?.targetName ?? ''} was not told (${one.reason})`);
  }
  if (isTaken || open.length === 0) answer.send(202, [], null);
  else answer.fail('UPSTREAM_UNREACHABLE', 'no target took the notification');
}

function notify(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  upstream: Upstream,
  body: Buffer,
): Promise<TargetAnswer> {
  const session = sessions.peek(call, upstream);
  return askTarget(
    call.scope,
    upstream,
    call.base,
    {
      method: 'POST',
      body,
      sessionId: session?.id ?? null,
      version: session?.version ?? null,
      mcpMethod: null,
      mcpName: null,
    },
    null,
    parts.timeoutMs,
  );
}
