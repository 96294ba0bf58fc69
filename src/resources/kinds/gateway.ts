/** Gateway (gateway.networking.k8s.io/v1). */

import {
  apiGroup,
  hostname,
  kindName,
  labelSelector,
  objectName,
  objectReference,
  portNumber,
} from './common.ts';
import type { Finding } from './finding.ts';
import { ignored, list, object, oneOfWords, refused, string, type Typed } from './schema.ts';

/** Default mode Terminate. */
const listenerTls = object(
  {},
  {
    mode: oneOfWords('Terminate', 'Passthrough'),
    certificateRefs: list(objectReference, { maxItems: 64 }),
    options: ignored(),
    frontendValidation: refused('client certificates would not be checked'),
  },
);

/** Default: the Gateway's own namespace. */
const routeNamespaces = object(
  {},
  { from: oneOfWords('All', 'Selector', 'Same', 'None'), selector: labelSelector },
);

const allowedRoutes = object(
  {},
  {
    namespaces: routeNamespaces,
    kinds: list(object({ kind: kindName }, { group: apiGroup }), { maxItems: 8 }),
  },
);

const listener = object(
  {
    name: objectName,
    port: portNumber,
    protocol: oneOfWords('HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'),
  },
  { hostname, tls: listenerTls, allowedRoutes },
);
export type Listener = Typed<typeof listener>;

/** Default type IPAddress. */
const address = object(
  {},
  {
    type: string({ minLength: 1, maxLength: 253 }),
    value: string({ minLength: 1, maxLength: 253 }),
  },
);

export const gatewaySpec = object(
  {
    gatewayClassName: objectName,
    listeners: list(listener, { minItems: 1, maxItems: 64, uniqueBy: 'name' }),
  },
  {
    addresses: list(address, { maxItems: 16 }),
    infrastructure: ignored(),
    allowedListeners: ignored(),
    defaultScope: ignored(),
    tls: object(
      {},
      { backend: ignored(), frontend: refused('client certificates would not be checked') },
    ),
  },
);
export type GatewaySpec = Typed<typeof gatewaySpec>;

/** The rules between the fields of a listener, as the Gateway CRD has them (Gateway API, Listener). */
export function checkGateway(spec: GatewaySpec): readonly Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  spec.listeners.forEach((listener, index) => {
    const at = ['listeners', index];
    findings.push(...checkListener(listener).map((f) => ({ ...f, path: [...at, ...f.path] })));
    const key = JSON.stringify([listener.port, listener.protocol, listener.hostname ?? '']);
    const other = seen.get(key);
    if (other === undefined) seen.set(key, listener.name);
    else {
      findings.push({
        path: at,
        message: `must differ from listener ${other} in port, protocol or hostname`,
      });
    }
  });
  return findings;
}

function checkListener(listener: Listener): readonly Finding[] {
  const { protocol, tls, hostname, allowedRoutes } = listener;
  const findings: Finding[] = [];
  if (tls !== undefined && (protocol === 'HTTP' || protocol === 'TCP' || protocol === 'UDP')) {
    findings.push({ path: ['tls'], message: `must be absent when protocol is ${protocol}` });
  }
  if (tls === undefined && (protocol === 'HTTPS' || protocol === 'TLS')) {
    findings.push({ path: ['tls'], message: `is required when protocol is ${protocol}` });
  }
  if (tls !== undefined && protocol === 'HTTPS') {
    if (tls.mode === 'Passthrough') {
      findings.push({
        path: ['tls', 'mode'],
        message: 'must be Terminate when protocol is HTTPS; is Passthrough',
      });
    } else if ((tls.certificateRefs ?? []).length === 0) {
      findings.push({
        path: ['tls', 'certificateRefs'],
        message: 'must name a Secret of type kubernetes.io/tls when mode is Terminate',
      });
    }
  }
  if (hostname !== undefined && (protocol === 'TCP' || protocol === 'UDP')) {
    findings.push({ path: ['hostname'], message: `must be absent when protocol is ${protocol}` });
  }
  const namespaces = allowedRoutes?.namespaces;
  if (namespaces?.from === 'Selector' && namespaces.selector === undefined) {
    findings.push({
      path: ['allowedRoutes', 'namespaces', 'selector'],
      message: 'is required when from is Selector',
    });
  }
  return findings;
}
