/** The sessions of legacy clients: what the client holds says where they are; this worker knows the renewed ones. */

import type { Upstream } from '../../forward/upstream.ts';
import type { Milliseconds } from '../../units.ts';
import { askTarget } from './ask-target.ts';
import type { BoundedMap } from './bounded-map.ts';
import { CallScope } from './call-scope.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import {
  discoverTarget,
  initializeTarget,
  MODERN_VERSION,
  type FailedTarget,
  type OpenedTarget,
} from './open-target.ts';
import { restoreSession } from './restore-session.ts';
import type { SessionOf, SessionSettings } from './session-settings.ts';
import { writeSession, type ClientParams, type TargetSession } from './session-text.ts';

/** What became of one session since its id was sealed, by target. */
export type RenewedSessions = Map<string, TargetSession>;

export interface LegacySessionsOptions {
  readonly backend: string;
  readonly timeoutMs: Milliseconds;
  /** By backend and session key. */
  readonly renewed: BoundedMap<RenewedSessions>;
  readonly settings: SessionSettings;
  readonly onReinitialised: (backend: string, target: string) => void;
}

export interface LegacySessions extends TargetSessions {
  /** The text of the session where it is not any more what the client holds. */
  renewedText(call: SessionOf): string | null;
  /** Forgets a session that was ended. */
  forget(call: FederatedCall): void;
}

const NOT_OPEN: TargetSession = Object.freeze({
  id: null,
  version: '',
  offers: '',
  generation: -1,
});

/** Opens a target for a legacy client: as a legacy server, or as a modern one where it is no other. */
export async function openForLegacy(
  call: Pick<FederatedCall, 'scope' | 'base'>,
  upstream: Upstream,
  client: ClientParams,
  paramsText: string,
  generation: number,
  timeoutMs: Milliseconds,
): Promise<OpenedTarget | FailedTarget> {
  const options = { scope: call.scope, base: call.base, upstream, timeoutMs, generation };
  const legacy = await initializeTarget(options, paramsText);
  if (legacy.kind === 'opened' || !legacy.isOtherEra) return legacy;
  const modern = await discoverTarget(options, MODERN_VERSION, client);
  return modern.kind === 'opened' ? modern : legacy;
}

export function createLegacySessions(options: LegacySessionsOptions): LegacySessions {
  const { backend, timeoutMs, renewed, settings, onReinitialised } = options;
  const opening = new Map<string, Promise<TargetSession | FailedTarget>>();

  const keyOf = ({ session }: Pick<FederatedCall, 'session'>): string =>
    `${backend} ${session?.key ?? ''}`;

  function current(call: FederatedCall, target: string): TargetSession | null {
    const held = call.session?.targets.get(target) ?? NOT_OPEN;
    const known = renewed.get(keyOf(call))?.get(target) ?? NOT_OPEN;
    const newer = known.generation > held.generation ? known : held;
    return newer.generation < 0 ? null : newer;
  }

  async function open(
    call: FederatedCall,
    upstream: Upstream,
    generation: number,
  ): Promise<TargetSession | FailedTarget> {
    // Others may wait for this session too: it is opened whether or not this client stays.
    const scope = new CallScope();
    const { protocolVersion, capabilities, clientInfo } = call.client;
    const params = JSON.stringify({ protocolVersion, capabilities, clientInfo });
    const own = { scope, base: call.base };
    const opened = await openForLegacy(own, upstream, call.client, params, generation, timeoutMs);
    if (opened.kind === 'failed') return opened;
    const { session } = opened;
    if (opened.supportedVersions.length === 0) {
      const text = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
      await askTarget(
        scope,
        upstream,
        call.base,
        {
          method: 'POST',
          body: Buffer.from(text),
          sessionId: session.id,
          version: session.version,
          mcpMethod: null,
          mcpName: null,
        },
        null,
        timeoutMs,
      );
    }
    await restoreSession(backend, settings, call, upstream, session, timeoutMs);
    const key = keyOf(call);
    const sessions: RenewedSessions = renewed.get(key) ?? new Map<string, TargetSession>();
    sessions.set(upstream.targetName, session);
    renewed.set(key, sessions);
    onReinitialised(backend, upstream.targetName);
    return session;
  }

  function openOnce(
    call: FederatedCall,
    upstream: Upstream,
    generation: number,
  ): Promise<TargetSession | FailedTarget> {
    const key = `${keyOf(call)} ${upstream.targetName}`;
    const running = opening.get(key);
    if (running !== undefined) return running;
    const started = open(call, upstream, generation).finally(() => opening.delete(key));
    opening.set(key, started);
    return started;
  }

  return {
    get(call, upstream) {
      const known = current(call, upstream.targetName);
      return known === null ? openOnce(call, upstream, 0) : Promise.resolve(known);
    },
    peek: (call, upstream) => current(call, upstream.targetName),
    renew(call, upstream, stale) {
      const known = current(call, upstream.targetName);
      if (known !== null && known.generation > stale.generation) return Promise.resolve(known);
      return openOnce(call, upstream, stale.generation + 1);
    },
    ownId: () => null,
    renewedText(call) {
      const { session } = call;
      if (session === null) return null;
      const known: RenewedSessions = renewed.get(keyOf(call)) ?? new Map<string, TargetSession>();
      const logLevel = settings.logLevel(backend, call);
      const targets = new Map(session.targets);
      let isChanged = logLevel !== session.logLevel;
      for (const [target, one] of known) {
        if (one.generation <= (targets.get(target)?.generation ?? -1)) continue;
        targets.set(target, one);
        isChanged = true;
      }
      return isChanged ? writeSession({ ...session, targets, logLevel }) : null;
    },
    forget(call) {
      renewed.delete(keyOf(call));
      settings.forget(backend, call);
    },
  };
}
