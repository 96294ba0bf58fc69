import { randomUUID } from 'node:crypto';
import type { Upstream } from '../../forward/upstream.ts';
import type { Milliseconds } from '../../units.ts';
import { isModernVersion } from '../protocol-version.ts';
import { askTarget } from './ask-target.ts';
import { CallScope } from './call-scope.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall } from './federated-call.ts';
import type { SessionSettings } from './session-settings.ts';
import { offerLetters, type TargetSession } from './session-text.ts';

/**
 * Tells a session that was just opened what the client had set in the one before: first the log level, which is waited
 * for, then its subscriptions, which are not. Each of these is decided on again: the rules may have changed.
 *
 * A target that refuses is left as it is.
 */
export async function restoreSession(
  backend: string,
  settings: SessionSettings,
  call: FederatedCall,
  upstream: Upstream,
  session: TargetSession,
  timeoutMs: Milliseconds,
): Promise<void> {
  if (isModernVersion(session.version)) return;
  // It is the session's, not this request's.
  const scope = new CallScope();
  const tell = (method: string, params: object): Promise<unknown> => {
    const id = `postern-${randomUUID()}`;
    const request = {
      method: 'POST' as const,
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params })),
      sessionId: session.id,
      version: session.version,
      mcpMethod: null,
      mcpName: null,
    };
    return askTarget(scope, upstream, call.base, request, id, timeoutMs);
  };
  const logLevel = settings.logLevel(backend, call);
  if (logLevel !== null && session.offers.includes(offerLetters.logging)) {
    await tell('logging/setLevel', { level: logLevel.level });
  }
  if (!session.offers.includes(offerLetters.subscribe)) return;
  const target = upstream.targetName;
  const uris = settings
    .subscriptions(backend, call, target)
    .filter((name) => call.maySubscribe({ target, name }));
  void fanOut(uris, (uri) => tell('resources/subscribe', { uri }));
}
