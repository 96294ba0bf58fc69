/** Schemas that several kinds share: names, references, durations, selectors, header and CORS filters. */

import {
  anything,
  boolean,
  integer,
  list,
  mapOf,
  object,
  oneOfWords,
  string,
  type Schema,
  type Typed,
} from './schema.ts';

const subdomain = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** RFC 1123 subdomain, as Kubernetes uses it for most names. */
export const objectName = string({
  minLength: 1,
  maxLength: 253,
  pattern: subdomain,
  says: 'a name of lower-case letters, digits, "-" and "." (RFC 1123), at most 253 characters',
});

/** RFC 1123 label. */
export const dnsLabel = string({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  says: 'a name of lower-case letters, digits and "-" (RFC 1123 label), at most 63 characters',
});

/** An API group; empty for the core group. */
export const apiGroup = string({
  maxLength: 253,
  pattern: `^$|${subdomain}`,
  says: 'an API group such as gateway.networking.k8s.io, or empty for the core group',
});

export const kindName = string({
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
  says: 'the name of a kind such as Gateway',
});

export const portNumber = integer(1, 65535);

/** Gateway API Hostname without a wildcard. */
export const preciseHostname = string({
  minLength: 1,
  maxLength: 253,
  pattern: subdomain,
  says: 'a host name in lower case without port, such as mcp.example.com',
});

/** Gateway API Hostname. */
export const hostname = string({
  minLength: 1,
  maxLength: 253,
  pattern: `^(\\*\\.)?${subdomain.slice(1)}`,
  says: 'a host name in lower case, such as mcp.example.com or *.example.com',
});

/** What can be dialled: a host name or an IP address. */
export const networkHost = string({
  minLength: 1,
  maxLength: 253,
  pattern:
    '^([A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*\\.?|\\[?[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\\]?)$',
  says: 'a host name or IP address, without scheme, port or path',
});

/** Gateway API Duration (GEP-2257); duration.ts reads it. */
export const duration = string({
  maxLength: 32,
  pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
  says: 'a duration such as 5m, 1h30m or 500ms',
});

/** RFC 9110 section 5.1 field-name. */
export const headerName = string({
  minLength: 1,
  maxLength: 256,
  pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$",
  says: 'a header name (RFC 9110 token)',
});

/** RFC 9110 section 5.5 field-value, without leading or trailing white space rules. */
export const headerValue = string({
  maxLength: 4096,
  pattern: '^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$',
  says: 'a header value of at most 4096 characters without control characters',
  sensitive: true,
});

/** One CEL expression; compiled, and so checked, when resources are linked. */
export const celExpression = string({ minLength: 1, maxLength: 16384 });

/** LocalObjectReference. */
export const localReference = object({ name: objectName }, { group: apiGroup, kind: kindName });

/** SecretObjectReference and its like. Defaults: group core, kind Secret, own namespace. */
export const objectReference = object(
  { name: objectName },
  { group: apiGroup, kind: kindName, namespace: dnsLabel },
);
export type ObjectReference = Typed<typeof objectReference>;

/** BackendObjectReference. Defaults: group core, kind Service, own namespace. */
export const backendObjectReference = object(
  { name: objectName },
  { group: apiGroup, kind: kindName, namespace: dnsLabel, port: portNumber, weight: anything() },
);
export type BackendObjectReference = Typed<typeof backendObjectReference>;

/** LocalPolicyTargetReferenceWithSectionName. */
export const targetReference = object(
  { group: apiGroup, kind: kindName, name: objectName },
  { sectionName: objectName },
);
export type TargetReference = Typed<typeof targetReference>;

/** A target by labels instead of by name. */
export const targetSelector = object(
  {
    group: apiGroup,
    kind: kindName,
    matchLabels: mapOf(string({ maxLength: 63 }), { maxProperties: 64 }),
  },
  { sectionName: objectName },
);
export type TargetSelector = Typed<typeof targetSelector>;

export const targetReferences = list(targetReference, { minItems: 1, maxItems: 16 });
export const targetSelectors = list(targetSelector, { minItems: 1, maxItems: 16 });

/** LabelSelector (meta/v1). All requirements must hold; an empty selector matches everything. */
export const labelSelector = object(
  {},
  {
    matchLabels: mapOf(string({ maxLength: 63 }), { maxProperties: 64 }),
    matchExpressions: list(
      object(
        { key: string({ minLength: 1, maxLength: 317 }), operator: labelOperator() },
        { values: list(string({ maxLength: 63 }), { maxItems: 64 }) },
      ),
      { maxItems: 64 },
    ),
  },
);
export type LabelSelector = Typed<typeof labelSelector>;

function labelOperator(): Schema<'In' | 'NotIn' | 'Exists' | 'DoesNotExist'> {
  return oneOfWords('In', 'NotIn', 'Exists', 'DoesNotExist');
}

const headers = list(object({ name: headerName, value: headerValue }), {
  maxItems: 16,
  uniqueBy: 'name',
});

/** HTTPHeaderFilter of Gateway API. */
export const headerFilter = object(
  {},
  { set: headers, add: headers, remove: list(headerName, { maxItems: 16 }) },
);
export type HeaderFilter = Typed<typeof headerFilter>;

// prettier-ignore
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

/** HTTP methods of Gateway API's HTTPMethod. */
export const httpMethod = oneOfWords(...methods);

const origin = string({
  minLength: 1,
  maxLength: 253,
  pattern: '^(\\*|[a-z][a-z0-9+.-]*://[^\\s/?#@]+)$',
  says: 'an origin such as https://app.example.com or https://*.example.com, or "*"',
});

/** HTTPCORSFilter of Gateway API. Defaults: allowCredentials false, maxAge 5 seconds. */
export const corsFilter = object(
  {},
  {
    allowOrigins: list(origin, { maxItems: 64, wildcardAlone: true }),
    allowCredentials: boolean(),
    allowMethods: list(oneOfWords(...methods, '*'), { maxItems: 9, wildcardAlone: true }),
    allowHeaders: list(headerName, { maxItems: 64, wildcardAlone: true }),
    exposeHeaders: list(headerName, { maxItems: 64, wildcardAlone: true }),
    maxAge: integer(1, 2147483647),
  },
);
export type CorsFilter = Typed<typeof corsFilter>;

/** `policy.matchExpressions` of rbac and authorization: any one that is true makes the rule hold. */
export const matchExpressions = object({
  matchExpressions: list(celExpression, { minItems: 1, maxItems: 256 }),
});

/** kgateway rbac. Default action Allow. */
export const rbac = object({ policy: matchExpressions }, { action: oneOfWords('Allow', 'Deny') });
export type Rbac = Typed<typeof rbac>;

/** Agentgateway authorization. Default action Allow. */
export const authorization = object(
  { policy: matchExpressions },
  { action: oneOfWords('Allow', 'Deny', 'Require') },
);
export type Authorization = Typed<typeof authorization>;
