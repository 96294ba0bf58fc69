/**
 * What `status` would say of a resource in a cluster: conditions in the shape and with the words of
 * Kubernetes and Gateway API (GEP-1364; for policies GEP-713 and kgateway's reasons).
 */

export interface Condition {
  readonly type: 'Accepted' | 'Attached' | 'Conflicted' | 'Programmed' | 'ResolvedRefs';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface ListenerStatus {
  readonly name: string;
  readonly attachedRoutes: number;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly conditions: readonly Condition[];
}

/** What a route or a policy is attached to. */
export interface ObjectReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface ParentStatus {
  readonly parentRef: ObjectReference;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

export interface AncestorStatus {
  readonly ancestorRef: ObjectReference;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

/** Only the members that the kind has in a cluster. */
export interface Status {
  readonly conditions?: readonly Condition[];
  readonly listeners?: readonly ListenerStatus[];
  readonly parents?: readonly ParentStatus[];
  readonly ancestors?: readonly AncestorStatus[];
}

export interface ResourceStatus {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: Status;
}

/** Names Postern in `parents` and `ancestors`. */
export const controllerName = 'postern.dev/gateway-controller';
