import type { HeaderFields } from '../accept/request-head.ts';

/** Fields that are meant for one connection alone (RFC 9110, 7.6.1, and those in use before it). */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields that no sender can make hop-by-hop: the message could not be understood without them. */
const END_TO_END: ReadonlySet<string> = new Set(['content-type', 'host', 'content-length']);

/**
 * The lower-case field names that the Connection header lists (RFC 9110, 7.6.1).
 *
 * @returns `null` where there is none besides `close` and `keep-alive`, the common case
 */
export function connectionOptions(headers: HeaderFields): ReadonlySet<string> | null {
  let names: Set<string> | null = null;
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] !== 'connection') continue;
    const value = headers[index + 1] ?? '';
    if (value === 'keep-alive' || /^(keep-alive|close)?$/i.test(value)) continue;
    names ??= new Set();
    for (const option of value.split(',')) {
      const name = option.trim().toLowerCase();
      if (!END_TO_END.has(name)) names.add(name);
    }
  }
  return names;
}
