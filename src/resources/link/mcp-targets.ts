import type { TargetPlan } from '../../plan.ts';
import type { AgentgatewayMcpTarget } from '../kinds/agentgateway-backend.ts';
import type { McpTarget } from '../kinds/backend.ts';
import type { McpSelector } from '../kinds/mcp-target.ts';
import type { ServicePort } from '../kinds/service.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource, Resource } from '../resource.ts';
import type { LinkContext } from './context.ts';
import { matchesLabels, namespaceLabels } from './labels.ts';
import { notFound } from './not-found.ts';
import { serviceEndpoints } from './services.ts';
import type { TlsForHost, TlsPolicies } from './tls.ts';

type McpProtocol = 'StreamableHTTP' | 'SSE';

/** What names an MCP server in `appProtocol` of a Service's port. */
const mcpAppProtocols: ReadonlyMap<string, McpProtocol> = new Map([
  ['kgateway.dev/mcp', 'StreamableHTTP'],
  ['agentgateway.dev/mcp', 'StreamableHTTP'],
  ['kgateway.dev/mcp-sse', 'SSE'],
  ['agentgateway.dev/mcp-sse', 'SSE'],
]);
const pathAnnotations = ['kgateway.dev/mcp-path', 'agentgateway.dev/mcp-path'];
const nameAnnotation = 'agentgateway.dev/mcp-target-name';
const pathForm = /^\/[\x21\x22\x24-\x7e]*$/;

/** Where a target's TLS comes from when no policy object says so: blocks inside the backend. */
export type InlineTls = (targetIndex: number) => TlsForHost | null;

/**
 * Links the targets of an MCP backend: static ones, and for each selector every port of every matching
 * Service that says `appProtocol: kgateway.dev/mcp` or its like. Reports what leads nowhere, and names that
 * occur twice.
 */
export function linkMcpTargets(
  context: LinkContext,
  tls: TlsPolicies,
  backend: AnyResource,
  targets: readonly (McpTarget | AgentgatewayMcpTarget)[],
  inlineTls: InlineTls,
): readonly TargetPlan[] {
  const linked: TargetPlan[] = [];
  const names = new Set<string>();
  for (const [index, target] of targets.entries()) {
    const path = ['spec', 'mcp', 'targets', index];
    const made =
      target.selector === undefined
        ? staticTarget(context, tls, backend, target, inlineTls(index), path)
        : selectedTargets(context, tls, backend, target, target.selector, path);
    for (const plan of made) {
      if (names.has(plan.name)) {
        context.report.error(
          backend,
          path,
          `two targets of this backend have the name ${plan.name}`,
        );
      }
      names.add(plan.name);
      linked.push(plan);
    }
  }
  return linked;
}

/** What a Service's port makes as an MCP target, or `null` where its `appProtocol` does not say MCP. */
export function serviceTarget(
  context: LinkContext,
  tls: TlsPolicies,
  service: Resource<'Service'>,
  port: ServicePort,
  tlsOfBackend: TlsForHost | null,
): TargetPlan | null {
  const { report } = context;
  const protocol = mcpAppProtocols.get(port.appProtocol ?? '');
  if (protocol === undefined) return null;
  const resolved = serviceEndpoints(service, port.port);
  if (typeof resolved === 'string') {
    report.error(service, ['metadata', 'annotations'], resolved);
    return null;
  }
  const [endpoint] = resolved.endpoints;
  if (endpoint === undefined) return null;
  if (resolved.endpoints.length > 1) {
    report.warning(
      service,
      ['metadata', 'annotations'],
      'an MCP target has one host: only the first one is used',
    );
  }
  const key = pathAnnotations.find((name) => service.annotations[name] !== undefined);
  const path = key === undefined ? undefined : service.annotations[key];
  if (path !== undefined && !pathForm.test(path)) {
    report.error(
      service,
      ['metadata', 'annotations', key ?? ''],
      'must be a path that starts with "/", without spaces and "#"',
    );
  }
  const tlsForHost =
    tls.find(service, [...(port.name === undefined ? [] : [port.name]), String(port.port)]) ??
    tlsOfBackend;
  warnOfPlainText(context, service, ['spec', 'ports'], endpoint.port, tlsForHost);
  return {
    name: service.annotations[nameAnnotation] ?? `${service.name}-${port.name ?? port.port}`,
    host: endpoint.host,
    port: endpoint.port,
    path: path ?? defaultPath(protocol),
    protocol,
    tls: tlsForHost?.(endpoint.host) ?? null,
  };
}

