import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { ANSWERED, PASS, type Verdict } from '../verdict.ts';
import type { ServedMetadata } from './authorization-server.ts';
import { readWellKnownPath } from './well-known-path.ts';

const ALLOWED_METHODS = 'GET, HEAD, OPTIONS';

/** Any page may read what any client may read (WHATWG Fetch, 3.2); nothing here depends on who asks. */
const publicFields = ['access-control-allow-origin', '*'] as const;

const preflightFields = [
  ...publicFields,
  ...['access-control-allow-methods', ALLOWED_METHODS],
  ...['access-control-allow-headers', 'authorization, mcp-protocol-version, *'],
  ...['access-control-max-age', '3600'],
] as const;

const documentFields = [
  ...['content-type', 'application/json'],
  ...['cache-control', 'public, max-age=300'],
  ...['x-content-type-options', 'nosniff'],
  ...publicFields,
] as const;

/**
 * The stage that tells clients without a token how to get one: answers requests for the metadata of the
 * listener's protected resources (RFC 9728), and for that of their authorization server (RFC 8414, OpenID
 * Connect Discovery), which older clients look for here. It comes before the routes, so that a route that leads
 * these paths to a backend does not keep clients out.
 *
 * @returns ANSWERED; PASS for all other requests, also on hosts without a protected resource;
 *   METADATA_NOT_FOUND, METADATA_UNAVAILABLE, METHOD_NOT_ALLOWED
 */
export function answerDiscovery(exchange: Exchange): Verdict | Promise<Verdict> {
  const routes = exchange.listener?.protectedRoutes ?? null;
  if (routes === null) return PASS;
  const { head } = exchange;
  const asked = readWellKnownPath(head.path);
  if (asked === null) return PASS;
  const found = routes.find(head, asked.path);
  if (found === null) {
    if (asked.isAppended || !routes.covers(head)) return PASS;
    return refusal('METADATA_NOT_FOUND');
  }

  switch (head.method) {
    case 'OPTIONS':
      return answer(exchange, 204, preflightFields, '');
    case 'GET':
    case 'HEAD':
      break;
    default:
      return refusal('METHOD_NOT_ALLOWED', ['allow', ALLOWED_METHODS]);
  }
  const { resource, identifier } = found;
  if (asked.document === 'protected-resource') {
    return answer(exchange, 200, documentFields, resource.document(identifier));
  }
  const metadata = resource.authorizationServer.metadata();
  return metadata instanceof Promise
    ? metadata.then((settled) => answerMirror(exchange, settled))
    : answerMirror(exchange, metadata);
}

function answerMirror(exchange: Exchange, metadata: ServedMetadata): Verdict {
  switch (metadata.outcome) {
    case 'found':
      return answer(exchange, 200, documentFields, metadata.document);
    case 'absent':
      return refusal('METADATA_NOT_FOUND');
    case 'unavailable':
      return refusal('METADATA_UNAVAILABLE');
  }
}

function answer(
  exchange: Exchange,
  status: number,
  fields: readonly string[],
  body: string,
): Verdict {
  exchange.answerInTurn(status, [...fields], body);
  return ANSWERED;
}

function refusal(
  code: 'METADATA_NOT_FOUND' | 'METADATA_UNAVAILABLE' | 'METHOD_NOT_ALLOWED',
  headers: readonly string[] = [],
): Refusal {
  return new Refusal(code, { headers: [...publicFields, ...headers] });
}
