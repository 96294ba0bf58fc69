/**
 * The composition root of one worker: a plan in, a running gate out. Everything that lives longer than a
 * request is made here, once, and handed to the stages.
 */

import { randomUUID } from 'node:crypto';
import { createReadBody } from './accept/read-body.ts';
import { createAuthenticator, type PolicyAuthenticator } from './authenticate/authenticate.ts';
import { createFetchKeySet } from './authenticate/fetch-key-set.ts';
import { createKeySetStore, keySetId, type FetchedKeySet } from './authenticate/key-set-store.ts';
import { createVerifyPool } from './authenticate/verify-pool.ts';
import { createDecisionMemo } from './authorize/decision-memo.ts';
import { authorizationServerPlans } from './build-discovery.ts';
import type { LiveRateLimits } from './build-rate-limits.ts';
import { buildTables, type McpOptions } from './build-runtime.ts';
import {
  createAuthorizationServer,
  type AuthorizationServer,
} from './discover/authorization-server.ts';
import { createFetchMetadata } from './discover/fetch-metadata.ts';
import { groupByBackend, createUpstreamPool } from './build-upstreams.ts';
import type { Exchange } from './exchange.ts';
import { fetchOnce } from './forward/fetch-once.ts';
import { createChooseBackend } from './forward/choose-backend.ts';
import { createForward, requestFor } from './forward/forward.ts';
import { createAdmission } from './limit/admission.ts';
import type { GlobalRateLimit, GlobalRateLimits } from './limit/global-rate-limit.ts';
import { createLimitRate } from './limit/limit-rate.ts';
import { createLocalRateLimit, type LocalRateLimit } from './limit/local-rate-limit.ts';
import { watchOverload } from './limit/overload.ts';
import type { RunOptions } from './options.ts';
import { createFederation } from './mcp/federation/federation.ts';
import { createFederationMemory } from './mcp/federation/federation-memory.ts';
import { createSealer } from './mcp/seal.ts';
import { createPostRelay } from './mcp/sse-downstream/post-relay.ts';
import type { PostOutcome } from './mcp/sse-downstream/post-answer.ts';
import { createSseDownstream } from './mcp/sse-downstream/sse-downstream.ts';
import { keySetStatuses, keySetsReady } from './key-sets-in-force.ts';
import { LinkedList } from './linked-list.ts';
import { createPipeline } from './pipeline.ts';
import type {
  AuthenticationPlan,
  AuthorizationServerPlan,
  GlobalRateLimitPlan,
  LocalRateLimitPlan,
  Plan,
} from './plan.ts';
import type { Metrics } from './record/metrics.ts';
import { countMcpStreams } from './record/mcp-outcome.ts';
import { createReuse, type Turn } from './reuse.ts';
import type { ListenerTable } from './route/listener-table.ts';
import { createSockets } from './sockets.ts';
import { createStreamWatch, LOOK_INTERVAL_MS } from './streams/stream-watch.ts';
import { systemClock, type Milliseconds } from './units.ts';
import { readVersion } from './version.ts';
import type { WorkerStatus } from './workers/messages.ts';
import type { Siblings } from './workers/siblings.ts';

/** Half of the most decisions that are held at once: a principal has one for HTTP and one for each tool it uses. */
const REMEMBERED_DECISIONS = 32_768;

export interface GatewayOptions {
  readonly run: RunOptions;
  /** Seal the session ids that clients hold; the first seals, all open. */
  readonly sessionKeys: readonly Uint8Array[];
  /** The other workers. */
  readonly siblings: Siblings;
  /** Where global rate limits are counted; `null` where no Redis is named. Never to be shown. */
  readonly redisUrl: string | null;
  readonly metrics: Metrics;
  /** Called once for every exchange that is over. */
  readonly record: (exchange: Exchange) => void;
  /** Called once for every request whose answer went to another stream, when that answer is over. */
  readonly recordDelivered: (exchange: Exchange, outcome: PostOutcome) => void;
  /** A sentence for the process log. */
  readonly onWarning: (warning: string) => void;
  /** Other keys than before, for a worker that begins later. */
  readonly onKeysFetched: (keySet: FetchedKeySet) => void;
  readonly onBug: (where: string, error: unknown) => void;
}

