import { parseUrl } from '../../parse-url.ts';
import type { AuthorizationServerPlan, ProtectedResourcePlan, ProviderPlan } from '../../plan.ts';
import type { McpResource } from '../kinds/mcp-authentication.ts';
import type { LinkContext } from '../link/context.ts';
import type { FieldPath } from '../problem.ts';
import { resourceLabel, type AnyResource } from '../resource.ts';

/** RFC 6749, 3.3: scope-token. */
export const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Names of members that have no business in a document for everybody. */
const secretName = /secret|password|private_?key|credential/i;

const maxMetadataLength = 32 * 1024;

/** A policy's protected resource, and its providers with the audience that follows from it. */
export interface LinkedProtectedResource {
  readonly protectedResource: ProtectedResourcePlan;
  readonly providers: readonly ProviderPlan[];
}

/**
 * Links what a policy says of itself as an OAuth protected resource (RFC 9728). Where a provider has no
 * audiences, the resource identifier is the one audience: the policy's own `resource`, else (audiences stay
 * `null`) the URL that the client uses, which is then compared with each request.
 *
 * @param path of the block that holds `resourceMetadata`
 * @returns `null` where the report says what is wrong
 */
export function linkProtectedResource(
  { report }: LinkContext,
  policy: AnyResource,
  spec: McpResource,
  providers: readonly ProviderPlan[],
  path: FieldPath,
): LinkedProtectedResource | null {
  const at = [...path, 'resourceMetadata'];
  const members = snakeCaseMembers(spec.resourceMetadata ?? {});
  let usable = true;
  const refuse = (name: string, message: string): void => {
    usable = false;
    report.error(policy, [...at, name], message);
  };

  const resource = members.get('resource') ?? null;
  if (resource !== null && !isHttpUrl(resource)) {
    refuse('resource', 'must be an http or https URL without a fragment (RFC 9728)');
  }
  const scopes = members.get('scopes_supported') ?? [];
  if (!isStringList(scopes) || !scopes.every((scope) => scopeToken.test(scope))) {
    refuse('scopesSupported', 'must be a list of scopes, each without spaces and quotes');
  }
  const issuers = providers.flatMap(({ issuer }) => (issuer === null ? [] : [issuer]));
  const servers = members.get('authorization_servers') ?? [...new Set(issuers.filter(isHttpUrl))];
  const isNamed = members.has('authorization_servers');
  const isUrlList = isStringList(servers) && servers.every(isHttpUrl) && servers.length > 0;
  if (isNamed && !isUrlList) {
    refuse('authorizationServers', 'must be a list of http or https URLs');
  }
  const methods = members.get('bearer_methods_supported') ?? [];
  if (!isStringList(methods)) {
    refuse('bearerMethodsSupported', 'must be a list of strings');
  } else if (methods.some((method) => method !== 'header')) {
    report.warning(
      policy,
      [...at, 'bearerMethodsSupported'],
      'only header is said: MCP clients send their token in no other place',
    );
  }
  for (const name of owned) members.delete(name);
  for (const name of members.keys()) {
    if (!secretName.test(name)) continue;
    usable = false;
    report.error(policy, at, `${name} looks like a secret, and the document is public`);
  }
  const metadata = Object.fromEntries(members);
  if (JSON.stringify(metadata).length > maxMetadataLength) {
    usable = false;
    report.error(policy, at, `must not be longer than ${maxMetadataLength} characters as JSON`);
  }

  const authorizationServer = linkAuthorizationServer(policy, spec, providers, resource);
  if (authorizationServer === null) {
    report.error(
      policy,
      path,
      'needs an issuer that is an http or https URL, where its metadata is',
    );
  }
  if (!usable || authorizationServer === null) return null;
  const identifier = typeof resource === 'string' ? resource : null;
  return {
    protectedResource: {
      resource: identifier,
      authorizationServers: isStringList(servers) ? servers : [],
      scopesSupported: isStringList(scopes) ? scopes : [],
      metadata,
      authorizationServer,
    },
    providers: providers.map((provider) =>
      provider.audiences === null && identifier !== null
        ? { ...provider, audiences: [identifier] }
        : provider,
    ),
  };
}

const owned = [
  'resource',
  'scopes_supported',
  'authorization_servers',
  'bearer_methods_supported',
] as const;

/** One guide prints `resourceMetadata` twice, one in the other. */
function snakeCaseMembers(given: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const { resourceMetadata: inner } = given;
  const isDoubled = Object.keys(given).length === 1 && isObject(inner);
  return new Map(
    Object.entries(isDoubled ? inner : given).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function linkAuthorizationServer(
  policy: AnyResource,
  spec: McpResource,
  [provider]: readonly ProviderPlan[],
  resource: unknown,
): AuthorizationServerPlan | null {
  const issuer = provider?.issuer ?? null;
  if (provider === undefined || issuer === null || !isHttpUrl(issuer)) return null;
  const named = provider.audiences?.[0] ?? (typeof resource === 'string' ? resource : null);
  const audience = spec.provider === 'Auth0' ? named : null;
  if (provider.keys.source === 'remote') {
    return { issuer, target: provider.keys.target, audience };
  }
  const url = new URL(issuer);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHttps = url.protocol === 'https:';
  const label = resourceLabel(policy.kind, policy.namespace, policy.name);
  return {
    issuer,
    target: {
      name: url.host,
      host,
      port: url.port === '' ? (isHttps ? 443 : 80) : Number(url.port),
      path: null,
      protocol: 'HTTP',
      tls: isHttps
        ? {
            policy: label,
            serverName: host,
            caCertificatesPem: null,
            subjectAltNames: [],
            invalid: null,
          }
        : null,
    },
    audience,
  };
}

function isHttpUrl(value: unknown): value is string {
  if (typeof value !== 'string' || value.includes('#')) return false;
  const url = parseUrl(value);
  if (url === null) return false;
  const { protocol, username, password } = url;
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
