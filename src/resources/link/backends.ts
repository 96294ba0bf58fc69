import type { FederationPlan, TargetPlan } from '../../plan.ts';
import type { FieldPath } from '../problem.ts';
import { resourceLabel, type AnyResource, type Resource, type ResourceSet } from '../resource.ts';
import type { LinkContext } from './context.ts';
import { requireGrant } from './grants.ts';
import { linkFederation } from './federation.ts';
import { linkMcpTargets, serviceTarget, warnOfPlainText } from './mcp-targets.ts';
import { notFound } from './not-found.ts';
import { serviceEndpoints } from './services.ts';
import type { BackendKind } from './targets.ts';
import { linkTlsBlock, type TlsForHost, type TlsPolicies } from './tls.ts';

/** A backend, checked: all of a `BackendPlan` but the policies that are attached to it. */
export interface LinkedBackend {
  readonly resource: AnyResource;
  /** `namespace/name`, with `:port` for a Service. */
  readonly name: string;
  readonly type: 'MCP' | 'Static';
  readonly targets: readonly TargetPlan[];
  /** How the targets of an MCP backend are one server; `null` for other backends, and for a single target. */
  readonly federation: FederationPlan | null;
  /** Why requests for it can only be answered with 500, or `null`. */
  readonly unsupported: string | null;
}

type ReferredKind = BackendKind | 'Service';

/** BackendObjectReference of Gateway API. Defaults: a Service of the referrer's namespace. */
export interface BackendReference {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
}

export type ResolvedBackend =
  | { readonly backend: LinkedBackend; readonly invalid: null }
  | { readonly backend: null; readonly invalid: string };

export interface Backends {
  /** The link of a Backend, AgentgatewayBackend or EnterpriseAgentgatewayBackend. */
  of(resource: AnyResource): LinkedBackend | undefined;
  /**
   * Follows a reference; what leads nowhere is reported with the reasons of Gateway API (InvalidKind,
   * RefNotPermitted, BackendNotFound).
   */
  resolve(from: AnyResource, ref: BackendReference, path: FieldPath): ResolvedBackend;
}

const groups: Readonly<Record<string, { readonly kind: ReferredKind; readonly group: string }>> = {
  Service: { kind: 'Service', group: '' },
  Backend: { kind: 'Backend', group: 'gateway.kgateway.dev' },
  AgentgatewayBackend: { kind: 'AgentgatewayBackend', group: 'agentgateway.dev' },
  EnterpriseAgentgatewayBackend: {
    kind: 'EnterpriseAgentgatewayBackend',
    group: 'enterpriseagentgateway.solo.io',
  },
};

/** Links all backends, and Services as they are referred to. */
export function linkBackends(context: LinkContext, tls: TlsPolicies): Backends {
  const { resources, report } = context;
  const linked = new Map<AnyResource, LinkedBackend>();
  const services = new Map<string, LinkedBackend>();
  for (const backend of resources.ofKind('Backend')) {
    linked.set(backend, linkBackend(context, tls, backend));
  }
  for (const backend of [
    ...resources.ofKind('AgentgatewayBackend'),
    ...resources.ofKind('EnterpriseAgentgatewayBackend'),
  ]) {
    linked.set(backend, linkAgentgatewayBackend(context, tls, backend));
  }

  function refuse(
    from: AnyResource,
    path: FieldPath,
    reason: string,
    message: string,
  ): ResolvedBackend {
    report.error(from, path, message, { type: 'ResolvedRefs', reason });
    return { backend: null, invalid: message };
  }

  function resolve(from: AnyResource, ref: BackendReference, path: FieldPath): ResolvedBackend {
    const { group = '', kind = 'Service', namespace = from.namespace, name } = ref;
    const known = Object.hasOwn(groups, kind) ? groups[kind] : undefined;
    if (known?.group !== group) {
      const right = Object.values(groups).map((one) => `${one.kind} (group "${one.group}")`);
      const message = `referencing unsupported backendRef ${kind} (group "${group}"); use ${right.join(', ')}`;
      return refuse(from, [...path, 'kind'], 'InvalidKind', message);
    }
    const target = { group, kind, namespace, name };
    if (!requireGrant(context, from, target, path)) {
      return { backend: null, invalid: `no ReferenceGrant for ${kind} ${namespace}/${name}` };
    }
    const resource = findBackend(resources, known.kind, namespace, name);
    if (resource === undefined) {
      const message = notFound(resources, kind, namespace, name);
      if (resources.isBroken(kind, namespace, name)) return { backend: null, invalid: message };
      return refuse(from, [...path, 'name'], 'BackendNotFound', message);
    }
    if (resource.kind === 'Service') return resolveService(from, resource, ref.port, path);
    const backend = linked.get(resource);
    if (backend === undefined) return { backend: null, invalid: `${kind} ${name} is not linked` };
    if (backend.unsupported === null) return { backend, invalid: null };
    report.warning(from, path, `${backend.unsupported}: every request for it is answered with 500`);
    return { backend: null, invalid: backend.unsupported };
  }

  function resolveService(
    from: AnyResource,
    service: Resource<'Service'>,
    port: number | undefined,
    path: FieldPath,
  ): ResolvedBackend {
    if (port === undefined) {
      return refuse(from, path, 'InvalidKind', 'a backendRef to a Service needs a port');
    }
    const key = `${service.namespace}/${service.name}:${port}`;
    const present = services.get(key);
    if (present !== undefined) return { backend: present, invalid: null };
    const made = linkService(context, tls, service, port);
    if (typeof made === 'string') return refuse(from, [...path, 'port'], 'BackendNotFound', made);
    services.set(key, made);
    return { backend: made, invalid: null };
  }

  return { of: (resource) => linked.get(resource), resolve };
}

