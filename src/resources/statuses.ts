import {
  controllerName,
  type AncestorStatus,
  type Condition,
  type ListenerStatus,
  type ObjectReference,
  type ParentStatus,
  type ResourceStatus,
  type Status,
} from './conditions.ts';
import type { LinkContext } from './link/context.ts';
import { parentKey } from './link/route-parents.ts';
import type { LinkedRoute } from './link/routes.ts';
import { targetKey } from './link/targets.ts';
import type { TlsPolicies } from './link/tls.ts';
import type { Attachments } from './policy/attach.ts';
import type { RecordedFault } from './report.ts';
import type { AnyResource, Resource } from './resource.ts';

export interface StatusFacts {
  readonly context: LinkContext;
  readonly routes: readonly LinkedRoute[];
  readonly attachments: Attachments;
  readonly tls: TlsPolicies;
  /** Whether there is a plan at all. */
  readonly usable: boolean;
}

type Good = readonly [type: Condition['type'], reason: string, message: string];

const gatewayApi = 'gateway.networking.k8s.io';
const accepted: Good = ['Accepted', 'Accepted', 'The resource is accepted'];
const resolved: Good = ['ResolvedRefs', 'ResolvedRefs', 'All references are resolved'];
const policyAccepted: Good = ['Accepted', 'Valid', 'Policy accepted'];
const policyAttached: Good = ['Attached', 'Attached', 'Attached to all targets'];

/** Describes every resource's conditions, in load order, from the faults that linking recorded. */
export function describeStatuses(facts: StatusFacts): readonly ResourceStatus[] {
  return facts.context.resources.all.map((resource) => ({
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    namespace: resource.namespace,
    name: resource.name,
    status: statusOf(facts, resource),
  }));
}

function statusOf(facts: StatusFacts, resource: AnyResource): Status {
  const faults = facts.context.report.faultsOf(resource);
  switch (resource.kind) {
    case 'Gateway':
      return gatewayStatus(facts, resource, faults);
    case 'HTTPRoute':
      return { parents: parentStatuses(resource, faults) };
    case 'BackendTLSPolicy':
      return tlsPolicyStatus(facts, resource, faults);
    case 'GlooTrafficPolicy':
    case 'TrafficPolicy':
    case 'EnterpriseKgatewayTrafficPolicy':
    case 'AgentgatewayPolicy':
    case 'EnterpriseAgentgatewayPolicy':
      return policyStatus(facts, resource, faults);
    case 'Backend':
    case 'AgentgatewayBackend':
    case 'EnterpriseAgentgatewayBackend':
    case 'GatewayExtension':
      return { conditions: conditions(faults, [accepted, resolved]) };
    case 'GatewayClass':
    case 'Service':
    case 'Secret':
    case 'ConfigMap':
    case 'ReferenceGrant':
    case 'Namespace':
      return { conditions: conditions(faults, [accepted]) };
  }
}

function gatewayStatus(
  { usable, routes }: StatusFacts,
  gateway: Resource<'Gateway'>,
  faults: readonly RecordedFault[],
): Status {
  const ofGateway = faults.filter(({ about }) => about === undefined);
  const validListeners: Good =
    faults.length === ofGateway.length
      ? ['Accepted', 'Accepted', 'The Gateway is accepted']
      : ['Accepted', 'ListenersNotValid', 'A listener of the Gateway has errors'];
  return {
    conditions: [...conditions(ofGateway, [validListeners]), programmed(usable)],
    listeners: gateway.spec.listeners.map(({ name }): ListenerStatus => {
      const ofListener = faults.filter(({ about }) => about === name);
      return {
        name,
        attachedRoutes: routes.filter(({ attachments }) =>
          attachments.some(
            ({ listener }) => listener.gateway === gateway && listener.name === name,
          ),
        ).length,
        supportedKinds: [{ group: gatewayApi, kind: 'HTTPRoute' }],
        conditions: [
          ...conditions(ofListener, [
            ['Accepted', 'Accepted', 'The listener is accepted'],
            resolved,
            ['Conflicted', 'NoConflicts', 'No other listener is in the way'],
          ]),
          programmed(usable),
        ],
      };
    }),
  };
}

