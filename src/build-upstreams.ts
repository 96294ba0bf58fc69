import { randomBytes } from 'node:crypto';
import { createUpstream } from './forward/create-upstream.ts';
import { createEndpointGroup, type EndpointGroup } from './forward/endpoint-group.ts';
import type { UpstreamLimits } from './forward/upstream-limits.ts';
import type { Upstream } from './forward/upstream.ts';
import type { Sealer } from './mcp/seal.ts';
import { sseLimits } from './mcp/sse-upstream/limits.ts';
import { createSessionNewsroom, type NewsSiblings } from './mcp/sse-upstream/session-news.ts';
import { createSseUpstream } from './mcp/sse-upstream/sse-upstream.ts';
import type { RunOptions } from './options.ts';
import type { BackendPlan, Plan, TargetPlan } from './plan.ts';
import { createReuse, type Turn } from './reuse.ts';

export interface UpstreamPoolOptions {
  readonly run: RunOptions;
  readonly sealer: Sealer;
  /** The other workers. */
  readonly siblings: NewsSiblings;
  readonly monotonicNow: () => number;
  readonly onWarning: (warning: string) => void;
  /** An endpoint gets no requests for a while. */
  readonly onEjection: (backend: string, endpoint: string) => void;
}

export interface UpstreamPool {
  /** Opens what a plan needs and is not open yet; `live` is in the order of the plan, see {@link groupByBackend}. */
  readonly open: (plan: Plan) => Turn<Upstream>;
  /** Those that are open now. */
  readonly endpointGroups: () => ReadonlySet<EndpointGroup>;
}

interface UpstreamPart {
  readonly backendName: string;
  readonly target: TargetPlan;
  /** Servers as good as that of `target`. */
  readonly others: readonly TargetPlan[];
}

/** Makes the upstreams of plans; what a reload does not change keeps its connections. */
export function createUpstreamPool(options: UpstreamPoolOptions): UpstreamPool {
  const { run, sealer, monotonicNow, onWarning, onEjection } = options;
  const limits: UpstreamLimits = {
    maxConnections: run.upstreamConnections,
    connectTimeoutMs: run.connectTimeoutMs,
    headersTimeoutMs: run.upstreamHeadersTimeoutMs,
    idleTimeoutMs: run.upstreamIdleTimeoutMs,
    maxAgeMs: run.upstreamConnectionAgeMs,
    maxHeaderBytes: run.maxHeaderBytes,
  };
  const newsroom = createSessionNewsroom(options.siblings);
  const endpointGroups = new Set<EndpointGroup>();
  const reuse = createReuse<UpstreamPart, Upstream>(({ backendName, target, others }) => {
    const http = createUpstream(backendName, target, limits);
    if (others.length > 0) {
      return openGroup([
        http,
        ...others.map((other) => createUpstream(backendName, other, limits)),
      ]);
    }
    if (target.protocol !== 'SSE') return http;
    const scheme = target.tls === null ? 'http' : 'https';
    return createSseUpstream(http, { scheme, sealer, limits: sseLimits, createUid, newsroom });
  });

  function openGroup(endpoints: readonly [Upstream, ...Upstream[]]): Upstream {
    const group = createEndpointGroup(endpoints, {
      limits: {
        failures: run.ejectionFailures,
        firstMs: run.ejectionTimeMs,
        longestMs: run.maxEjectionTimeMs,
      },
      monotonicNow,
      random: Math.random,
      onEjected(backendName, authority) {
        onEjection(backendName, authority);
        onWarning(
          `${backendName}: ${authority} has failed too often, and is left alone for a while`,
        );
      },
    });
    endpointGroups.add(group);
    return {
      ...group,
      close() {
        endpointGroups.delete(group);
        group.close();
      },
    };
  }

  return {
    open: (plan) => reuse(plan.backends.flatMap(partsOf)),
    endpointGroups: () => endpointGroups,
  };
}

/** @param live the upstreams of the plan, as {@link UpstreamPool.open} gives them */
export function groupByBackend(plan: Plan, live: readonly Upstream[]): Upstream[][] {
  const rest = [...live];
  return plan.backends.map((backend) => rest.splice(0, partsOf(backend).length));
}

/** The targets of an MCP backend are servers of their own; those of any other are one and the same server. */
function partsOf({ name, type, targets }: BackendPlan): UpstreamPart[] {
  const [first, ...others] = targets;
  if (type === 'MCP' || first === undefined) {
    return targets.map((target) => ({ backendName: name, target, others: [] }));
  }
  return [{ backendName: name, target: first, others }];
}

/** 128 bits that nobody can guess. */
const createUid = (): string => randomBytes(16).toString('base64url');
