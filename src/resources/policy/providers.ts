import type {
  ClaimToHeaderPlan,
  LocalKeysPlan,
  ProviderPlan,
  RemoteKeysPlan,
  TokenSourcesPlan,
} from '../../plan.ts';
import { linkRemoteKeys } from '../jwks/remote-keys.ts';
import { readLocalKeys } from '../jwks/local-keys.ts';
import type { AgentgatewayJwtProvider, JwtAuthentication } from '../kinds/agentgateway-policy.ts';
import type { GatewayExtensionJwtProvider } from '../kinds/gateway-extension.ts';
import type { GlooJwtProvider } from '../kinds/staged-jwt.ts';
import type { Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import { headerNameProblem } from '../link/header-fields.ts';
import { notFound } from '../link/not-found.ts';
import type { FieldPath } from '../problem.ts';
import type { AnyResource } from '../resource.ts';

const defaultClockSkewSeconds = 60;
const bearer = { header: 'authorization', prefix: 'Bearer ' };
const glooTokenSources: TokenSourcesPlan = { headers: [bearer], queryParams: ['access_token'] };
const bearerOnly: TokenSourcesPlan = { headers: [bearer], queryParams: [] };

/** One provider of `glooJWT` or `entJWT`. `null` where its keys can't be had, which is in the report. */
export function linkGlooProvider(
  context: LinkContext,
  backends: Backends,
  policy: AnyResource,
  name: string,
  provider: GlooJwtProvider,
  path: FieldPath,
): ProviderPlan | null {
  const { local, remote } = provider.jwks;
  const keys =
    remote === undefined
      ? localKeys(context, policy, local?.key ?? '', [...path, 'jwks', 'local', 'key'])
      : linkRemoteKeys(
          context,
          backends,
          policy,
          {
            ...remote,
            location: { url: remote.url },
            minCacheDuration: '1ms',
            waitForFirstFetch: !(remote.asyncFetch?.fastListener ?? false),
          },
          [...path, 'jwks', 'remote'],
        );
  const { headers = [], queryParams = [] } = provider.tokenSource ?? {};
  const tokenSources =
    headers.length + queryParams.length === 0
      ? glooTokenSources
      : {
          headers: headers.map(({ header, prefix = '' }) => ({
            header: header.toLowerCase(),
            prefix,
          })),
          queryParams,
        };
  const claimsToHeaders = claimHeaders(
    context,
    policy,
    (provider.claimsToHeaders ?? []).map(({ claim, header, append = false }) => ({
      claim,
      header,
      append,
    })),
    [...path, 'claimsToHeaders'],
  );
  return (
    keys && {
      name,
      issuer: provider.issuer ?? null,
      audiences: audiencesOrNull(provider.audiences),
      clockSkewSeconds: provider.clockSkewSeconds ?? defaultClockSkewSeconds,
      keepToken: provider.keepToken ?? false,
      tokenSources,
      claimsToHeaders,
      keys,
    }
  );
}

/** One provider of a GatewayExtension, which `jwtAuth` of a TrafficPolicy refers to. */
export function linkExtensionProvider(
  context: LinkContext,
  backends: Backends,
  extension: AnyResource,
  provider: GatewayExtensionJwtProvider,
  path: FieldPath,
): ProviderPlan | null {
  const { local, remote } = provider.jwks;
  const jwksPath = [...path, 'jwks'];
  let keys: LocalKeysPlan | RemoteKeysPlan | null;
  if (remote !== undefined) {
    const source = {
      ...remote,
      location: { url: remote.url },
      minCacheDuration: '1ms',
      waitForFirstFetch: !(remote.asyncFetch?.fastListener ?? false),
    };
    keys = linkRemoteKeys(context, backends, extension, source, [...jwksPath, 'remote']);
  } else if (local?.configMapRef !== undefined) {
    keys = configMapKeys(context, extension, local.configMapRef.name, [
      ...jwksPath,
      'local',
      'configMapRef',
      'name',
    ]);
  } else {
    keys = localKeys(context, extension, local?.inline ?? '', [...jwksPath, 'local', 'inline']);
  }

  const { header, queryParameter } = provider.tokenSource ?? {};
  const claimsToHeaders = claimHeaders(
    context,
    extension,
    (provider.claimsToHeaders ?? []).map((claim) => ({
      claim: claim.name,
      header: claim.header,
      append: false,
    })),
    [...path, 'claimsToHeaders'],
  );
  return (
    keys && {
      name: provider.name,
      issuer: provider.issuer === undefined || provider.issuer === '' ? null : provider.issuer,
      audiences: audiencesOrNull(provider.audiences),
      clockSkewSeconds: defaultClockSkewSeconds,
      keepToken: provider.forwardToken ?? false,
      tokenSources: oneLocation(header?.header, header?.prefix, queryParameter) ?? glooTokenSources,
      claimsToHeaders,
      keys,
    }
  );
}

/** One provider of `traffic.jwtAuthentication`, named by its place as it has no name. */
export function linkAgentgatewayProvider(
  context: LinkContext,
  backends: Backends,
  policy: AnyResource,
  provider: AgentgatewayJwtProvider,
  location: JwtAuthentication['location'],
  path: FieldPath,
): ProviderPlan | null {
  const { inline, remote } = provider.jwks;
  const keys =
    remote === undefined
      ? localKeys(context, policy, inline ?? '', [...path, 'jwks', 'inline'])
      : linkRemoteKeys(
          context,
          backends,
          policy,
          {
            ...remote,
            location: { path: remote.jwksPath },
            minCacheDuration: '5m',
            waitForFirstFetch: true,
          },
          [...path, 'jwks', 'remote'],
        );
  const { header, queryParameter } = location ?? {};
  return (
    keys && {
      name: provider.issuer,
      issuer: provider.issuer,
      audiences: audiencesOrNull(provider.audiences),
      clockSkewSeconds: defaultClockSkewSeconds,
      keepToken: false,
      tokenSources: oneLocation(header?.name, header?.prefix, queryParameter?.name) ?? bearerOnly,
      claimsToHeaders: [],
      keys,
    }
  );
}

function localKeys(
  { report }: LinkContext,
  resource: AnyResource,
  text: string,
  path: FieldPath,
): LocalKeysPlan | null {
  const { jwks, kidOptional, problems, warnings } = readLocalKeys(text);
  for (const problem of problems) report.error(resource, path, problem);
  for (const warning of warnings) report.warning(resource, path, warning);
  return problems.length > 0 ? null : { source: 'local', jwks, kidOptional };
}

function configMapKeys(
  context: LinkContext,
  extension: AnyResource,
  name: string,
  path: FieldPath,
): LocalKeysPlan | null {
  const { resources, report } = context;
  const { namespace } = extension;
  const configMap = resources.find('ConfigMap', namespace, name);
  if (configMap === undefined) {
    if (!resources.isBroken('ConfigMap', namespace, name)) {
      report.error(extension, path, notFound(resources, 'ConfigMap', namespace, name), {
        type: 'ResolvedRefs',
        reason: 'Invalid',
      });
    }
    return null;
  }
  const { data = {} } = configMap.spec;
  if (!Object.hasOwn(data, 'jwks')) {
    report.error(extension, path, `ConfigMap ${namespace}/${name} has no entry jwks`, {
      type: 'ResolvedRefs',
      reason: 'Invalid',
    });
    return null;
  }
  return localKeys(context, configMap, data.jwks ?? '', ['data', 'jwks']);
}

function claimHeaders(
  { report }: LinkContext,
  resource: AnyResource,
  claims: readonly ClaimToHeaderPlan[],
  path: FieldPath,
): readonly ClaimToHeaderPlan[] {
  for (const [index, { header }] of claims.entries()) {
    const problem = headerNameProblem(header);
    if (problem !== null) report.error(resource, [...path, index, 'header'], problem);
  }
  return claims.map((claim) => ({ ...claim, header: claim.header.toLowerCase() }));
}

function oneLocation(
  header: string | undefined,
  prefix: string | undefined,
  queryParam: string | undefined,
): TokenSourcesPlan | null {
  if (header !== undefined) {
    return {
      headers: [{ header: header.toLowerCase(), prefix: prefix ?? '' }],
      queryParams: [],
    };
  }
  return queryParam === undefined ? null : { headers: [], queryParams: [queryParam] };
}

function audiencesOrNull(audiences: readonly string[] | undefined): readonly string[] | null {
  return audiences === undefined || audiences.length === 0 ? null : audiences;
}
