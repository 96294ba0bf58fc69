/** HTTPRoute (gateway.networking.k8s.io/v1). */

import {
  apiGroup,
  corsFilter,
  dnsLabel,
  duration,
  headerFilter,
  headerName,
  hostname,
  httpMethod,
  kindName,
  objectName,
  portNumber,
  preciseHostname,
} from './common.ts';
import type { Finding } from './finding.ts';
import {
  ignored,
  integer,
  list,
  object,
  oneOfNumbers,
  oneOfWords,
  refused,
  string,
  type Typed,
} from './schema.ts';

/** Defaults: group gateway.networking.k8s.io, kind Gateway, own namespace. */
const parentReference = object(
  { name: objectName },
  {
    group: apiGroup,
    kind: kindName,
    namespace: dnsLabel,
    sectionName: objectName,
    port: portNumber,
  },
);
export type ParentReference = Typed<typeof parentReference>;

const matchValue = string({ minLength: 1, maxLength: 4096 });

/** Default type Exact. */
const headerMatch = object(
  { name: headerName, value: matchValue },
  { type: oneOfWords('Exact', 'RegularExpression') },
);

/** Default type Exact. */
const queryParamMatch = object(
  { name: headerName, value: string({ minLength: 1, maxLength: 1024 }) },
  { type: oneOfWords('Exact', 'RegularExpression') },
);

/** Defaults: type PathPrefix, value "/". */
const pathMatch = object(
  {},
  {
    type: oneOfWords('Exact', 'PathPrefix', 'RegularExpression'),
    value: string({ maxLength: 1024 }),
  },
);

const routeMatch = object(
  {},
  {
    path: pathMatch,
    headers: list(headerMatch, { maxItems: 16 }),
    queryParams: list(queryParamMatch, { maxItems: 16 }),
    method: httpMethod,
  },
);
export type RouteMatch = Typed<typeof routeMatch>;

const pathModifier = object(
  { type: oneOfWords('ReplaceFullPath', 'ReplacePrefixMatch') },
  {
    replaceFullPath: string({ maxLength: 1024 }),
    replacePrefixMatch: string({ maxLength: 1024 }),
  },
  {
    unionBy: {
      discriminator: 'type',
      blocks: { ReplaceFullPath: 'replaceFullPath', ReplacePrefixMatch: 'replacePrefixMatch' },
    },
  },
);
export type PathModifier = Typed<typeof pathModifier>;

const urlRewrite = object({}, { hostname: preciseHostname, path: pathModifier });

/** Default statusCode 302. */
const requestRedirect = object(
  {},
  {
    scheme: oneOfWords('http', 'https'),
    hostname: preciseHostname,
    path: pathModifier,
    port: portNumber,
    statusCode: oneOfNumbers(301, 302, 303, 307, 308),
  },
);

const routeFilter = object(
  {
    type: oneOfWords(
      'RequestHeaderModifier',
      'ResponseHeaderModifier',
      'RequestMirror',
      'RequestRedirect',
      'URLRewrite',
      'CORS',
      'ExtensionRef',
      'ExternalAuth',
    ),
  },
  {
    requestHeaderModifier: headerFilter,
    responseHeaderModifier: headerFilter,
    requestMirror: ignored(),
    requestRedirect,
    urlRewrite,
    cors: corsFilter,
    /** The GlooTrafficPolicy or TrafficPolicy that applies to this rule; same namespace. */
    extensionRef: object({ group: apiGroup, kind: kindName, name: objectName }),
    externalAuth: refused('external authorization would not run'),
  },
  {
    unionBy: {
      discriminator: 'type',
      blocks: {
        RequestHeaderModifier: 'requestHeaderModifier',
        ResponseHeaderModifier: 'responseHeaderModifier',
        RequestMirror: 'requestMirror',
        RequestRedirect: 'requestRedirect',
        URLRewrite: 'urlRewrite',
        CORS: 'cors',
        ExtensionRef: 'extensionRef',
        ExternalAuth: 'externalAuth',
      },
    },
  },
);
export type RouteFilter = Typed<typeof routeFilter>;

