import { isIP } from 'node:net';

import type { ServicePort } from '../kinds/service.ts';
import type { Resource } from '../resource.ts';

/** Annotation of a Service: host names or IP addresses to dial, comma-separated. */
export const hostsAnnotation = 'postern.dev/hosts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A port of a Service and what dialling it means. */
export interface ServiceEndpoints {
  readonly port: ServicePort;
  /** At least one. */
  readonly endpoints: readonly Endpoint[];
}

const hostName = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/**
 * Says where one port of a Service is. The annotation `postern.dev/hosts` comes first, then
 * `spec.externalName` (type ExternalName); both are dialled at a numeric `targetPort`, else at the port. A Service
 * with neither has its name in the cluster's DNS, and is dialled at the port.
 *
 * @returns the endpoints, or what is wrong with the Service or the port
 */
export function serviceEndpoints(
  service: Resource<'Service'>,
  portNumber: number,
): ServiceEndpoints | string {
  const port = (service.spec.ports ?? []).find(
    (candidate) => candidate.port === portNumber && (candidate.protocol ?? 'TCP') === 'TCP',
  );
  const label = `Service ${service.namespace}/${service.name}`;
  if (port === undefined) {
    const ports = (service.spec.ports ?? []).map((candidate) => candidate.port).join(', ');
    return `${label} has no TCP port ${portNumber}; it has ${ports === '' ? 'none' : ports}`;
  }

  const hosts = namedHosts(service);
  if (hosts === null) {
    const host = `${service.name}.${service.namespace}.svc.cluster.local`;
    return { port, endpoints: [{ host, port: portNumber }] };
  }
  const wrong = hosts.find((host) => isIP(host) === 0 && !hostName.test(host));
  if (wrong !== undefined || hosts.length === 0) {
    return `the annotation ${hostsAnnotation} of ${label} must list host names or IP addresses without ports`;
  }
  const dialled = typeof port.targetPort === 'number' ? port.targetPort : portNumber;
  return { port, endpoints: hosts.map((host) => ({ host, port: dialled })) };
}

function namedHosts(service: Resource<'Service'>): readonly string[] | null {
  const annotation = service.annotations[hostsAnnotation];
  if (annotation !== undefined) {
    return annotation
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== '');
  }
  const { type, externalName } = service.spec;
  return type === 'ExternalName' && externalName !== undefined ? [externalName] : null;
}
