import { askTarget } from './ask-target.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall } from './federated-call.ts';
import type { FederationParts } from './federation-parts.ts';

/**
 * Ends the session at every target that has one (DELETE). 405 only where no target lets a client end its session;
 * one that can't be reached forgets it by itself.
 */
export async function endSession(parts: FederationParts, call: FederatedCall): Promise<void> {
  const open = parts.targets.filter((upstream) => parts.legacy.peek(call, upstream)?.id != null);
  const answers = await fanOut(open, (upstream) => {
    const session = parts.legacy.peek(call, upstream);
    return askTarget(
      call.scope,
      upstream,
      call.base,
      {
        method: 'DELETE',
        body: null,
        sessionId: session?.id ?? null,
        version: session?.version ?? null,
        mcpMethod: null,
        mcpName: null,
      },
      null,
      parts.timeoutMs,
    );
  });
  const isRefused =
    answers.length > 0 && answers.every((one) => one.kind === 'answer' && one.status === 405);
  if (isRefused) {
    call.answer.send(405, ['allow', 'GET, POST'], null);
    return;
  }
  parts.legacy.forget(call);
  call.answer.send(200, [], null);
}
