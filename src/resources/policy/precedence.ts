import type { AnyResource } from '../resource.ts';

/**
 * Order among policies of one level: the oldest first, then by name (Gateway API, GEP-713). A resource
 * without a creation time, as files have none, counts as the oldest.
 */
export function compareByAge(one: AnyResource, other: AnyResource): number {
  return (
    compare(one.createdAt, other.createdAt) ||
    compare(one.namespace, other.namespace) ||
    compare(one.name, other.name) ||
    compare(one.kind, other.kind)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