/** Defaults: group core, kind Service, own namespace, weight 1. `port` is required for a Service. */
const routeBackendReference = object(
  { name: objectName },
  {
    group: apiGroup,
    kind: kindName,
    namespace: dnsLabel,
    port: portNumber,
    weight: integer(0, 1_000_000),
    filters: list(routeFilter, { maxItems: 16 }),
  },
);
export type RouteBackendReference = Typed<typeof routeBackendReference>;

const routeRule = object(
  {},
  {
    name: objectName,
    /** Default: one PathPrefix "/". */
    matches: list(routeMatch, { maxItems: 64 }),
    filters: list(routeFilter, { maxItems: 16 }),
    backendRefs: list(routeBackendReference, { maxItems: 16 }),
    /** "0s" means no limit. */
    timeouts: object({}, { request: duration, backendRequest: duration }),
    retry: ignored(),
    sessionPersistence: ignored(),
  },
);
export type RouteRule = Typed<typeof routeRule>;

export const httpRouteSpec = object(
  {},
  {
    parentRefs: list(parentReference, { maxItems: 32 }),
    hostnames: list(hostname, { maxItems: 16 }),
    /** Default: one rule that matches everything. */
    rules: list(routeRule, { minItems: 1, maxItems: 16 }),
    useDefaultGateways: ignored(),
  },
);
export type HttpRouteSpec = Typed<typeof httpRouteSpec>;

/** What the HTTPRoute CRD checks beyond types: path values, rule names, filters that exclude each other. */
export function checkHttpRoute(spec: HttpRouteSpec): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new Set<string>();
  spec.rules?.forEach((rule, index) => {
    const at = ['rules', index];
    if (rule.name !== undefined && names.has(rule.name)) {
      findings.push({
        path: [...at, 'name'],
        message: `must be unique; ${rule.name} is used twice`,
      });
    }
    if (rule.name !== undefined) names.add(rule.name);
    rule.matches?.forEach((match, matchIndex) => {
      const wrong = pathFault(match.path?.type ?? 'PathPrefix', match.path?.value ?? '/');
      if (wrong !== null) {
        findings.push({ path: [...at, 'matches', matchIndex, 'path', 'value'], message: wrong });
      }
    });
    for (const f of checkFilters(rule.filters ?? [])) {
      findings.push({ ...f, path: [...at, 'filters', ...f.path] });
    }
    rule.backendRefs?.forEach((backend, backendIndex) => {
      for (const f of checkFilters(backend.filters ?? [])) {
        const path = [...at, 'backendRefs', backendIndex, 'filters', ...f.path];
        findings.push({ ...f, path });
      }
    });
  });
  return findings;
}

/** HTTPPathMatch of Gateway API: what the value of an Exact or PathPrefix match may be. */
function pathFault(type: string, value: string): string | null {
  if (type === 'RegularExpression') return null;
  if (!value.startsWith('/')) return `must start with "/" when type is ${type}`;
  const bad = /\/\/|\/\.{1,2}(?:\/|$)|%2f|#/i.exec(value);
  if (bad !== null) return `must not contain "${bad[0]}" when type is ${type}`;
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:@]*$/.test(value)) {
    return `must hold only characters of a path (RFC 3986 section 3.3) when type is ${type}`;
  }
  return null;
}

/** A filter that may appear once appears once, and a redirect and a rewrite never together. */
function checkFilters(filters: readonly RouteFilter[]): readonly Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  filters.forEach((filter, index) => {
    const repeatable = filter.type === 'ExtensionRef' || filter.type === 'RequestMirror';
    if (seen.has(filter.type) && !repeatable) {
      findings.push({ path: [index], message: `must not repeat the filter ${filter.type}` });
    }
    seen.add(filter.type);
  });
  if (seen.has('RequestRedirect') && seen.has('URLRewrite')) {
    findings.push({ path: [], message: 'must not hold both RequestRedirect and URLRewrite' });
  }
  return findings;
}