/** Warns where a connection to port 443 is going to be plain. */
export function warnOfPlainText(
  { report }: LinkContext,
  resource: AnyResource,
  path: FieldPath,
  port: number,
  tls: TlsForHost | null,
): void {
  if (port !== 443 || tls !== null) return;
  report.warning(
    resource,
    path,
    'port 443 is spoken to in plain HTTP, because no BackendTLSPolicy targets it; add one for HTTPS',
  );
}

function staticTarget(
  context: LinkContext,
  tls: TlsPolicies,
  backend: AnyResource,
  target: McpTarget | AgentgatewayMcpTarget,
  inlineTls: TlsForHost | null,
  path: FieldPath,
): readonly TargetPlan[] {
  if (target.static === undefined) return [];
  const { host, port, protocol = 'StreamableHTTP' } = target.static;
  const tlsForHost = inlineTls ?? tls.find(backend, [target.name]);
  const common = {
    name: target.name,
    path: target.static.path ?? defaultPath(protocol),
    protocol,
  };
  if (host !== undefined) {
    warnOfPlainText(context, backend, [...path, 'static', 'port'], port, tlsForHost);
    return [{ ...common, host, port, tls: tlsForHost?.(host) ?? null }];
  }
  const ref = 'backendRef' in target.static ? target.static.backendRef : undefined;
  if (ref === undefined) return [];

  const refPath = [...path, 'static', 'backendRef'];
  if ((ref.group ?? '') !== '' || (ref.kind ?? 'Service') !== 'Service') {
    context.report.error(
      backend,
      [...refPath, 'kind'],
      'a target names a Service of the core group',
      {
        type: 'Accepted',
        reason: 'Invalid',
      },
    );
    return [];
  }
  const service = context.resources.find('Service', backend.namespace, ref.name);
  if (service === undefined) {
    if (!context.resources.isBroken('Service', backend.namespace, ref.name)) {
      context.report.error(
        backend,
        [...refPath, 'name'],
        notFound(context.resources, 'Service', backend.namespace, ref.name),
      );
    }
    return [];
  }
  const resolved = serviceEndpoints(service, port);
  if (typeof resolved === 'string') {
    context.report.error(backend, [...path, 'static', 'port'], resolved);
    return [];
  }
  const names = resolved.port.name === undefined ? [] : [resolved.port.name];
  const ofService = tlsForHost ?? tls.find(service, [...names, String(port)]);
  return resolved.endpoints
    .slice(0, 1)
    .map((endpoint) => ({ ...common, ...endpoint, tls: ofService?.(endpoint.host) ?? null }));
}

function selectedTargets(
  context: LinkContext,
  tls: TlsPolicies,
  backend: AnyResource,
  target: McpTarget | AgentgatewayMcpTarget,
  selector: McpSelector,
  path: FieldPath,
): readonly TargetPlan[] {
  const { resources, report } = context;
  const ofNamespaces = selector.namespaces ?? selector.namespace;
  const ofServices = selector.services ?? selector.service ?? {};
  const plans = resources
    .ofKind('Service')
    .filter(
      (service) =>
        (ofNamespaces === undefined
          ? service.namespace === backend.namespace
          : matchesLabels(ofNamespaces, namespaceLabels(resources, service.namespace))) &&
        matchesLabels(ofServices, service.labels),
    )
    .flatMap((service) =>
      (service.spec.ports ?? []).flatMap((port) => {
        const plan = serviceTarget(context, tls, service, port, tls.find(backend, [target.name]));
        return plan === null ? [] : [plan];
      }),
    );
  if (plans.length === 0) {
    report.warning(
      backend,
      [...path, 'selector'],
      'selects no Service with a port whose appProtocol is kgateway.dev/mcp or kgateway.dev/mcp-sse',
    );
  }
  return plans;
}

function defaultPath(protocol: McpProtocol): string {
  return protocol === 'SSE' ? '/sse' : '/mcp';
}
