import { findValues } from '../find-values.ts';
import { stringAt } from '../json-octets.ts';
import { splice } from '../splice.ts';
import { askTarget } from './ask-target.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import type { FederationParts } from './federation-parts.ts';

const ID = { members: { id: { label: 'id' } } };

/**
 * Hands a client's answer to a server's request to the server that asked, with the server's own id put back octet by
 * octet.
 *
 * An id that was not sealed here for this owner answers nobody's question: nothing goes up, and the client gets 202,
 * as of a server that has given up waiting.
 */
export async function routeResponse(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
): Promise<void> {
  const { base, answer } = call;
  const body = base.body ?? Buffer.alloc(0);
  const found = findValues(body, ID);
  const [value] = typeof found === 'number' ? [] : found;
  const sealed = value === undefined ? null : stringAt(body, value.start, value.end);
  const opened = sealed === null ? null : parts.ids.open(base.owner, 'request', sealed);
  const input = sealed === null ? null : parts.ids.open(base.owner, 'input', sealed);
  if (input !== null) {
    parts.inputs.deliver(input.raw, body.toString('utf8'));
    answer.send(202, [], null);
    return;
  }
  const upstream = parts.targets.find(({ targetName }) => targetName === opened?.target);
  const session = upstream === undefined ? null : sessions.peek(call, upstream);
  if (value === undefined || opened === null || upstream === undefined || session === null) {
    call.note('an answer to a request of nobody');
    answer.send(202, [], null);
    return;
  }
  const text = splice(body, [{ start: value.start, end: value.end, text: opened.raw }]);
  const taken = await askTarget(
    call.scope,
    upstream,
    base,
    {
      method: 'POST',
      body: text,
      sessionId: session.id,
      version: session.version,
      mcpMethod: null,
      mcpName: null,
    },
    null,
    parts.timeoutMs,
  );
  if (taken.kind === 'failure') {
    parts.onTargetFailed(parts.backend, upstream.targetName, taken.reason);
    answer.fail('UPSTREAM_UNREACHABLE', taken.reason);
  } else {
    // What else the target says of it, such as that it has forgotten the session, is not the client's to act on.
    if (taken.status > 299)
      call.note(`${upstream.targetName} took no answer (HTTP ${taken.status})`);
    answer.send(202, [], null);
  }
}
