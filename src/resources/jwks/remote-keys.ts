import { parseUrl } from '../../parse-url.ts';
import type { RemoteKeysPlan } from '../../plan.ts';
import { parseDuration } from '../duration.ts';
import type { BackendReference, Backends } from '../link/backends.ts';
import type { LinkContext } from '../link/context.ts';
import type { FieldPath } from '../problem.ts';
import { resourceLabel, type AnyResource } from '../resource.ts';

export interface RemoteKeysSource {
  /** Absolute, or a path on the backend (`jwksPath`). */
  readonly location: { readonly url: string } | { readonly path: string };
  readonly backendRef: BackendReference;
  readonly cacheDuration?: string;
  readonly minCacheDuration: string;
  readonly waitForFirstFetch: boolean;
}

const defaultCacheDuration = '5m';

/**
 * Links a remote JWKS: where the connection goes is the backendRef's matter, Host and path are the URL's.
 * An https URL is verified under the backend's TLS policy where there is one, else with the system's CAs
 * for the URL's host. A path alone is fetched with TLS exactly if the backend has a TLS policy.
 *
 * @param path of the `remote` block
 * @returns `null` where the keys can't be had; that is in the report
 */
export function linkRemoteKeys(
  context: LinkContext,
  backends: Backends,
  policy: AnyResource,
  source: RemoteKeysSource,
  path: FieldPath,
): RemoteKeysPlan | null {
  const { report } = context;
  const cacheDuration = source.cacheDuration ?? defaultCacheDuration;
  const cacheDurationMs = parseDuration(cacheDuration);
  if (cacheDurationMs === null || cacheDurationMs < (parseDuration(source.minCacheDuration) ?? 1)) {
    report.error(
      policy,
      [...path, 'cacheDuration'],
      `must be a duration of at least ${source.minCacheDuration}, such as 5m`,
    );
    return null;
  }

  const refPath = [...path, 'backendRef'];
  const { backend } = backends.resolve(policy, source.backendRef, refPath);
  if (backend === null) return null;
  const [target] = backend.targets;
  if (backend.type === 'MCP' || target === undefined) {
    const label = resourceLabel(policy.kind, policy.namespace, policy.name);
    report.error(
      policy,
      refPath,
      `keys can't be fetched from an MCP backend; ${label} needs a Service or a Backend of type Static`,
      { type: 'ResolvedRefs', reason: 'InvalidKind' },
    );
    return null;
  }

  const url = absoluteUrl(source.location, target);
  if (url === null) {
    report.error(policy, [...path, 'url' in source.location ? 'url' : 'jwksPath'], 'is not a URL');
    return null;
  }
  const tls =
    target.tls ??
    (url.protocol === 'https:'
      ? {
          policy: resourceLabel(policy.kind, policy.namespace, policy.name),
          serverName: url.hostname.replace(/^\[|\]$/g, ''),
          caCertificatesPem: null,
          subjectAltNames: [],
          invalid: null,
        }
      : null);
  return {
    source: 'remote',
    url: url.href,
    target: { ...target, tls },
    cacheDurationMs,
    waitForFirstFetch: source.waitForFirstFetch,
  };
}

function absoluteUrl(
  location: RemoteKeysSource['location'],
  target: RemoteKeysPlan['target'],
): URL | null {
  if ('url' in location) return parseUrl(location.url);
  const scheme = target.tls === null ? 'http' : 'https';
  const host = target.host.includes(':') ? `[${target.host.replace(/^\[|\]$/g, '')}]` : target.host;
  const path = location.path.startsWith('/') ? location.path : `/${location.path}`;
  return parseUrl(`${scheme}://${host}:${target.port}${path}`);
}
