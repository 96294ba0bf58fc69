/** BackendTLSPolicy (gateway.networking.k8s.io, v1 and v1alpha3). */

import { localReference, preciseHostname, targetReferences } from './common.ts';
import { ignored, list, object, oneOfWords, string, type Typed } from './schema.ts';

const subjectAltName = object(
  { type: oneOfWords('Hostname', 'URI') },
  { hostname: preciseHostname, uri: string({ minLength: 1, maxLength: 253 }) },
  { unionBy: { discriminator: 'type', blocks: { Hostname: 'hostname', URI: 'uri' } } },
);

/** `hostname` is sent as SNI, and verified unless `subjectAltNames` are given. */
const validation = object(
  { hostname: preciseHostname },
  {
    caCertificateRefs: list(localReference, { minItems: 1, maxItems: 8 }),
    wellKnownCACertificates: oneOfWords('System'),
    subjectAltNames: list(subjectAltName, { maxItems: 5 }),
  },
  { exactlyOneOf: ['caCertificateRefs', 'wellKnownCACertificates'] },
);

export const backendTlsPolicySpec = object(
  { targetRefs: targetReferences, validation },
  { options: ignored() },
);
export type BackendTlsPolicySpec = Typed<typeof backendTlsPolicySpec>;
