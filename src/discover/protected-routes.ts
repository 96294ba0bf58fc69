import type { RequestHead } from '../accept/request-head.ts';
import type { RouteTable } from '../route/route-table.ts';
import type { ProtectedResource } from './protected-resource.ts';

export interface FoundResource {
  readonly resource: ProtectedResource;
  readonly identifier: string;
}

/** The protected resources of one listener. */
export interface ProtectedRoutes {
  /**
   * The resource that a path of this host leads to. `/` stands for the whole host: where no resource is at `/`
   * itself it is the first of the host's, in the order of precedence of Gateway API (most specific hostname,
   * oldest route, then by name, order of rules).
   */
  find(head: RequestHead, path: string): FoundResource | null;
  /** Whether the host has any that can be found by the host alone. */
  covers(head: RequestHead): boolean;
}

export interface ProtectedRouteTables {
  /** The rules that have a resource, by the paths they match; methods, headers and queries left out. */
  readonly byPath: RouteTable;
  /** The same rules, each under the prefix `/`. */
  readonly byHost: RouteTable;
}

/** Prepares the search. */
export function createProtectedRoutes({ byPath, byHost }: ProtectedRouteTables): ProtectedRoutes {
  function findByPath(head: RequestHead, path: string): FoundResource | null {
    const match = byPath.find({ ...head, path, query: null });
    const resource = match?.rule.protectedResource ?? null;
    if (match === null || resource === null) return null;
    return { resource, identifier: resource.identifier(head, path, match.matchedPrefixLength) };
  }

  function findByHost(head: RequestHead): FoundResource | null {
    const resource = byHost.find({ ...head, path: '/', query: null })?.rule.protectedResource;
    if (resource?.firstPath == null) return null;
    return { resource, identifier: resource.identifier(head, resource.firstPath, 0) };
  }

  return {
    find(head, path) {
      const found = findByPath(head, path);
      return found === null && path === '/' ? findByHost(head) : found;
    },
    covers: (head) => findByHost(head) !== null,
  };
}
