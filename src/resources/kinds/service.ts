/** Service (v1): a name that resolves to host and ports. */

import { dnsLabel, networkHost, portNumber } from './common.ts';
import {
  anything,
  list,
  mapOf,
  object,
  oneOfWords,
  string,
  type Schema,
  type Typed,
} from './schema.ts';

const intOrString: Schema<number | string> = { 'x-kubernetes-int-or-string': true };

/** Default protocol TCP; targetPort defaults to port. */
const servicePort = object(
  { port: portNumber },
  {
    name: dnsLabel,
    protocol: oneOfWords('TCP', 'UDP', 'SCTP'),
    targetPort: intOrString,
    /** `kgateway.dev/mcp` and its like make a port an MCP target. */
    appProtocol: string({ maxLength: 253 }),
    nodePort: anything(),
  },
);
export type ServicePort = Typed<typeof servicePort>;

/** Default type ClusterIP. Other fields of a Service are accepted and not looked at. */
export const serviceSpec = object(
  {},
  {
    type: oneOfWords('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
    ports: list(servicePort, { maxItems: 256 }),
    selector: mapOf(string({ maxLength: 63 }), { maxProperties: 64 }),
    clusterIP: string({ maxLength: 64 }),
    externalName: networkHost,
  },
  { open: true },
);
export type ServiceSpec = Typed<typeof serviceSpec>;