export interface Gateway {
  /**
   * Puts a plan in force: opens what is new, swaps between two requests, lets go of what is old. Waits,
   * up to the deadline, for remote key sets that listeners are to wait for.
   *
   * @param fetched by other workers: remote key sets that are new here begin with it
   * @throws Error when a socket can't be opened; then everything is as it was
   */
  apply(plan: Plan, fetched: readonly FetchedKeySet[]): Promise<void>;
  /** Accepts nothing new; resolves when the last request is over, or at the timeout, which ends the rest. */
  drain(timeoutMs: Milliseconds): Promise<void>;
  status(): WorkerStatus;
}

export function createGateway({
  run,
  sessionKeys,
  siblings,
  redisUrl,
  metrics,
  record,
  recordDelivered,
  onWarning,
  onKeysFetched,
  onBug,
}: GatewayOptions): Gateway {
  const monotonicNow = (): number => performance.now();
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
    onFetched: (plan, keys) => onKeysFetched({ id: keySetId(plan), ...keys }),
  });
  const reuseAuthenticators = createReuse<AuthenticationPlan, PolicyAuthenticator>((plan) =>
    createAuthenticator(plan, {
      clock: systemClock,
      verifySignature: verifyPool.verify,
      isVerifyQueueFull: verifyPool.isFull,
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
  const upstreamPool = createUpstreamPool({
    run,
    sealer,
    siblings,
    monotonicNow,
    onWarning,
    onEjection: (backend, endpoint) => metrics.countEjection(backend, endpoint),
  });

  const fetchMetadata = createFetchMetadata(fetchOnce);
  const reuseAuthorizationServers = createReuse<AuthorizationServerPlan, AuthorizationServer>(
    (plan) =>
      createAuthorizationServer(plan, { fetch: fetchMetadata, clock: systemClock, onWarning }),
  );
  const federationMemory = createFederationMemory(siblings, monotonicNow);
  const mcpOptions: McpOptions = {
    listenAddress: run.listenAddress,
    onDeny: run.onDeny,
    onTools: (backend, target, names) => metrics.mcp.learnTools(backend, target, names),
    sealer,
    decisionMemo: createDecisionMemo(REMEMBERED_DECISIONS),
    requestFor,
    federate: (parts) =>
      createFederation({
        ...parts,
        onTools: (backend, target, names) => metrics.mcp.learnTools(backend, target, names),
        version: readVersion(),
        timeoutMs: run.federationTimeoutMs,
        sealer,
        memory: federationMemory,
        monotonicNow,
        onReinitialised: (backend, target) => metrics.mcp.onReinitialised(backend, target),
        onTargetFailed: (backend, target, reason) =>
          metrics.mcp.onTargetFailed(backend, target, reason),
        onBug,
      }),
  };
  let globalRateLimits: GlobalRateLimits | null = null;
  const reuseLocalLimits = createReuse<LocalRateLimitPlan, LocalRateLimit>(createLocalRateLimit);
  const reuseGlobalLimits = createReuse<GlobalRateLimitPlan, GlobalRateLimit>((plan) => {
    if (globalRateLimits === null) throw new Error('the client of Redis is not loaded');
    return globalRateLimits.open(plan);
  });
  const open = new LinkedList<Exchange>();
  /** Over themselves, with answers that go on at streams of HTTP+SSE. */
  const carried = new Set<Exchange>();
  let openConnections = 0;
  let refusedConnections = 0;
  let draining = false;
  let onIdle: (() => void) | null = null;
  let current: Plan | null = null;
  let authenticators: readonly PolicyAuthenticator[] = [];
  let rateLimits: LiveRateLimits = { local: [], global: [] };

  const admission = createAdmission(run, overload, monotonicNow);
  const streams = createStreamWatch({
    exchanges: {
      *[Symbol.iterator]() {
        yield* open;
        yield* carried;
      },
    },
    clock: systemClock,
    monotonicNow,
    graceMs: run.tokenExpiryGraceMs,
    keepAliveMs: run.streamKeepAliveMs,
    onBug: (error) => onBug('an open stream', error),
    later: setImmediate,
  });
  const looking = setInterval(() => streams.look(), LOOK_INTERVAL_MS).unref();
  /** By port key, and back: a request may be older than the tables of now. */
  let tables: ReadonlyMap<string, ListenerTable> = new Map();
  const portsOfTables = new WeakMap<ListenerTable, string>();
  const sse = createSseDownstream({
    workerId: siblings.workerId,
    relay: createPostRelay({
      siblings,
      clock: systemClock,
      monotonicNow,
      portOf: (listeners) => portsOfTables.get(listeners) ?? null,
      listenersOf: (port) => tables.get(port) ?? null,
      run: (exchange) => runStages(exchange),
    }),
    limits: { maxStreams: run.sseStreams, maxStreamsPerOwner: run.sseStreamsPerCaller },
    maxHeldBytes: run.sseQueueBytes,
    deliveries: {
      onCarried: (exchange) => carried.add(exchange),
      onDelivered(exchange, outcome) {
        carried.delete(exchange);
        recordDelivered(exchange, outcome);
      },
    },
    createId: randomUUID,
  });
  const runStages = createPipeline({
    admit: admission.admit,
    admitPrincipal: admission.admitPrincipal,
    limitRate: createLimitRate({ limitsOf: ({ rule }) => rule?.rateLimits ?? null, monotonicNow }),
    chooseBackend: createChooseBackend(Math.random),
    readBody: createReadBody(run.bodyTimeoutMs),
    joinSseStream: sse.join,
    limitBackendRate: createLimitRate({
      limitsOf: ({ backend }) => backend?.rateLimits ?? null,
      monotonicNow,
    }),
    admitStream: admission.admitStream,
    carrySse: sse.carry,
    forward: createForward({ monotonicNow }),
    onBug,
  });
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
    run: runStages,
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
    openRequests: () => open.length,
    openStreams: () => countStreams(open),
    mcpStreams: () => countMcpStreams(open),
    openConnections: () => openConnections,
    verifyPool: verifyPool.state,
    endpointGroups: upstreamPool.endpointGroups,
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
    open.remove(exchange);
    admission.leave(exchange);
    record(exchange);
    if (open.length === 0) onIdle?.();
  }

  return {
    async apply(plan, fetched) {
      keySets.offer(fetched);
      const turns: Turn<unknown>[] = [];
      try {
        const auth = reuseAuthenticators(plan.authentications);
        turns.push(auth);
        const up = upstreamPool.open(plan);
        turns.push(up);
        const local = reuseLocalLimits(plan.localRateLimits);
        turns.push(local);
        if (plan.globalRateLimits.length > 0) globalRateLimits ??= await loadGlobalRateLimits();
        const global = reuseGlobalLimits(plan.globalRateLimits);
        turns.push(global);
        const limiting = { local: local.live, global: global.live };
        const upstreams = groupByBackend(plan, up.live);
        const servers = reuseAuthorizationServers(authorizationServerPlans(plan));
        turns.push(servers);
        const built = buildTables(
          plan,
          {
            authenticators: auth.live,
            upstreams,
            authorizationServers: servers.live,
            rateLimits: limiting,
          },
          mcpOptions,
        );
        await keySetsReady(auth.live, run.keySetDeadlineMs);
        sockets.prepare(plan.ports).commit(built);
        for (const [port, table] of built) portsOfTables.set(table, port);
        tables = built;
        authenticators = auth.live;
        rateLimits = limiting;
      } catch (error) {
        for (const turn of turns) turn.abandon();
        throw error;
      }
      for (const turn of turns) turn.commit();
      current = plan;
      streams.reload(tables);
      if (draining) sockets.stopAccepting();
    },
    async drain(timeoutMs) {
      draining = true;
      sockets.stopAccepting();
      if (open.length > 0 && timeoutMs > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
          setTimeout(resolve, timeoutMs);
        });
      }
      clearInterval(looking);
      sockets.closeAll();
      overload.close();
      globalRateLimits?.close();
      await verifyPool.close();
    },
    status: () => ({
      generation: current?.generation ?? 0,
      openRequests: open.length,
      openConnections,
      keySets: keySetStatuses(current, authenticators, systemClock),
    }),
  };
}

function countStreams(exchanges: LinkedList<Exchange>): number {
  let count = 0;
  for (let exchange = exchanges.first; exchange !== null; exchange = exchange.after) {
    if (exchange.isEventStream) count += 1;
  }
  return count;
}
