/**
 * The composition root of one worker: a plan in, a running gate out. Everything that lives longer than a
 * request is made here, once, and handed to the stages.
 */

import { randomBytes } from 'node:crypto';
import { createReadBody } from './accept/read-body.ts';
import { createAuthenticator, type PolicyAuthenticator } from './authenticate/authenticate.ts';
import { createFetchKeySet } from './authenticate/fetch-key-set.ts';
import { createKeySetStore } from './authenticate/key-set-store.ts';
import { createVerifyPool } from './authenticate/verify-pool.ts';
import type { LiveRateLimits } from './build-rate-limits.ts';
import { buildTables } from './build-runtime.ts';
import type { Exchange } from './exchange.ts';
import { fetchOnce } from './forward/fetch-once.ts';
import { createChooseBackend } from './forward/choose-backend.ts';
import { createForward } from './forward/forward.ts';
import { createUpstream, type UpstreamLimits } from './forward/undici-upstream.ts';
import type { Upstream } from './forward/upstream.ts';
import { createAdmission } from './limit/admission.ts';
import type { GlobalRateLimit, GlobalRateLimits } from './limit/global-rate-limit.ts';
import { createLimitRate } from './limit/limit-rate.ts';
import { createLocalRateLimit, type LocalRateLimit } from './limit/local-rate-limit.ts';
import { watchOverload } from './limit/overload.ts';
import type { RunOptions } from './options.ts';
import { createSealer } from './mcp/seal.ts';
import { sseLimits } from './mcp/sse-upstream/limits.ts';
import { createSseUpstream } from './mcp/sse-upstream/sse-upstream.ts';
import { createPipeline } from './pipeline.ts';
import type {
  AuthenticationPlan,
  GlobalRateLimitPlan,
  LocalRateLimitPlan,
  Plan,
  TargetPlan,
} from './plan.ts';
import type { Metrics } from './record/metrics.ts';
import { createReuse, type Turn } from './reuse.ts';
import { createSockets } from './sockets.ts';
import { systemClock, type Milliseconds } from './units.ts';
import type { KeySetStatus, WorkerStatus } from './workers/messages.ts';

export interface GatewayOptions {
  readonly run: RunOptions;
  /** Seal the session ids that clients hold; the first seals, all open. */
  readonly sessionKeys: readonly Uint8Array[];
  /** Where global rate limits are counted; `null` where no Redis is named. Never to be shown. */
  readonly redisUrl: string | null;
  readonly metrics: Metrics;
  /** Called once for every exchange that is over. */
  readonly record: (exchange: Exchange) => void;
  /** A sentence for the process log. */
  readonly onWarning: (warning: string) => void;
  readonly onBug: (where: string, error: unknown) => void;
}

export interface Gateway {
  /**
   * Puts a plan in force: opens what is new, swaps between two requests, lets go of what is old. Waits,
   * up to the deadline, for remote key sets that listeners are to wait for.
   *
   * @throws Error when a socket can't be opened; then everything is as it was
   */
  apply(plan: Plan): Promise<void>;
  /** Accepts nothing new; resolves when the last request is over, or at the timeout, which ends the rest. */
  drain(timeoutMs: Milliseconds): Promise<void>;
  status(): WorkerStatus;
}

interface UpstreamPart {
  readonly backendName: string;
  readonly target: TargetPlan;
}

