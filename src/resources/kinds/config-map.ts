/** ConfigMap (v1): CA certificates (`ca.crt`) and key sets (`jwks`). Its fields stand at the root. */

import type { Finding } from './finding.ts';
import { anything, mapOf, object, string, type Typed } from './schema.ts';
import { isBase64 } from './secret.ts';

export const configMapBody = object(
  {},
  {
    data: mapOf(string({ maxLength: 2097152 }), { maxProperties: 256 }),
    /** Base64 (RFC 4648 section 4). */
    binaryData: mapOf(string({ maxLength: 2097152 }), { maxProperties: 256 }),
    immutable: anything(),
  },
);
export type ConfigMapBody = Typed<typeof configMapBody>;

/** Says which entries of `binaryData` are not base64. */
export function checkConfigMap(body: ConfigMapBody): readonly Finding[] {
  return Object.entries(body.binaryData ?? {})
    .filter(([, value]) => !isBase64(value))
    .map(([name]) => ({
      path: ['binaryData', name],
      message: 'must be base64 (RFC 4648 section 4); use data for plain text',
    }));
}
