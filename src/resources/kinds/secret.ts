/** Secret (v1): certificates and keys for listeners. Its fields stand at the root of the document. */

import type { Finding } from './finding.ts';
import { anything, mapOf, object, string, type Typed } from './schema.ts';

export const secretBody = object(
  {},
  {
    /** Default Opaque. */
    type: string({ maxLength: 253 }),
    /** Base64 (RFC 4648 section 4). */
    data: mapOf(string({ maxLength: 2097152, sensitive: true }), {
      maxProperties: 256,
      sensitive: true,
    }),
    /** Plain text; wins over `data`. */
    stringData: mapOf(string({ maxLength: 2097152, sensitive: true }), {
      maxProperties: 256,
      sensitive: true,
    }),
    immutable: anything(),
  },
);
export type SecretBody = Typed<typeof secretBody>;

/**
 * Takes a Secret's body and the name of an entry, and gives the entry's octets: `stringData` first, then
 * decoded `data`. `undefined` where there is no such entry.
 */
export function secretEntry(body: SecretBody, name: string): Buffer | undefined {
  const text = ownEntry(body.stringData, name);
  if (text !== undefined) return Buffer.from(text, 'utf8');
  const encoded = ownEntry(body.data, name);
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

/** Says which entries of `data` are not base64. */
export function checkSecret(body: SecretBody): readonly Finding[] {
  return Object.entries(body.data ?? {})
    .filter(([, value]) => !isBase64(value))
    .map(([name]) => ({
      path: ['data', name],
      message: 'must be base64 (RFC 4648 section 4); use stringData for plain text',
    }));
}

/** Whether a text is base64 with padding; line breaks between characters are accepted. */
export function isBase64(text: string): boolean {
  const packed = text.replace(/[\r\n]/g, '');
  return packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
}

function ownEntry(
  entries: Readonly<Record<string, string>> | undefined,
  name: string,
): string | undefined {
  return entries !== undefined && Object.hasOwn(entries, name) ? entries[name] : undefined;
}