function parentStatuses(
  route: Resource<'HTTPRoute'>,
  faults: readonly RecordedFault[],
): readonly ParentStatus[] {
  return (route.spec.parentRefs ?? []).map((ref, index) => ({
    parentRef: {
      group: ref.group ?? gatewayApi,
      kind: ref.kind ?? 'Gateway',
      namespace: ref.namespace ?? route.namespace,
      name: ref.name,
      ...(ref.sectionName !== undefined && { sectionName: ref.sectionName }),
      ...(ref.port !== undefined && { port: ref.port }),
    },
    controllerName,
    conditions: conditions(about(faults, parentKey(index)), [
      ['Accepted', 'Accepted', 'The route is accepted'],
      resolved,
    ]),
  }));
}

function tlsPolicyStatus(
  { tls }: StatusFacts,
  policy: AnyResource,
  faults: readonly RecordedFault[],
): Status {
  const good: readonly Good[] = [accepted, resolved];
  // Without one valid CA no connection can be made (Gateway API, BackendTLSPolicy).
  const invalidCa = faults.find(({ type }) => type === 'ResolvedRefs');
  const all: readonly RecordedFault[] =
    invalidCa === undefined
      ? faults
      : [...faults, { ...invalidCa, type: 'Accepted', reason: 'NoValidCACertificate' }];
  const ancestors = tls.claims
    .filter((claim) => claim.policy === policy)
    .map(({ target: { resource, sectionName } }) =>
      ancestor(
        resource,
        sectionName,
        conditions(about(all, targetKey(resource, sectionName)), good),
      ),
    );
  return ancestors.length === 0 ? { conditions: conditions(all, good) } : { ancestors };
}

function policyStatus(
  { attachments }: StatusFacts,
  policy: AnyResource,
  faults: readonly RecordedFault[],
): Status {
  const ancestors = attachments.all
    .filter((attachment) => attachment.policy.resource === policy)
    .map(({ resource, sectionName, key }) =>
      ancestor(
        resource,
        sectionName,
        conditions(about(faults, key), [policyAccepted, policyAttached]),
      ),
    );
  if (ancestors.length > 0) return { ancestors };
  const pending: Condition = {
    type: 'Attached',
    status: 'False',
    reason: 'Pending',
    message: 'Attached to no target',
  };
  return { conditions: [...conditions(faults, [policyAccepted]), pending] };
}

function ancestor(
  resource: AnyResource,
  sectionName: string | null,
  ofAncestor: readonly Condition[],
): AncestorStatus {
  const { group, kind, namespace, name } = resource;
  const ancestorRef: ObjectReference = {
    group,
    kind,
    namespace,
    name,
    ...(sectionName !== null && { sectionName }),
  };
  return { ancestorRef, controllerName, conditions: ofAncestor };
}

function conditions(faults: readonly RecordedFault[], good: readonly Good[]): readonly Condition[] {
  return good.map(([type, reason, message]): Condition => {
    const fault = faults.find((candidate) => candidate.type === type);
    // Conflicted is the one condition that is bad when true.
    const goodStatus = type === 'Conflicted' ? 'False' : 'True';
    const badStatus = type === 'Conflicted' ? 'True' : 'False';
    if (fault === undefined) return { type, status: goodStatus, reason, message };
    const status = fault.reason === 'Merged' ? goodStatus : badStatus;
    return { type, status, reason: fault.reason, message: fault.message };
  });
}

function about(faults: readonly RecordedFault[], key: string): readonly RecordedFault[] {
  return faults.filter((fault) => fault.about === undefined || fault.about === key);
}

function programmed(usable: boolean): Condition {
  return usable
    ? { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'Part of the plan' }
    : {
        type: 'Programmed',
        status: 'False',
        reason: 'Invalid',
        message: 'The resources have errors, so that none of them is put to use',
      };
}
