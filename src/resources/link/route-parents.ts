import type { ParentReference } from '../kinds/http-route.ts';
import type { FieldPath } from '../problem.ts';
import type { Resource } from '../resource.ts';
import type { LinkContext } from './context.ts';
import type { LinkedListener } from './gateways.ts';
import { intersectHostnames } from './hostnames.ts';
import { notFound } from './not-found.ts';

/** Where a route is attached, with its hostnames narrowed to the listener's; empty means any. */
export interface RouteAttachment {
  readonly listener: LinkedListener;
  readonly hostnames: readonly string[];
}

const gatewayApi = 'gateway.networking.k8s.io';

/** Names one parentRef of a route in conditions. */
export function parentKey(index: number): string {
  return `parentRefs[${index}]`;
}

/**
 * Attaches a route to listeners by its parentRefs (Gateway API, CommonRouteSpec). Each parentRef must lead
 * to one listener at least; if none takes the route, that is reported with the reason of Gateway API:
 * NoMatchingParent, NotAllowedByListeners or NoMatchingListenerHostname.
 *
 * @returns each listener once
 */
export function attachToListeners(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  listeners: readonly LinkedListener[],
): readonly RouteAttachment[] {
  const attached = new Map<LinkedListener, RouteAttachment>();
  const { parentRefs = [] } = route.spec;
  for (const [index, ref] of parentRefs.entries()) {
    for (const attachment of attachToParent(context, route, listeners, ref, index)) {
      attached.set(attachment.listener, attachment);
    }
  }
  if (parentRefs.length === 0) {
    context.report.warning(
      route,
      ['spec'],
      'the route has no parentRefs, and so is attached to no Gateway',
      { type: 'Accepted', reason: 'NoMatchingParent' },
    );
  }
  return [...attached.values()];
}

function attachToParent(
  context: LinkContext,
  route: Resource<'HTTPRoute'>,
  listeners: readonly LinkedListener[],
  ref: ParentReference,
  index: number,
): readonly RouteAttachment[] {
  const { resources, report } = context;
  const path = ['spec', 'parentRefs', index];
  const refuse = (at: FieldPath, reason: string, message: string): readonly RouteAttachment[] => {
    report.error(route, at, message, { type: 'Accepted', reason, about: parentKey(index) });
    return [];
  };

  if ((ref.kind ?? 'Gateway') !== 'Gateway' || (ref.group ?? gatewayApi) !== gatewayApi) {
    const message = `${ref.kind ?? 'Gateway'} (group "${ref.group ?? gatewayApi}") can't be a parent; use a Gateway`;
    return refuse([...path, 'kind'], 'NoMatchingParent', message);
  }
  const namespace = ref.namespace ?? route.namespace;
  const label = `Gateway ${namespace}/${ref.name}`;
  const gateway = resources.find('Gateway', namespace, ref.name);
  if (gateway === undefined) {
    if (resources.isBroken('Gateway', namespace, ref.name)) return [];
    return refuse(
      [...path, 'name'],
      'NoMatchingParent',
      notFound(resources, 'Gateway', namespace, ref.name),
    );
  }

  const { sectionName, port } = ref;
  const isNamed = (listener: { readonly name: string; readonly port: number }): boolean =>
    (sectionName === undefined || listener.name === sectionName) &&
    (port === undefined || listener.port === port);
  if (!gateway.spec.listeners.some(isNamed)) {
    const wanted = [
      ...(sectionName === undefined ? [] : [`named ${sectionName}`]),
      ...(port === undefined ? [] : [`on port ${port}`]),
    ].join(' ');
    const present = gateway.spec.listeners.map((listener) => `${listener.name}:${listener.port}`);
    const message = `${label} has no listener ${wanted}; it has ${present.join(', ')}`;
    const field = sectionName === undefined ? 'port' : 'sectionName';
    return refuse([...path, field], 'NoMatchingParent', message);
  }

  const named = listeners.filter((listener) => listener.gateway === gateway && isNamed(listener));
  // Those that are missing here have an error of their own.
  if (named.length === 0) return [];
  const allowed = named.filter(
    (listener) => listener.allowsHttpRoutes && listener.allowsNamespace(route.namespace),
  );
  if (allowed.length === 0) {
    return refuse(
      path,
      'NotAllowedByListeners',
      `no listener of ${label} that is meant allows HTTPRoutes of namespace ${route.namespace}; see its allowedRoutes`,
    );
  }
  const attached = allowed.flatMap((listener) => {
    const hostnames = intersectHostnames(listener.hostname, route.spec.hostnames ?? []);
    return hostnames === null ? [] : [{ listener, hostnames }];
  });
  if (attached.length === 0) {
    const served = allowed.map(({ hostname }) => hostname ?? 'any').join(', ');
    return refuse(
      ['spec', 'hostnames'],
      'NoMatchingListenerHostname',
      `no hostname of the route is served by ${label}, whose listeners serve ${served}`,
    );
  }
  return attached;
}
