import type { HeaderFields, RequestHead } from '../accept/request-head.ts';
import type { TokenLocation } from '../authenticate/authenticator.ts';
import type { Principal } from '../authenticate/principal.ts';
import { connectionOptions, HOP_BY_HOP } from './hop-by-hop.ts';

/** Fields that end here whoever sent them: framing is made anew, and who the client is, is ours to say. */
const OURS: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'forwarded',
  'host',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** Fields that no request takes along; one look for each field. */
const LEFT_OUT: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OURS]);

const ASCII = /^[\t\x20-\x7e]*$/;

export interface UpstreamIdentity {
  readonly principal: Principal | null;
  /** Where tokens stood that must not go upstream. */
  readonly tokensToRemove: readonly TokenLocation[];
  /** The field whose token the policy keeps (keepToken), or the empty string. */
  readonly keptTokenHeader: string;
  /** Lower-case names of fields that policies set from claims. */
  readonly reservedHeaders: ReadonlySet<string>;
}

/**
 * The header fields a request goes upstream with, before the route's filters change them.
 *
 * Left out: hop-by-hop fields and those that Connection names (RFC 9110, 7.6.1), framing, the client's
 * Authorization and the field the token stood in, unless the policy keeps the token, fields that policies
 * set from claims, and what claims to know the client's address. Cookies belong to the gate's own name and
 * don't reach an MCP server. Then added: fields from claims, X-Forwarded-*.
 *
 * @param host the Host to send
 */
export function requestHeaders(
  head: RequestHead,
  host: string,
  identity: UpstreamIdentity,
  drop: { readonly cookies: boolean; readonly acceptEncoding: boolean },
): HeaderFields {
  const { principal, tokensToRemove, keptTokenHeader, reservedHeaders } = identity;
  const options = connectionOptions(head.headers);
  const fields: HeaderFields = ['host', host];
  for (let index = 0; index < head.headers.length; index += 2) {
    const name = head.headers[index] ?? '';
    if (
      LEFT_OUT.has(name) ||
      (name === 'authorization' && keptTokenHeader !== 'authorization') ||
      (name === 'cookie' && drop.cookies) ||
      (name === 'accept-encoding' && drop.acceptEncoding) ||
      (tokensToRemove.length > 0 && holdsToken(tokensToRemove, name)) ||
      options?.has(name) === true ||
      (reservedHeaders.size > 0 && reservedHeaders.has(name)) ||
      (name.includes('_') && isTwin(name, reservedHeaders))
    ) {
      continue;
    }
    fields.push(name, octets(head.headers[index + 1] ?? ''));
  }
  if (principal !== null) fields.push(...principal.headersToSet, ...principal.headersToAppend);
  fields.push(
    'x-forwarded-for',
    head.remoteAddress,
    'x-forwarded-host',
    head.authority,
    'x-forwarded-proto',
    head.scheme,
  );
  return fields;
}

/** The native server has decoded UTF-8; the client's octets go on as they came, one character each. */
function octets(value: string): string {
  return ASCII.test(value) ? value : Buffer.from(value, 'utf8').toString('latin1');
}

/** Some servers read `_` in a name as `-`: a twin spelled that way must not stand in for ours. */
function isTwin(name: string, reservedHeaders: ReadonlySet<string>): boolean {
  const other = name.replaceAll('_', '-');
  return OURS.has(other) || reservedHeaders.has(other);
}

function holdsToken(locations: readonly TokenLocation[], headerName: string): boolean {
  return locations.some((location) => location.in === 'header' && location.name === headerName);
}