function findBackend(
  resources: ResourceSet,
  kind: ReferredKind,
  namespace: string,
  name: string,
): AnyResource | undefined {
  switch (kind) {
    case 'Service':
      return resources.find(kind, namespace, name);
    case 'Backend':
      return resources.find(kind, namespace, name);
    case 'AgentgatewayBackend':
      return resources.find(kind, namespace, name);
    case 'EnterpriseAgentgatewayBackend':
      return resources.find(kind, namespace, name);
  }
}

function linkBackend(
  context: LinkContext,
  tls: TlsPolicies,
  backend: Resource<'Backend'>,
): LinkedBackend {
  const { type, mcp, static: hosts } = backend.spec;
  const common = { resource: backend, name: `${backend.namespace}/${backend.name}` };
  if (mcp !== undefined) {
    const targets = linkMcpTargets(context, tls, backend, mcp.targets, () => null);
    const federation = linkFederation(context, backend, targets, {});
    return { ...common, type: 'MCP', targets, federation, unsupported: null };
  }
  const [host] = hosts?.hosts ?? [];
  if (host === undefined) return unsupported(backend, `type ${type}`);
  const path = ['spec', 'static', 'hosts', 0, 'port'];
  return { ...common, ...staticBackend(context, tls, backend, host, null, path) };
}

function linkAgentgatewayBackend(
  context: LinkContext,
  tls: TlsPolicies,
  backend: Resource<'AgentgatewayBackend'> | Resource<'EnterpriseAgentgatewayBackend'>,
): LinkedBackend {
  const { mcp, static: host, policies } = backend.spec;
  const common = { resource: backend, name: `${backend.namespace}/${backend.name}` };
  const ofBackend =
    policies?.tls === undefined
      ? null
      : linkTlsBlock(context, backend, policies.tls, ['spec', 'policies', 'tls']);

  if (mcp !== undefined) {
    const targets = linkMcpTargets(context, tls, backend, mcp.targets, (index) => {
      const block = mcp.targets[index]?.static?.policies?.tls;
      if (block === undefined) return ofBackend;
      const path = ['spec', 'mcp', 'targets', index, 'static', 'policies', 'tls'];
      return linkTlsBlock(context, backend, block, path);
    });
    const federation = linkFederation(context, backend, targets, mcp);
    return { ...common, type: 'MCP', targets, federation, unsupported: null };
  }
  if (host === undefined) {
    const [block = 'this'] = Object.keys(backend.spec).filter((name) => name !== 'policies');
    return unsupported(backend, `type ${block}`);
  }
  const path = ['spec', 'static', 'port'];
  return { ...common, ...staticBackend(context, tls, backend, host, ofBackend, path) };
}

function staticBackend(
  context: LinkContext,
  tls: TlsPolicies,
  backend: AnyResource,
  { host, port }: { readonly host: string; readonly port: number },
  inlineTls: TlsForHost | null,
  path: FieldPath,
): Pick<LinkedBackend, 'type' | 'targets' | 'federation' | 'unsupported'> {
  const tlsForHost = inlineTls ?? tls.find(backend, []);
  warnOfPlainText(context, backend, path, port, tlsForHost);
  return {
    type: 'Static',
    targets: [plainTarget(backend.name, host, port, tlsForHost)],
    federation: null,
    unsupported: null,
  };
}

function linkService(
  context: LinkContext,
  tls: TlsPolicies,
  service: Resource<'Service'>,
  portNumber: number,
): LinkedBackend | string {
  const resolved = serviceEndpoints(service, portNumber);
  if (typeof resolved === 'string') return resolved;
  const { port, endpoints } = resolved;
  const name = `${service.namespace}/${service.name}:${portNumber}`;
  const mcp = serviceTarget(context, tls, service, port, null);
  if (mcp !== null) {
    return {
      resource: service,
      name,
      type: 'MCP',
      targets: [mcp],
      federation: null,
      unsupported: null,
    };
  }
  const sections = [...(port.name === undefined ? [] : [port.name]), String(portNumber)];
  const tlsForHost = tls.find(service, sections);
  const index = (service.spec.ports ?? []).indexOf(port);
  const path = ['spec', 'ports', index, 'port'];
  warnOfPlainText(context, service, path, portNumber, tlsForHost);
  return {
    resource: service,
    name,
    type: 'Static',
    targets: endpoints.map((endpoint) =>
      plainTarget(service.name, endpoint.host, endpoint.port, tlsForHost),
    ),
    federation: null,
    unsupported: null,
  };
}

function plainTarget(name: string, host: string, port: number, tls: TlsForHost | null): TargetPlan {
  return { name, host, port, path: null, protocol: 'HTTP', tls: tls?.(host) ?? null };
}

function unsupported(resource: AnyResource, what: string): LinkedBackend {
  return {
    resource,
    name: `${resource.namespace}/${resource.name}`,
    type: 'Static',
    targets: [],
    federation: null,
    unsupported: `${resourceLabel(resource.kind, resource.namespace, resource.name)} is of ${what}, which is not supported`,
  };
}
