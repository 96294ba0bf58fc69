/** ReferenceGrant (gateway.networking.k8s.io, v1 and v1beta1): lets other namespaces refer to this one's objects. */

import { apiGroup, dnsLabel, kindName, objectName } from './common.ts';
import { list, object, type Typed } from './schema.ts';

export const referenceGrantSpec = object({
  from: list(object({ group: apiGroup, kind: kindName, namespace: dnsLabel }), {
    minItems: 1,
    maxItems: 16,
  }),
  /** Without a name: every object of that kind. */
  to: list(object({ group: apiGroup, kind: kindName }, { name: objectName }), {
    minItems: 1,
    maxItems: 16,
  }),
});
export type ReferenceGrantSpec = Typed<typeof referenceGrantSpec>;
