import type { FieldPath } from '../problem.ts';
import type { AnyResource, ResourceSet } from '../resource.ts';
import type { LinkContext } from './context.ts';

export interface ReferenceTarget {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Whether a resource may refer to an object of another namespace: a ReferenceGrant in that namespace
 * must name both (Gateway API, ReferenceGrant). Within one namespace every reference is allowed.
 */
export function isReferenceGranted(
  resources: ResourceSet,
  from: AnyResource,
  to: ReferenceTarget,
): boolean {
  if (from.namespace === to.namespace) return true;
  return resources
    .ofKind('ReferenceGrant')
    .some(
      (grant) =>
        grant.namespace === to.namespace &&
        grant.spec.from.some(
          (allowed) =>
            allowed.group === from.group &&
            allowed.kind === from.kind &&
            allowed.namespace === from.namespace,
        ) &&
        grant.spec.to.some(
          (allowed) =>
            allowed.group === to.group &&
            allowed.kind === to.kind &&
            (allowed.name === undefined || allowed.name === to.name),
        ),
    );
}

/**
 * Reports a reference into another namespace that nothing grants.
 *
 * @returns whether the reference is allowed
 */
export function requireGrant(
  { resources, report }: LinkContext,
  from: AnyResource,
  to: ReferenceTarget,
  path: FieldPath,
  about?: string,
): boolean {
  if (isReferenceGranted(resources, from, to)) return true;
  report.error(
    from,
    path,
    `${to.kind} ${to.namespace}/${to.name} is in another namespace and no ReferenceGrant there ` +
      `allows it; add one in ${to.namespace} from ${from.kind} of ${from.namespace} to ${to.kind}`,
    { type: 'ResolvedRefs', reason: 'RefNotPermitted', ...(about !== undefined && { about }) },
  );
  return false;
}
