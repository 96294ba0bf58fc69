import type { RequestHead } from '../accept/request-head.ts';
import type { ProtectedResourcePlan } from '../plan.ts';
import type { AuthorizationServer } from './authorization-server.ts';

/** A rule as OAuth clients see it: something that tokens are made out to (RFC 9728). */
export interface ProtectedResource {
  /**
   * The path of the rule's first match that says where the endpoint is, for the document of the whole host;
   * `null` where all its matches are expressions.
   */
  readonly firstPath: string | null;
  /** The `scope` of a challenge: what the policy requires, else what it offers; empty where it says neither. */
  readonly challengeScope: string;
  readonly authorizationServer: AuthorizationServer;
  /**
   * The URL of the endpoint as the client reaches it: scheme of the connection, Host header, and path. The path
   * is the prefix that the rule matches; where it matches the path as a whole, that path. Lower-case host, no
   * trailing slash, no port that is the scheme's own.
   */
  url(head: RequestHead, path: string, matchedPrefixLength: number): string;
  /** The resource identifier (RFC 9728, 1.2): the policy's own, else that URL. */
  identifier(head: RequestHead, path: string, matchedPrefixLength: number): string;
  /** Where the metadata of that identifier is: the well-known part goes before its path (RFC 9728, 3.1). */
  metadataUrl(identifier: string): string;
  /** The metadata document (RFC 9728, 2). */
  document(identifier: string): string;
}

export interface ProtectedResourceParts {
  readonly firstPath: string | null;
  readonly requiredScopes: readonly string[];
  readonly authorizationServer: AuthorizationServer;
}

/** Prepares a protected resource. */
export function createProtectedResource(
  plan: ProtectedResourcePlan,
  { firstPath, requiredScopes, authorizationServer }: ProtectedResourceParts,
): ProtectedResource {
  const scopes = requiredScopes.length > 0 ? requiredScopes : plan.scopesSupported;
  const members = {
    authorization_servers: plan.authorizationServers,
    ...(plan.scopesSupported.length > 0 && { scopes_supported: plan.scopesSupported }),
    bearer_methods_supported: ['header'],
    ...plan.metadata,
  };
  return {
    firstPath,
    challengeScope: scopes.join(' '),
    authorizationServer,
    url: urlOf,
    identifier: (head, path, matchedPrefixLength) =>
      plan.resource ?? urlOf(head, path, matchedPrefixLength),
    metadataUrl,
    document: (resource) => JSON.stringify({ resource, ...members }),
  };
}

const PORT = /:([0-9]+)$/;
const OWN_PORT = { http: '80', https: '443' } as const;

function urlOf(head: RequestHead, path: string, matchedPrefixLength: number): string {
  const { scheme, host, authority } = head;
  const [, digits = ''] = PORT.exec(authority) ?? [];
  const port = digits.replace(/^0+/, '');
  const shownPort = port === '' || port === OWN_PORT[scheme] ? '' : `:${port}`;
  const endpoint = matchedPrefixLength > 0 ? path.slice(0, matchedPrefixLength) : path;
  return `${scheme}://${host}${shownPort}${endpoint.replace(/\/$/, '')}`;
}

function metadataUrl(identifier: string): string {
  const { origin, pathname, search } = new URL(identifier);
  const path = pathname === '/' ? '' : pathname;
  return `${origin}/.well-known/oauth-protected-resource${path}${search}`;
}
