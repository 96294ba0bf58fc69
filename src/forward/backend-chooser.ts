import type { RateLimits } from '../limit/limit-rate.ts';
import type { McpBackend } from '../mcp/mcp-backend.ts';
import type { CompiledFilters } from '../route/filters.ts';
import type { Upstream } from './upstream.ts';

/** A backend that a rule may send a request to. */
export interface ChosenBackend {
  /** `MCP` backends have their own path; `Static` ones get the client's. */
  readonly type: 'MCP' | 'Static';
  readonly upstream: Upstream;
  /** `null` for a backend that does not speak MCP. */
  readonly mcp: McpBackend | null;
  /** Of the policies that target the backend; `null` where there is none. */
  readonly rateLimits: RateLimits | null;
  /** The filters of the backendRef, which run after the rule's. */
  readonly filters: CompiledFilters;
}

/** Picks one of a rule's backendRefs by weight. */
export interface BackendChooser {
  /**
   * @param random from 0 up to but not including 1
   * @returns `null` where the share of a backendRef that leads nowhere, or a rule without any, was hit
   */
  choose(random: number): ChosenBackend | null;
  /** The first of the backends with this name (`namespace/name`), whatever its weight. */
  find(backendName: string): ChosenBackend | null;
}

export interface WeightedBackend {
  readonly weight: number;
  /** `null` where the reference leads nowhere: its share of the requests is answered with 500. */
  readonly backend: ChosenBackend | null;
}

/**
 * Shares requests out in proportion to the weights (Gateway API, HTTPBackendRef.weight): a weight of 0
 * gets none.
 */
export function createBackendChooser(backends: readonly WeightedBackend[]): BackendChooser {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  const find = (backendName: string): ChosenBackend | null =>
    backends.find(({ backend }) => backend?.upstream.backendName === backendName)?.backend ?? null;
  const [only] = backends;
  if (backends.length === 1 && only !== undefined && total > 0) {
    const { backend } = only;
    return { choose: () => backend, find };
  }
  return {
    find,
    choose(random) {
      let left = random * total;
      for (const { weight, backend } of backends) {
        left -= weight;
        if (left < 0) return backend;
      }
      return null;
    },
  };
}