export function createGateway({
  run,
  sessionKeys,
  redisUrl,
  metrics,
  record,
  onWarning,
  onBug,
}: GatewayOptions): Gateway {
  const limits: UpstreamLimits = {
    maxConnections: run.upstreamConnections,
    connectTimeoutMs: run.connectTimeoutMs,
    headersTimeoutMs: run.upstreamHeadersTimeoutMs,
    idleTimeoutMs: run.upstreamIdleTimeoutMs,
    maxHeaderBytes: run.maxHeaderBytes,
  };
  const overload = watchOverload(run.overloadDelayMs);
  const verifyPool = createVerifyPool({
    threads: run.verifyThreads,
    maxQueued: run.verifyQueue,
    onWarning,
  });
  const keySets = createKeySetStore({
    fetch: createFetchKeySet(fetchOnce),
    clock: systemClock,
    random: Math.random,
    onWarning,
  });
  const reuseAuthenticators = createReuse<AuthenticationPlan, PolicyAuthenticator>((plan) =>
    createAuthenticator(plan, {
      clock: systemClock,
      verifySignature: verifyPool.verify,
      keySets,
      limits: { maxAccepted: run.tokenCacheEntries },
      onWarning,
      onVerdict: metrics.countToken,
      refuseCold: () => overload.refuse('cold-token'),
    }),
  );
  const sealer = createSealer({
    keys: sessionKeys,
    clock: systemClock,
    lifetimeMs: run.sessionLifetimeMs,
  });
  const reuseUpstreams = createReuse<UpstreamPart, Upstream>(({ backendName, target }) => {
    const http = createUpstream(backendName, target, limits);
    if (target.protocol !== 'SSE') return http;
    const scheme = target.tls === null ? 'http' : 'https';
    return createSseUpstream(http, { scheme, sealer, limits: sseLimits, createUid });
  });
  let globalRateLimits: GlobalRateLimits | null = null;
  const reuseLocalLimits = createReuse<LocalRateLimitPlan, LocalRateLimit>(createLocalRateLimit);
  const reuseGlobalLimits = createReuse<GlobalRateLimitPlan, GlobalRateLimit>((plan) => {
    if (globalRateLimits === null) throw new Error('the client of Redis is not loaded');
    return globalRateLimits.open(plan);
  });
  const mcpOptions = { onDeny: run.onDeny, sealer };
  const open = new Set<Exchange>();
  let openConnections = 0;
  let refusedConnections = 0;
  let draining = false;
  let onIdle: (() => void) | null = null;
  let current: Plan | null = null;
  let authenticators: readonly PolicyAuthenticator[] = [];
  let rateLimits: LiveRateLimits = { local: [], global: [] };

  const monotonicNow = (): number => performance.now();
  const admission = createAdmission(run, overload, monotonicNow);
  const sockets = createSockets({
    defaultAddress: run.listenAddress,
    limits: {
      maxHeaderFields: run.maxHeaderFields,
      maxBodyBytes: run.maxBodyBytes,
      maxHeaderBytes: run.maxHeaderBytes,
      maxTargetBytes: run.maxTargetBytes,
    },
    clock: systemClock,
    monotonicNow,
    closing: () => draining,
    run: createPipeline({
      admit: admission.admit,
      admitPrincipal: admission.admitPrincipal,
      limitRate: createLimitRate({
        limitsOf: ({ rule }) => rule?.rateLimits ?? null,
        monotonicNow,
      }),
      chooseBackend: createChooseBackend(Math.random),
      readBody: createReadBody(run.bodyTimeoutMs),
      limitBackendRate: createLimitRate({
        limitsOf: ({ backend }) => backend?.rateLimits ?? null,
        monotonicNow,
      }),
      admitStream: admission.admitStream,
      forward: createForward({ monotonicNow }),
      onBug,
    }),
    onStarted: (exchange) => open.add(exchange),
    onFinished: finish,
    onConnections(change) {
      openConnections += change;
      const fits = run.maxConnections === 0 || openConnections <= run.maxConnections;
      if (!fits) refusedConnections += 1;
      return fits;
    },
  });
  metrics.observe({
    openRequests: () => open.size,
    openStreams: () => countStreams(open),
    openConnections: () => openConnections,
    verifyPool: verifyPool.state,
    authenticators: () => authenticators,
    refusedConnections: () => refusedConnections,
    admission: admission.state,
    overload,
    rateLimits: () => rateLimits,
  });

  /** The client of Redis takes 30 MiB, which is for those who use it. */
  async function loadGlobalRateLimits(): Promise<GlobalRateLimits> {
    const { createGlobalRateLimits } = await import('./limit/global-rate-limit.ts');
    return createGlobalRateLimits(redisUrl, onWarning);
  }

  function finish(exchange: Exchange): void {
    open.delete(exchange);
    admission.leave(exchange);
    record(exchange);
    if (open.size === 0) onIdle?.();
  }

  return {
    async apply(plan) {
      const turns: Turn<unknown>[] = [];
      try {
        const auth = reuseAuthenticators(plan.authentications);
        turns.push(auth);
        const up = reuseUpstreams(upstreamParts(plan));
        turns.push(up);
        const local = reuseLocalLimits(plan.localRateLimits);
        turns.push(local);
        if (plan.globalRateLimits.length > 0) globalRateLimits ??= await loadGlobalRateLimits();
        const global = reuseGlobalLimits(plan.globalRateLimits);
        turns.push(global);
        const limiting = { local: local.live, global: global.live };
        const upstreams = groupByBackend(plan, up.live);
        const live = { authenticators: auth.live, upstreams, rateLimits: limiting };
        const tables = buildTables(plan, live, mcpOptions);
        await keySetsReady(auth.live, run.keySetDeadlineMs);
        sockets.prepare(plan.ports).commit(tables);
        authenticators = auth.live;
        rateLimits = limiting;
      } catch (error) {
        for (const turn of turns) turn.abandon();
        throw error;
      }
      for (const turn of turns) turn.commit();
      current = plan;
      if (draining) sockets.stopAccepting();
    },
    async drain(timeoutMs) {
      draining = true;
      sockets.stopAccepting();
      if (open.size > 0 && timeoutMs > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
          setTimeout(resolve, timeoutMs);
        });
      }
      sockets.closeAll();
      overload.close();
      globalRateLimits?.close();
      await verifyPool.close();
    },
    status: () => ({
      generation: current?.generation ?? 0,
      openRequests: open.size,
      openConnections,
      keySets: keySetStatuses(current, authenticators),
    }),
  };
}

/** 128 bits that nobody can guess. */
const createUid = (): string => randomBytes(16).toString('base64url');

function upstreamParts(plan: Plan): UpstreamPart[] {
  return plan.backends.flatMap(({ name, targets }) =>
    targets.map((target) => ({ backendName: name, target })),
  );
}

function groupByBackend(plan: Plan, live: readonly Upstream[]): Upstream[][] {
  const rest = [...live];
  return plan.backends.map(({ targets }) => rest.splice(0, targets.length));
}

async function keySetsReady(
  authenticators: readonly PolicyAuthenticator[],
  deadlineMs: Milliseconds,
): Promise<void> {
  const waits = authenticators.map(({ ready }) => ready);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([Promise.all(waits), deadline]);
  clearTimeout(timer);
}

function keySetStatuses(plan: Plan | null, live: readonly PolicyAuthenticator[]): KeySetStatus[] {
  if (plan === null) return [];
  return plan.authentications.flatMap(({ policy, providers }, policyIndex) =>
    providers.flatMap(({ name, keys }, index) => {
      const state = live[policyIndex]?.keySets[index];
      if (keys.source === 'local' || state === undefined) return [];
      return {
        policy,
        provider: name,
        fetched: state.fetchedAtMs !== null,
        ageMs: state.fetchedAtMs === null ? null : systemClock() - state.fetchedAtMs,
        keys: state.keys,
        failures: state.failures,
        lastError: state.lastProblem,
      };
    }),
  );
}

function countStreams(exchanges: Iterable<Exchange>): number {
  let count = 0;
  for (const { isEventStream } of exchanges) if (isEventStream) count += 1;
  return count;
}
