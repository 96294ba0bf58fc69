/**
 * The way of modern clients, who have no sessions, to the targets: those of their own era are asked as they are, and
 * at legacy ones the gate holds a session for each owner.
 */

import type { Upstream } from '../../../forward/upstream.ts';
import type { Milliseconds } from '../../../units.ts';
import { bindingFields } from '../../seal-binding.ts';
import { randomUUID } from 'node:crypto';
import { isModernVersion } from '../../protocol-version.ts';
import { askTarget } from '../ask-target.ts';
import type { BoundedMap } from '../bounded-map.ts';
import { CallScope } from '../call-scope.ts';
import type { FederatedCall, TargetSessions } from '../federated-call.ts';
import {
  discoverTarget,
  initializeTarget,
  MODERN_VERSION,
  type FailedTarget,
  type OpenedTarget,
} from '../open-target.ts';
import type { TargetSession } from '../session-text.ts';

/** What a target said of itself, and when. */
export interface KnownTarget {
  readonly opened: OpenedTarget;
  readonly atMs: number;
}

export interface ModernSessionsOptions {
  readonly backend: string;
  readonly timeoutMs: Milliseconds;
  /** Modern targets, by backend and target, and by owner where what they say may depend on who asks. */
  readonly known: BoundedMap<KnownTarget>;
  /** Legacy sessions, by backend, target and owner. */
  readonly pooled: BoundedMap<KnownTarget>;
  /** Milliseconds that only grow. */
  readonly monotonicNow: () => number;
  readonly onReinitialised: (backend: string, target: string) => void;
}

export interface ModernSessions extends TargetSessions {
  /** What a target says of itself, asked anew where the answer is too old. */
  introduce(call: FederatedCall, upstream: Upstream): Promise<OpenedTarget | FailedTarget>;
}

/** How long it is believed which era a target belongs to: a server may be replaced. */
const MAX_AGE_MS: Milliseconds = 300_000;
const LEGACY_VERSION = '2025-11-25';

export function createModernSessions(options: ModernSessionsOptions): ModernSessions {
  const { backend, timeoutMs, known, pooled, monotonicNow, onReinitialised } = options;
  const opening = new Map<string, Promise<OpenedTarget | FailedTarget>>();

  const targetKey = ({ targetName, authority }: Upstream): string =>
    `${backend} ${targetName} ${authority}`;
  const poolKey = (call: FederatedCall, upstream: Upstream): string =>
    JSON.stringify([targetKey(upstream), bindingFields({ owner: call.base.owner, backend })]);

  function find(call: FederatedCall, upstream: Upstream): OpenedTarget | null {
    for (const key of [poolKey(call, upstream), targetKey(upstream)]) {
      const modern = known.get(key);
      if (modern !== undefined && monotonicNow() - modern.atMs < MAX_AGE_MS) return modern.opened;
    }
    return pooled.get(poolKey(call, upstream))?.opened ?? null;
  }

  async function open(
    call: FederatedCall,
    upstream: Upstream,
    generation: number,
  ): Promise<OpenedTarget | FailedTarget> {
    // Others may wait for the same: it goes on whether or not this client stays.
    const scope = new CallScope();
    const own = { scope, upstream, base: call.base, timeoutMs, generation };
    const modern = await discoverTarget(own, MODERN_VERSION, call.client);
    if (modern.kind === 'opened') {
      const key = modern.isPublic ? targetKey(upstream) : poolKey(call, upstream);
      known.set(key, { opened: modern, atMs: monotonicNow() });
      return modern;
    }
    if (!modern.isOtherEra) return modern;
    // The gate has no client at hand when such a session asks for sampling, elicitation or roots.
    const params = JSON.stringify({
      protocolVersion: LEGACY_VERSION,
      capabilities: {},
      clientInfo: call.client.clientInfo,
    });
    const legacy = await initializeTarget(own, params);
    if (legacy.kind === 'failed') return legacy;
    const text = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
    const { id: sessionId, version } = legacy.session;
    await askTarget(
      scope,
      upstream,
      call.base,
      {
        method: 'POST',
        body: Buffer.from(text),
        sessionId,
        version,
        mcpMethod: null,
        mcpName: null,
      },
      null,
      timeoutMs,
    );
    pooled.set(poolKey(call, upstream), { opened: legacy, atMs: monotonicNow() });
    if (generation > 0) onReinitialised(backend, upstream.targetName);
    return legacy;
  }

  function openOnce(
    call: FederatedCall,
    upstream: Upstream,
    generation: number,
  ): Promise<OpenedTarget | FailedTarget> {
    const key = poolKey(call, upstream);
    const running = opening.get(key);
    if (running !== undefined) return running;
    const started = open(call, upstream, generation).finally(() => opening.delete(key));
    opening.set(key, started);
    return started;
  }

  const sessionOf = (opened: OpenedTarget | FailedTarget): TargetSession | FailedTarget =>
    opened.kind === 'failed' ? opened : opened.session;
  const introduce = (
    call: FederatedCall,
    upstream: Upstream,
  ): Promise<OpenedTarget | FailedTarget> => {
    const found = find(call, upstream);
    return found === null ? openOnce(call, upstream, 0) : Promise.resolve(found);
  };

  return {
    introduce,
    get: async (call, upstream) => sessionOf(await introduce(call, upstream)),
    peek: (call, upstream) => find(call, upstream)?.session ?? null,
    async renew(call, upstream, stale) {
      const found = find(call, upstream);
      if (found !== null && found.session.generation > stale.generation) return found.session;
      return sessionOf(await openOnce(call, upstream, stale.generation + 1));
    },
    // All requests of an owner share the session, and clients count from the same number.
    ownId: ({ version }) => (isModernVersion(version) ? null : `postern-${randomUUID()}`),
  };
}
