import { nearest } from '../nearest.ts';
import type { ResourceSet } from '../resource.ts';

/**
 * Says that a resource is not there, and which one was probably meant: one of the same name in another
 * namespace, or one with a similar name in the same.
 */
export function notFound(
  resources: ResourceSet,
  kind: string,
  namespace: string,
  name: string,
): string {
  const message = `${kind} ${namespace}/${name} not found`;
  const ofKind = resources.all.filter((resource) => resource.kind === kind);
  const elsewhere = ofKind.find((resource) => resource.name === name);
  if (elsewhere !== undefined)
    return `${message}; there is one in namespace ${elsewhere.namespace}`;
  const neighbours = ofKind
    .filter((resource) => resource.namespace === namespace)
    .map((resource) => resource.name);
  const meant = nearest(name, neighbours);
  return meant === null ? message : `${message}; did you mean ${meant}?`;
}
