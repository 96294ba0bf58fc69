import { isIP } from 'node:net';

import type { Listener } from '../kinds/gateway.ts';
import type { FieldPath } from '../problem.ts';
import type { Resource } from '../resource.ts';
import type { CertificatePlan } from '../../plan.ts';
import type { LinkContext } from './context.ts';
import { matchesLabels, namespaceLabels } from './labels.ts';
import { linkCertificate } from './listener-certificate.ts';

/** One listener of one Gateway, checked. */
export interface LinkedListener {
  readonly gateway: Resource<'Gateway'>;
  readonly name: string;
  /** IP addresses; `null` is the process's default listen address. */
  readonly addresses: readonly (string | null)[];
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly hostname: string | null;
  /** `null` for HTTP, and for HTTPS whose Secret can't be used, which was reported then. */
  readonly tls: CertificatePlan | null;
  /** Whether routes of a namespace may attach (`allowedRoutes`). */
  allowsNamespace(namespace: string): boolean;
  readonly allowsHttpRoutes: boolean;
}

/**
 * Checks all Gateways: protocols, addresses, certificates, allowedRoutes, and that no two listeners of
 * one port are in each other's way (Gateway API, Listener: ProtocolConflict, HostnameConflict).
 *
 * @returns the listeners that can be served, in load order; all else is in the report
 */
export function linkGateways(context: LinkContext): readonly LinkedListener[] {
  const linked: LinkedListener[] = [];
  const onPort = new Map<string, LinkedListener[]>();

  for (const gateway of context.resources.ofKind('Gateway')) {
    const addresses = linkAddresses(context, gateway);
    for (const [index, listener] of gateway.spec.listeners.entries()) {
      const path = ['spec', 'listeners', index];
      const made = linkListener(context, gateway, listener, addresses, path);
      if (made === null || !hasRoomOn(context, onPort, made, path)) continue;
      linked.push(made);
    }
  }
  return linked;
}

function linkAddresses(
  { report }: LinkContext,
  gateway: Resource<'Gateway'>,
): readonly (string | null)[] {
  const { addresses = [] } = gateway.spec;
  const linked: string[] = [];
  for (const [index, { type = 'IPAddress', value }] of addresses.entries()) {
    const path = ['spec', 'addresses', index];
    if (type !== 'IPAddress') {
      report.error(
        gateway,
        [...path, 'type'],
        `address type ${type} is not supported; use IPAddress`,
      );
    } else if (value === undefined || isIP(value) === 0) {
      report.error(gateway, [...path, 'value'], 'an IP address is needed, such as 127.0.0.1');
    } else {
      linked.push(canonicalAddress(value));
    }
  }
  return addresses.length === 0 ? [null] : [...new Set(linked)];
}

function linkListener(
  context: LinkContext,
  gateway: Resource<'Gateway'>,
  listener: Listener,
  addresses: readonly (string | null)[],
  path: FieldPath,
): LinkedListener | null {
  const { protocol, allowedRoutes } = listener;
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') {
    context.report.error(
      gateway,
      [...path, 'protocol'],
      `protocol ${protocol} is not supported; use HTTP or HTTPS`,
      { type: 'Accepted', reason: 'UnsupportedProtocol', about: listener.name },
    );
    return null;
  }
  return {
    gateway,
    name: listener.name,
    addresses,
    port: listener.port,
    protocol,
    hostname: listener.hostname?.toLowerCase() ?? null,
    tls: protocol === 'HTTPS' ? linkCertificate(context, gateway, listener, path) : null,
    allowsNamespace: namespaceRule(context, gateway, listener),
    allowsHttpRoutes: allowsHttpRoutes(
      context,
      gateway,
      allowedRoutes?.kinds ?? [],
      listener.name,
      path,
    ),
  };
}

function namespaceRule(
  { resources }: LinkContext,
  gateway: Resource<'Gateway'>,
  { allowedRoutes }: Listener,
): (namespace: string) => boolean {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {};
  switch (from) {
    case 'All':
      return () => true;
    case 'Same':
      return (namespace) => namespace === gateway.namespace;
    case 'Selector':
      return (namespace) =>
        selector !== undefined && matchesLabels(selector, namespaceLabels(resources, namespace));
    case 'None':
      return () => false;
  }
}

function allowsHttpRoutes(
  { report }: LinkContext,
  gateway: Resource<'Gateway'>,
  kinds: readonly { readonly group?: string; readonly kind: string }[],
  listener: string,
  path: FieldPath,
): boolean {
  let allows = kinds.length === 0;
  for (const [index, { group = 'gateway.networking.k8s.io', kind }] of kinds.entries()) {
    if (kind === 'HTTPRoute' && group === 'gateway.networking.k8s.io') {
      allows = true;
      continue;
    }
    report.error(
      gateway,
      [...path, 'allowedRoutes', 'kinds', index],
      `routes of kind ${kind} (group "${group}") are not supported; use HTTPRoute`,
      { type: 'ResolvedRefs', reason: 'InvalidRouteKinds', about: listener },
    );
  }
  return allows;
}

function hasRoomOn(
  { report }: LinkContext,
  onPort: Map<string, LinkedListener[]>,
  listener: LinkedListener,
  path: FieldPath,
): boolean {
  for (const address of listener.addresses) {
    const key = `${address ?? ''} ${listener.port}`;
    const others = onPort.get(key) ?? [];
    onPort.set(key, [...others, listener]);
    for (const other of others) {
      const label = `listener ${other.name} of Gateway ${other.gateway.namespace}/${other.gateway.name}`;
      if (other.protocol !== listener.protocol) {
        report.error(
          listener.gateway,
          [...path, 'protocol'],
          `port ${listener.port} is used with protocol ${other.protocol} by ${label}; one port has one protocol`,
          { type: 'Conflicted', reason: 'ProtocolConflict', about: listener.name },
        );
        return false;
      }
      if (other.hostname === listener.hostname) {
        report.error(
          listener.gateway,
          path,
          `port ${listener.port} with ${listener.hostname === null ? 'no hostname' : `hostname ${listener.hostname}`} is used by ${label}; listeners of one port need different hostnames`,
          { type: 'Conflicted', reason: 'HostnameConflict', about: listener.name },
        );
        return false;
      }
    }
  }
  return true;
}

function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
