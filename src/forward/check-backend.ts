import type { BackendPlan } from '../plan.ts';

/**
 * What of a backend this version can't serve as its resources say. Each is an error at load: a rule that is
 * not enforced, or a server that is silently left out, would be worse than no start.
 *
 * @returns sentences that say what is wrong and what would be right; empty for a backend that is served
 */
export function checkBackend(backend: BackendPlan): readonly string[] {
  const problems: string[] = [];
  if (backend.type === 'MCP' && backend.targets.length > 1) {
    problems.push(
      `has ${backend.targets.length} targets, and several servers as one are not served by this version; give each a Backend and a route of its own`,
    );
  }
  return problems;
}
