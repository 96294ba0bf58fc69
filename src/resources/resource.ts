/** A resource that was read, checked against its kind's schema, and is ready to be linked. */

import type { Kind, SpecByKind } from './kinds/catalogue.ts';
import type { FieldPath, Position } from './problem.ts';

export type { Kind } from './kinds/catalogue.ts';

/** Where a resource came from. */
export interface Origin {
  /**
   * Takes a path from the root of the resource's document, such as `['spec', 'rules', 0, 'name']`, and gives
   * where its value starts; where there is no such value, its nearest existing ancestor.
   */
  position(path: FieldPath): Position;
  /** Like {@link position}, but of the field's name instead of its value. */
  keyPosition(path: FieldPath): Position;
  /** Paths whose value holds text that came from the environment: never to be shown. */
  readonly substituted: readonly FieldPath[];
}

export interface Resource<K extends Kind = Kind> {
  readonly kind: K;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly apiVersion: string;
  /** `default` unless given; empty for a cluster-scoped kind. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** metadata.creationTimestamp, or empty. */
  readonly createdAt: string;
  /**
   * As written: no default is filled in. For Secret and ConfigMap, which have no `spec` field, their fields
   * at the root (`data`, `type`, ...).
   */
  readonly spec: SpecByKind[K];
  readonly origin: Origin;
}

/** A resource of any kind; a switch on `kind` narrows `spec`. */
export type AnyResource = { [K in Kind]: Resource<K> }[Kind];

/** `Kind/namespace/name`, or `Kind/name` for a cluster-scoped kind. */
export function resourceLabel(kind: string, namespace: string, name: string): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

/** All resources of one load, in load order. */
export interface ResourceSet {
  /** Every resource, in load order. */
  readonly all: readonly AnyResource[];
  /** The resources of one kind, in load order. */
  ofKind<K extends Kind>(kind: K): readonly Resource<K>[];
  /** One resource. `namespace` is empty for a cluster-scoped kind. */
  find<K extends Kind>(kind: K, namespace: string, name: string): Resource<K> | undefined;
  /**
   * Whether a document declares this resource but has errors of its own: a reference to it needs no second
   * error.
   */
  isBroken(kind: string, namespace: string, name: string): boolean;
}

/**
 * Builds a {@link ResourceSet}.
 *
 * @param resources in load order; of two with the same identity the first is found
 * @param broken labels ({@link resourceLabel}) of the resources that have errors
 */
export function createResourceSet(
  resources: readonly AnyResource[],
  broken: ReadonlySet<string> = new Set(),
): ResourceSet {
  const byKind = new Map<string, AnyResource[]>();
  const byLabel = new Map<string, AnyResource>();
  for (const resource of resources) {
    const label = resourceLabel(resource.kind, resource.namespace, resource.name);
    if (byLabel.has(label)) continue;
    byLabel.set(label, resource);
    const same = byKind.get(resource.kind);
    if (same === undefined) byKind.set(resource.kind, [resource]);
    else same.push(resource);
  }
  const isOfKind =
    <K extends Kind>(kind: K) =>
    (resource: AnyResource): resource is AnyResource & Resource<K> =>
      resource.kind === kind;
  return {
    all: resources,
    ofKind: (kind) => (byKind.get(kind) ?? []).filter(isOfKind(kind)),
    find(kind, namespace, name) {
      const resource = byLabel.get(resourceLabel(kind, namespace, name));
      return resource !== undefined && isOfKind(kind)(resource) ? resource : undefined;
    },
    isBroken: (kind, namespace, name) => broken.has(resourceLabel(kind, namespace, name)),
  };
}
